// SPDX-License-Identifier: Apache-2.0
//
// The smallest plugin in C++: the agent kind `greeter` with the verbs `greet` and `count`, and the
// tool `hello_cpp.greet`.
#include <troupe/plugin.hpp>

namespace {

namespace sdk = troupe::sdk;

std::string greet(std::string_view greeting, std::string_view name) {
  if (name.empty()) throw sdk::failure("bad_argument", "greet: expected a name");
  return std::string(greeting) + ", " + std::string(name) + "!";
}

class greeter : public sdk::agent {
 public:
  explicit greeter(const sdk::value& options) : greeting_(options["greeting"].as_string("Hello")) {
    on("greet", [this](sdk::turn&, const sdk::value::list& args) {
      auto line = greet(greeting_, args.empty() ? "" : args[0].as_string());
      ++greeted_;
      return line;
    });
    on("count", [this](sdk::turn&, const sdk::value::list&) { return greeted_; });
  }

 private:
  std::string greeting_;
  std::int64_t greeted_ = 0;
};

constexpr char greet_schema[] = R"({
  "type": "object",
  "required": ["name"],
  "properties": { "name": { "type": "string", "maxLength": 32 } }
})";

void set_up(sdk::plugin& plugin) {
  plugin.agent<greeter>("greeter", "Greets whoever asks.");
  plugin.tool(
      "hello_cpp.greet", "Greets somebody by name.", greet_schema,
      [](const sdk::tool_call& call) { return greet("Hello", call.args["name"].as_string()); });
}

}  // namespace

TROUPE_PLUGIN("hello_cpp", "0.1.0", set_up)
