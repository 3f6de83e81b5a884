// SPDX-License-Identifier: Apache-2.0
//
// A plugin in C++: the agent kind `sieve`, which counts primes and remembers what it has sieved,
// and the tool `primes.factors`.
#include <cstdint>
#include <troupe/plugin.hpp>
#include <vector>

namespace {

namespace sdk = troupe::sdk;

// Each agent of this kind is one object. Verbs run one at a time and must not block.
class sieve : public sdk::agent {
 public:
  explicit sieve(const sdk::value& options) : most_(options["most"].as_int(1'000'000)) {
    on("count", [this](sdk::turn&, const sdk::value::list& args) {
      // A failure is the caller's error; any other exception ends the agent, and its supervisor
      // starts it anew.
      if (args.empty() || !args[0].is_int() || args[0].as_int() < 0 || args[0].as_int() > most_)
        throw sdk::failure("bad_argument", "count: expected 0 to " + std::to_string(most_));
      grow(args[0].as_int());
      std::int64_t n = 0;
      for (std::int64_t i = 2; i <= args[0].as_int(); ++i)
        if (is_prime_[static_cast<std::size_t>(i)]) ++n;
      return n;
    });
  }

 private:
  void grow(std::int64_t to) {
    const auto size = static_cast<std::size_t>(to) + 1;
    if (size <= is_prime_.size()) return;
    is_prime_.assign(size, true);
    for (std::size_t i = 2; i * i < size; ++i)
      if (is_prime_[i])
        for (std::size_t k = i * i; k < size; k += i)
          is_prime_[k] = false;
  }

  const std::int64_t most_;
  std::vector<bool> is_prime_;
};

constexpr char factors_schema[] = R"({
  "type": "object",
  "required": ["number"],
  "properties": { "number": { "type": "integer", "minimum": 2, "maximum": 1000000000000 } }
})";

sdk::value factors(const sdk::tool_call& call) {
  auto rest = call.args["number"].as_int();
  sdk::value::list found;
  for (std::int64_t i = 2; i * i <= rest; ++i)
    for (; rest % i == 0; rest /= i)
      found.push_back(i);
  if (rest > 1) found.push_back(rest);
  return found;
}

void set_up(sdk::plugin& plugin) {
  plugin.agent<sieve>("sieve", "Counts prime numbers.");
  plugin.tool("primes.factors", "The prime factors of a number.", factors_schema, factors);
}

}  // namespace

TROUPE_PLUGIN("primes", "0.1.0", set_up)
