// SPDX-License-Identifier: Apache-2.0
//
// What the files of the lower half share and nobody else uses: the marks on Lua threads, the way
// into the state, and the functions that make the globals.
#pragma once

#include <lua.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "script/state.hpp"

namespace troupe::script {

struct internals {
  // Each Lua thread has a word of extra space: the state's address, and these marks in its low
  // bits. New threads copy the main thread's, which has none.

  /// One of the owner's (from `take_thread`): a script can't resume or close it.
  static constexpr std::uintptr_t owned = 1;
  /// A coroutine whose wait or pause is on its way to the owner: only that may continue it.
  static constexpr std::uintptr_t away = 2;
  /// Ended by `limit: busy`. It isn't closed: Lua leaves hooks off in a thread that died in one,
  /// so nothing could interrupt its `__close` functions.
  static constexpr std::uintptr_t poisoned = 4;

  static std::uintptr_t& word(lua_State* L) {
    return *static_cast<std::uintptr_t*>(lua_getextraspace(L));
  }
  static bool is(lua_State* L, std::uintptr_t mark) { return (word(L) & mark) != 0; }
  static void mark(lua_State* L, std::uintptr_t m) { word(L) |= m; }
  static void unmark(lua_State* L, std::uintptr_t m) { word(L) &= ~m; }

  // -- interrupt.cpp

  static void hook(lua_State* L, lua_Debug*);
  /// Sets the standing count hook on a thread, or none.
  static void set_standing_hook(const state& s, lua_State* L);
  /// Notes that nothing can pause here; raises `limit: busy` when it is over.
  static void stuck(state& s, lua_State* L);
  static bool can_leave(const state& s, lua_State* L) {
    return lua_isyieldable(L) != 0 && !s.blocked_;
  }

  static bool is_due(state& s);
  /// An interrupt came where nothing could pause, and here it can.
  static bool is_owed(const state& s, lua_State* L) { return s.owed_ && can_leave(s, L); }
  static void forget_due(state& s);
  static bool pause_or_stick(state& s, lua_State* L);
  static void settle(state& s, lua_State* L);
  static void leave(state& s, lua_State* L, bool pausing);
  static lua_CFunction error_maker(const state& s) { return s.with_.make_error; }
  static void note_limit(state& s, const char* what) { s.limit_ = what; }
  /// Which limit the value on top of a thread that failed stands for, or null.
  static const char* limit_of(state& s, lua_State* co, int status);

  // -- coroutine_library.cpp

  /// Continues `co` inside `L`, with `nargs` values on top of it. The results or the error are left
  /// on top of `co`; `n` says how many. True: something in it leaves for the owner, and so must L.
  static bool run_inside(lua_State* L, lua_State* co, int nargs, int& status, int& n);
  /// Closes a suspended or dead thread: runs its pending `__close` functions. Returns its status;
  /// above LUA_YIELD its error is on top of it. `L` is the running thread, or null.
  static int close_thread(state& s, lua_State* L, lua_State* co);

  static int closing(const state& s) { return s.closing_; }
  /// The coroutine that `co` left through, when it waits or was preempted in one; or null.
  static lua_State* left_through(lua_State* co);

  // -- state.cpp

  struct stage;
  /// Pushes the chunk's function, or an error message; returns Lua's status. Never raises.
  static int compile(state& s, lua_State* to, std::string_view source,
                     const char* chunkname) noexcept;
  /// What `require(name)` shall load, or null: then `problem` says why. Never raises.
  static const module* find_module(state& s, std::string_view name) noexcept;
  static void forget_module(state& s) noexcept { s.found_ = {}; }
  static const std::string& problem(const state& s) { return s.problem_; }
  static void print(state& s, std::string_view line) noexcept;
  static std::uint64_t seed(const state& s) { return s.with_.seed; }

  // -- globals.cpp

  /// Runs in protected mode, on the main thread.
  static int open_globals(lua_State* L);
  /// Makes all globals that are still missing and ends the laziness.
  static void complete_globals(lua_State* L);
  /// True if the value at `index` is the table of globals and some are still missing.
  static bool is_lazy_globals(lua_State* L, int index) {
    const auto& s = state::of(L);
    return s.lazy_ && lua_topointer(L, index) == s.globals_;
  }

  static bool is_raising(lua_State* L) { return state::of(L).raising_; }
};

/// A function of the stock libraries that is safe as it is; `library` is "" for the base library
/// and "metatable" for what strings do in arithmetic. They are taken from a scratch state, once in
/// a process.
lua_CFunction stock_function(std::string_view library, std::string_view name);

/// One field of a library.
struct field {
  const char* name;
  lua_CFunction f;  ///< null: the stock function of that name
};
/// Pushes a table with these fields.
template <std::size_t N>
void push_library(lua_State* L, const char* library, const field (&fields)[N]) {
  lua_createtable(L, 0, static_cast<int>(N));
  for (const auto& x : fields) {
    lua_pushcfunction(L, x.f != nullptr ? x.f : stock_function(library, x.name));
    lua_setfield(L, -2, x.name);
  }
}

// Each pushes its library.
int open_string_library(lua_State* L);
int open_table_library(lua_State* L);
int open_coroutine_library(lua_State* L);
int open_debug_library(lua_State* L);

/// Those of the base library that are ours; null if there is none.
lua_CFunction base_function(std::string_view name);

/// Length of the table, or of what can be read, written and measured like one, at index 1.
lua_Integer check_list(lua_State* L);
int table_sort(lua_State* L);

}  // namespace troupe::script
