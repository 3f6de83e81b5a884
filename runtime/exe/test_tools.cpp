// SPDX-License-Identifier: Apache-2.0
#include "exe/test_tools.hpp"

#include <algorithm>
#include <utility>

#include "actors/tool/http_tools.hpp"

namespace troupe {

namespace {

/// Keeps a call open as long as a plugin holds it.
class counted_outlet final : public outlet::sink {
 public:
  counted_outlet(outlet to, std::shared_ptr<int> open)
      : to_(std::move(to)), open_(std::move(open)) {}
  bool post(std::string_view verb, bytes body) override { return to_.post(verb, std::move(body)); }

 private:
  const outlet to_;
  const std::shared_ptr<int> open_;
};

bool needs_network(std::string_view name) {
  const auto all = http_tools();
  return std::any_of(all.begin(), all.end(), [&](const tool_info& t) { return t.name == name; });
}

}  // namespace

void test_tools::give(std::string name, std::string description, value parameters) {
  tool_info info;
  for (auto& known : tools())
    if (known.name == name) info = std::move(known);
  info.name = name;
  info.origin = "test";
  info.copy = 0;
  if (!description.empty()) info.description = std::move(description);
  if (!parameters.is_nil()) info.parameters = std::move(parameters);
  if (info.description.empty()) info.description = "A tool of the test.";
  if (info.parameters.is_nil()) info.parameters = value::map{{"type", "object"}};
  given_[std::move(name)] = std::move(info);
}

std::vector<tool_info> test_tools::tools() const {
  auto all = plugins_.tools();
  for (auto& info : http_tools())
    all.push_back(std::move(info));
  std::erase_if(all, [&](const tool_info& t) { return given_.contains(t.name); });
  for (const auto& [name, info] : given_)
    all.push_back(info);
  return all;
}

/// Those of a case and of the network are of no copy.
result<void> test_tools::hold(std::uint64_t copy) {
  return copy == 0 ? ok() : plugins_.hold(copy);
}

void test_tools::let_go(std::uint64_t copy) {
  if (copy != 0) plugins_.let_go(copy);
}

std::optional<result<bytes>> test_tools::call_tool(const tool_request& request,
                                                   const outlet& later) {
  if (given_.contains(request.name)) {
    call_given_(request, later);
    return std::nullopt;
  }
  if (needs_network(request.name))
    return error(errc::unsupported, "tool " + request.name +
                                        ": a test has no network; give it the tool with t:tool(\"" +
                                        request.name + "\", f)");
  return plugins_.call_tool(request, outlet(std::make_shared<counted_outlet>(later, outside_)));
}

void test_tools::cancel_tool(std::string_view name, std::uint64_t copy, std::uint64_t id) {
  if (!given_.contains(name) && !needs_network(name)) plugins_.cancel_tool(name, copy, id);
}

}  // namespace troupe
