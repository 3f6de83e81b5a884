// SPDX-License-Identifier: Apache-2.0
//
// How a running script is stopped for a while: by the watchdog's signal, by a count hook, by a
// binding that waits, by a long C function. See also `state::resume`.
#include <cassert>
#include <cstdio>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

/// What a slice of the count hook stands for, so that `busy` means about the same everywhere.
constexpr duration counted_slice = std::chrono::milliseconds(2);

/// Functions inside each other, looked at when a script is interrupted. Lua lets them be a few
/// times as many; but to arm a hook it goes through all of them, and would soon do nothing else.
constexpr int max_depth = 100'000;

/// Where the value of the last limit is kept, so that `failure` knows it again.
const char limit_key = 0;

}  // namespace

// The signal handler. lua_sethook is made to be called from one; all else is a plain store.
void state::interrupt() noexcept {
  if (with_.count > 0)
    return;  // where a count decides, a signal would make it depend on the machine
  due_.store(true, std::memory_order_relaxed);
  if (auto* L = innermost_.load(std::memory_order_relaxed))
    lua_sethook(L, internals::hook, LUA_MASKCOUNT, 1);
}

void internals::set_standing_hook(const state& s, lua_State* L) {
  if (s.with_.count > 0)
    lua_sethook(L, hook, LUA_MASKCOUNT, s.with_.count);
  else if (lua_gethookmask(L) != 0)
    lua_sethook(L, nullptr, 0, 0);
}

void internals::hook(lua_State* L, lua_Debug*) {
  auto& s = state::of(L);
  set_standing_hook(s, L);
  s.due_.store(false, std::memory_order_relaxed);
  lua_Debug frame;
  if (lua_getstack(L, max_depth, &frame) != 0)
    raise_limit(L, "stack", "functions call each other too deep");
  if (!can_leave(s, L)) return stuck(s, L);
  leave(s, L, true);
  lua_yield(L, 0);  // in a hook it returns, and the interpreter yields afterwards
}

// A raise from a hook may be caught by a pcall in the same comparator or callback, which then goes
// on. So it is raised again at each instruction until the script is where it can pause.
void internals::stuck(state& s, lua_State* L) {
  if (!s.raising_) {
    duration elapsed{};
    if (s.with_.count > 0) {
      elapsed = s.stuck_for_ += counted_slice;
    } else {
      const auto now = s.with_.time->now();
      if (s.stuck_since_ == never) s.stuck_since_ = now;
      elapsed = now - s.stuck_since_;
    }
    s.owed_ = true;
    if (elapsed < s.with_.busy) return;
    s.raising_ = true;
  }
  lua_sethook(L, hook, LUA_MASKCOUNT, 1);
  raise_limit(L, "busy",
              "computed for too long where it can't be interrupted (a callback of gsub, "
              "__tostring, __close, a handler of xpcall or the like)");
}

bool should_pause(lua_State* L) {
  auto& s = state::of(L);
  return (internals::is_due(s) || internals::is_owed(s, L)) && internals::pause_or_stick(s, L);
}

void check_busy(lua_State* L) {
  auto& s = state::of(L);
  if (!internals::is_due(s)) return;
  internals::forget_due(s);
  internals::stuck(s, L);
}

int settle(lua_State* L, int results) {
  internals::settle(state::of(L), L);
  return results;
}

int pause(lua_State* L, lua_KFunction k, lua_KContext context) {
  internals::leave(state::of(L), L, true);
  return lua_yieldk(L, 0, context, k);
}

void check_can_wait(lua_State* L, const char* what) {
  if (!internals::can_leave(state::of(L), L))
    luaL_error(L, "%s can't wait here: inside a callback of gsub, __tostring, __close or the like",
               what);
}

int wait(lua_State* L, lua_KFunction k, lua_KContext context) {
  check_can_wait(L, "this");
  internals::leave(state::of(L), L, false);
  return lua_yieldk(L, 0, context, k);
}

bool internals::is_due(state& s) {
  if (s.with_.count > 0) return s.raising_ || ++s.work_ >= s.with_.count;
  return s.due_.load(std::memory_order_relaxed) || s.raising_;
}

void internals::forget_due(state& s) {
  s.work_ = 0;
  s.due_.store(false, std::memory_order_relaxed);
}

bool internals::pause_or_stick(state& s, lua_State* L) {
  forget_due(s);
  if (can_leave(s, L)) return true;
  stuck(s, L);
  return false;
}

void internals::settle(state& s, lua_State* L) {
  if (is_owed(s, L)) lua_sethook(L, hook, LUA_MASKCOUNT, 1);
}

void internals::leave(state& s, lua_State* L, bool pausing) {
  assert(can_leave(s, L));
  if (pausing) {
    s.raising_ = false;       // what could not pause is behind us
    set_standing_hook(s, L);  // an armed one would pause again at once
  }
  s.leaving_ = pausing ? state::leaving::pause : state::leaving::wait;
}

void raise_limit(lua_State* L, const char* what, const char* message) {
  auto& s = state::of(L);
  luaL_checkstack(L, 5, "no room for an error");
  if (const auto make = internals::error_maker(s)) {
    lua_pushcfunction(L, make);
    lua_pushliteral(L, "limit");
    lua_pushstring(L, message);
    lua_pushstring(L, what);
    lua_call(L, 3, 1);
  } else {
    lua_pushfstring(L, "limit: %s", message);
  }
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &limit_key);
  internals::note_limit(s, what);
  lua_error(L);
  __builtin_unreachable();
}

const char* internals::limit_of(state& s, lua_State* co, int status) {
  if (status == LUA_ERRMEM) return "memory";
  // A script that catches this text and raises it again did run out of memory.
  if (s.refused_ && lua_type(co, -1) == LUA_TSTRING &&
      std::string_view(lua_tostring(co, -1)) == "not enough memory")
    return "memory";
  if (s.limit_ == nullptr) return nullptr;
  lua_rawgetp(co, LUA_REGISTRYINDEX, &limit_key);
  const bool same = lua_rawequal(co, -1, -2) != 0;
  lua_pop(co, 1);
  return same ? s.limit_ : nullptr;
}

}  // namespace troupe::script
