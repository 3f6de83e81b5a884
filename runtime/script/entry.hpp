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
  /// Puts the code of the file (its function is the argument) into the place of what runs, and
  /// migrates the state. What was there before is kept, and one of the two below ends that; both
  /// run in `state::protect`.
  static int upgrade(lua_State* l);
  static int forget_old(lua_State* l);
  static int take_old_back(lua_State* l);
};

/// Pushes the `self` that handlers get; 1.
int push_self(lua_State* l);

/// has_own(verb): is there an agent.own.VERB?
int has_own(lua_State* l);

/// Pushes what `self.state` is.
void push_state(lua_State* l);
/// Makes the value at `index` the state.
void set_state(lua_State* l, int index);

}  // namespace troupe::script
