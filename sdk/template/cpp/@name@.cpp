// @name@: an agent that counts, and a tool that adds.
#include <troupe/plugin.hpp>

namespace {

namespace sdk = troupe::sdk;

// Each agent of this kind is one object. Verbs run one at a time and must not block.
class counter : public sdk::agent {
 public:
  explicit counter(const sdk::value& options) : total_(options["from"].as_int(0)) {
    on("add", [this](sdk::turn&, const sdk::value::list& args) {
      // A failure is the caller's error; any other exception ends the agent, and its supervisor restarts it.
      if (args.empty() || !args[0].is_int())
        throw sdk::failure("bad_argument", "add: expected an integer");
      return total_ += args[0].as_int();
    });
    on("total", [this](sdk::turn&, const sdk::value::list&) { return total_; });
  }

 private:
  std::int64_t total_;
};

constexpr char add_schema[] = R"({
  "type": "object",
  "required": ["a", "b"],
  "properties": { "a": { "type": "number" }, "b": { "type": "number" } }
})";

sdk::value add(const sdk::tool_call& call) {
  return call.args["a"].as_double() + call.args["b"].as_double();
}

void set_up(sdk::plugin& plugin) {
  plugin.agent<counter>("counter", "Counts.");
  plugin.tool("@name@.add", "Adds two numbers.", add_schema, add);
}

}  // namespace

TROUPE_PLUGIN("@name@", "0.1.0", set_up)
