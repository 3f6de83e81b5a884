// SPDX-License-Identifier: Apache-2.0
//
// The public modules of scripts, one file each, and what their bindings have in common. All
// functions here may raise, unless they say otherwise.
#pragma once

#include <lua.hpp>
#include <string_view>

#include "agent/context.hpp"

namespace troupe::script {

// Openers: each pushes the table of its module.
int open_troupe(lua_State* l);
int open_timer(lua_State* l);
int open_json(lua_State* l);
int open_log(lua_State* l);
int open_time(lua_State* l);

/// `troupe.stream`.
int make_stream(lua_State* l);

/// As `troupe.call`, for the verbs of the runtime (agent/control.hpp).
int call_runtime(lua_State* l);

/// Pushes a compiled schema with a method `check(value)` = true, or nil and an error.
int compile_schema(lua_State* l);

/// What the library's own Lua modules get beside the public ones: tasks, and schemas.
void push_core(lua_State* l);

/// Loads a module of the library that is written in Lua; its name is at `index`. Pushes it.
void push_library_module(lua_State* l, int index);
/// The same as a lua_CFunction.
int open_library_module(lua_State* l);
/// A member of a module: a function, or (where that is null) what the module `from` of the library
/// returns.
struct member {
  const char* name = nullptr;
  lua_CFunction function = nullptr;
  const char* from = nullptr;
};
/// Pushes a module whose members come into its table when they are first asked for, or all of them
/// when it is gone through with `pairs`. `all` ends with a member without a name and is kept.
void push_module(lua_State* l, const member* all);

// -- arguments

/// Whom a message is for: an address, or null if it is a name. Lives as long as the Lua value.
const address* check_target(lua_State* l, int index);
/// What it says, from what check_target returned. Does not raise.
target to_target(lua_State* l, int index, const address* checked);
/// The verb. Lives as long as the Lua value.
std::string_view check_verb(lua_State* l, int index);
/// Does not raise where a string is.
std::string_view to_text(lua_State* l, int index);
/// Seconds, zero or more: infinity is fine, NaN is not.
double check_seconds(lua_State* l, int index);

// -- answers

// How push_answer does it.
inline constexpr lua_KContext answer_true = 1;     ///< true, where nil would say too little
inline constexpr lua_KContext answer_of_call = 2;  ///< whom it asked is the first argument
/// Pushes what the current task was answered: one value, or nil and an error. The last step of most
/// bindings that wait: `return wait(l, push_answer)`.
int push_answer(lua_State* l, int status, lua_KContext how);

/// Makes the type of a userdata, with methods, unless it is there already; `finish`, if there is
/// one, is called when it is closed and when it is collected.
void new_handle_type(lua_State* l, const char* name, const luaL_Reg* methods, lua_CFunction finish);

}  // namespace troupe::script
