// SPDX-License-Identifier: Apache-2.0
//
// For C++ functions that scripts call. The rule of three steps: check and take the arguments; act,
// in C++ that touches no Lua and does not throw; push. Lua leaves a frame by longjmp, at any
// failed allocation, so no object with a destructor is alive where Lua is touched.
#pragma once

#include <lua.hpp>

#include "script/state.hpp"

namespace troupe::script {

/// Raises unless the running script can wait here. Belongs into the first step of every binding
/// that waits. It can't inside a gsub callback, `__tostring`, `__close` of a dying coroutine, an
/// xpcall handler or a reader, even through a coroutine. `what` names the binding.
void check_can_wait(lua_State* L, const char* what);

/// Suspends what the owner resumed, however deep in coroutines of the script this is: `resume`
/// returns `waiting`. Only as `return wait(L);`. The values with which the owner resumes become the
/// binding's results; or, with a continuation, they lie on top of its stack (the rest of the stack
/// stays) and `k(L, LUA_YIELD, context)` goes on: it may raise, push and wait again.
int wait(lua_State* L, lua_KFunction k = nullptr, lua_KContext context = 0);

/// True if a long-running function should let others run now: then `return pause(L, k, context)`.
/// Cheap enough for every step of a loop. Where the script can't pause (see above) it returns
/// false, and raises `limit: busy` when that went on for too long.
bool should_pause(lua_State* L);
/// The same for loops that can't pause, because C++ or a buffer of Lua's holds their state: raises
/// `limit: busy` when they went on for too long.
void check_busy(lua_State* L);
/// After something that ran script code where it can't pause (lua_call, luaL_tolstring): pauses
/// soon, if that was overdue. Returns `results`, so that it stands in the return statement.
int settle(lua_State* L, int results);
/// Preempts the script here: `resume` returns `preempted`, and `k(L, LUA_YIELD, context)` goes on
/// later with the stack as it was.
int pause(lua_State* L, lua_KFunction k, lua_KContext context);

// What `require` keeps of the script's own modules, when its files are read anew.
/// Pushes a table of them, by name.
void push_own_modules(lua_State* L);
/// The next `require` of one reads its file. Does not raise.
void drop_own_modules(lua_State* L);
/// Those in the table at `index`, and no others, are loaded.
void put_back_modules(lua_State* L, int index);

/// Raises the error of a limit; ends an agent as `{ code = "limit", data = { what = what } }`.
/// `what` is static text.
[[noreturn]] void raise_limit(lua_State* L, const char* what, const char* message);

}  // namespace troupe::script
