// SPDX-License-Identifier: Apache-2.0
//
// The agent below the tool actor in whose turns the tools of one plugin run, one at a time: where
// one does not come back, only the tools of that plugin wait. Grants, schema, time limit and cancel
// are the tool actor's.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "plugin/tools.hpp"

namespace troupe {

class plugin_runner final : public behaviour {
 public:
  /// The verb of a call to it, which `pack_call` makes the body of. Only whoever started it may.
  static constexpr std::string_view run = "run";
  static result<bytes> pack_call(std::string_view tool, const value& args,
                                 const std::string& caller, const authority& rights);

  /// `like` has what is the same for all requests: copy, folder and max_result. `plugins` outlives
  /// it.
  plugin_runner(tool_source& plugins, tool_request like);
  ~plugin_runner() override;

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  result<void> begin(context& ctx, const envelope& e);
  void on_answer(context& ctx, const envelope& e);
  void finish(context& ctx, cause_id on, const result<bytes>& outcome);
  /// How the plugin knows a call, and back.
  std::uint64_t plugin_id(cause_id on) const { return on ^ salt_; }

  tool_source& plugins_;
  const tool_request like_;
  bool holds_copy_ = false;  ///< of the plugin, from the first call on
  address parent_;
  outlet outlet_;
  std::unordered_map<cause_id, std::string> open_;  ///< tools whose answer comes later
  std::uint64_t salt_ = 0;
};

}  // namespace troupe
