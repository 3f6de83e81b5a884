// SPDX-License-Identifier: Apache-2.0
//
// What runs first on the coroutine of a task: from a message to the script's function, and from
// what it returns to the answer. All of this is inside Lua's own protection and can be yielded
// through, so a message costs no protected call beside its coroutine.
#pragma once

#include <lua.hpp>

namespace troupe::script {

struct entry {
  /// send and call: agent.on.VERB, or agent.own.VERB for what the agent sends itself.
  static int message(lua_State* l);
  /// Loads the file (its function is the argument), makes `self`, runs on_start.
  static int start(lua_State* l);
  /// Loads the file and returns what it says of itself.
  static int declare(lua_State* l);
  static int stop(lua_State* l);
  static int timer(lua_State* l);
  static int down(lua_State* l);
  static int exit(lua_State* l);
};

/// Pushes the `self` that handlers get; 1.
int push_self(lua_State* l);

}  // namespace troupe::script
