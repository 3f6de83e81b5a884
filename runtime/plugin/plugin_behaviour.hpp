// SPDX-License-Identifier: Apache-2.0
//
// An agent whose kind comes from a plugin: envelopes into the C ABI, and the plugin's calls into
// the context. What the plugin throws or gets wrong ends the agent with a reason that names the
// plugin.
#pragma once

#include <troupe/ext/agents.h>

#include <memory>
#include <string>

#include "agent/behaviour.hpp"
#include "plugin/plugin_instance.hpp"

/// One agent's handle into the context; opaque to plugins.
struct troupe_turn {
  troupe::context* ctx = nullptr;
  /// The first thing that the plugin got wrong in this turn.
  std::string fault;
  /// The plugin asked to end in this turn: what it did not answer is answered by its end.
  bool is_ending = false;

  /// The turn that runs on this thread, if it is this one: a handle kept beyond its turn, or used
  /// on another thread, leads nowhere.
  static troupe_turn* valid(troupe_turn* claimed);
};

namespace troupe {

class plugin_behaviour final : public behaviour {
 public:
  /// `kind` is one of `plugin`'s. `options`: a map, the child spec's.
  plugin_behaviour(std::shared_ptr<plugin_instance> plugin, const troupe_agent_kind_t* kind,
                   bytes options);
  ~plugin_behaviour() override;

  progress receive(context& ctx, envelope_ptr message) override;
  concurrency overlap() const override;
  value inspect() const override;

 private:
  result<void> create(context& ctx);
  /// What the plugin answered, or why this agent has to end.
  result<std::int32_t> hand_over(context& ctx, const envelope& message);
  void settle(context& ctx, const envelope& message, std::int32_t answered);
  template <class F>
  auto in_turn(context& ctx, const char* what, F&& f);

  std::shared_ptr<plugin_instance> plugin_;  ///< shared: keeps what the plugin was given
  const troupe_agent_kind_t* kind_;
  std::string who_;  ///< `plugin clock: ticker`
  bytes options_;
  troupe_turn turn_;
  void* agent_ = nullptr;
  bool lives_ = false;  ///< `create` succeeded; what it left may be null
};

}  // namespace troupe
