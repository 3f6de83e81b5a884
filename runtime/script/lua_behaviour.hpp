// SPDX-License-Identifier: Apache-2.0
//
// A Lua script as the behaviour of an agent. What scripts see is in LuaCATS stubs (sdk/lua/); how
// it is done inside begins in lua_agent.hpp.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "agent/behaviour.hpp"
#include "base/body.hpp"
#include "script/code_cache.hpp"
#include "script/program.hpp"

namespace troupe::script {

class lua_agent;

/// What the Lua agents of a node or worker share. Outlives them.
struct environment {
  /// Null: scripts are compiled each time.
  code_cache* cache = nullptr;
  /// For the limit on code that can't be preempted; null: the system's clock.
  const clock* time = nullptr;
  /// 0: preempted by the watchdog's signal. Otherwise a hook stands that preempts after that many
  /// instructions (simulation, ThreadSanitizer).
  int count = 0;
  /// Told, from any thread, of each file of a script or module that is read, by its path; empty:
  /// nobody asks.
  std::function<void(const std::string& file)> reads = {};
};

struct lua_settings {
  const environment* shared = nullptr;
  program_ptr script;
  /// Over the defaults that the script gives: a map. An option that the script does not have, or
  /// of another type, fails the start with config.
  value options = value::map{};
  std::size_t memory = 64u << 20;           ///< bytes of Lua memory
  duration busy = std::chrono::seconds(1);  ///< see script::settings
  body_limits bodies;
  /// For tests: see script::settings::refuse.
  bool (*refuse)(void* with, std::size_t growth) = nullptr;
  void* refuse_with = nullptr;
};

/// The Lua state is made when `start` comes, in the agent's own turn, so an agent that has not
/// started costs next to nothing.
class lua_behaviour final : public behaviour {
 public:
  explicit lua_behaviour(lua_settings settings);
  ~lua_behaviour() override;

  progress receive(context& ctx, envelope_ptr message) override;
  progress resume(context& ctx) override;
  concurrency overlap() const override;
  value inspect() const override;
  progress control(context& ctx, envelope_ptr request) override;

 private:
  std::unique_ptr<lua_agent> agent_;
};

}  // namespace troupe::script
