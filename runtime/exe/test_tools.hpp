// SPDX-License-Identifier: Apache-2.0
//
// The tools of a test: those of the plugins, those that the case gives, and in place of those that
// need a network a sentence.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/tools.hpp"

namespace troupe {

class test_tools final : public tool_source {
 public:
  /// What answers the tools of a case: later, through the outlet.
  using given_tool = std::function<void(const tool_request&, const outlet& later)>;

  /// `plugins` outlives it.
  explicit test_tools(tool_source& plugins) : plugins_(plugins) {}

  /// A tool of the case, in the place of any other of that name. Without a description or
  /// parameters it keeps that one's.
  void give(std::string name, std::string description, value parameters);
  void on_given(given_tool call) { call_given_ = std::move(call); }

  /// Plugins work on calls with threads of their own.
  bool works_outside() const { return outside_.use_count() > 1; }

  std::vector<tool_info> tools() const override;
  result<void> hold(std::uint64_t copy) override;
  void let_go(std::uint64_t copy) override;
  std::optional<result<bytes>> call_tool(const tool_request& request, const outlet& later) override;
  void cancel_tool(std::string_view name, std::uint64_t copy, std::uint64_t id) override;

 private:
  tool_source& plugins_;
  std::map<std::string, tool_info, std::less<>> given_;
  given_tool call_given_;
  /// Shared: held by the outlet of each call that is open outside.
  std::shared_ptr<int> outside_ = std::make_shared<int>();
};

}  // namespace troupe
