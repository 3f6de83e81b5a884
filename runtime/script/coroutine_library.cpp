// SPDX-License-Identifier: Apache-2.0
//
// `coroutine`, as in Lua, with a difference that scripts don't see: what waits or is preempted in a
// coroutine leaves all coroutines around it too, up to the thread that the owner resumed, and
// comes back the same way. So `troupe.call` works in a generator.
#include <array>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

/// Coroutines whose `__close` functions may close further ones, inside each other. Each starts
/// anew to count its 200 levels of the C stack, at least before Lua 5.4.6.
constexpr int max_closing = 8;

enum class status : std::uint8_t { running, dead, suspended, normal };
constexpr const char* names[] = {"running", "dead", "suspended", "normal"};

status status_of(lua_State* L, lua_State* co) {
  if (co == L) return status::running;
  if (internals::is(co, internals::owned | internals::away)) return status::normal;
  if (internals::is(co, internals::poisoned)) return status::dead;
  switch (lua_status(co)) {
    case LUA_YIELD:
      return status::suspended;
    case LUA_OK: {
      lua_Debug frame;
      if (lua_getstack(co, 0, &frame) != 0) return status::normal;
      return lua_gettop(co) == 0 ? status::dead : status::suspended;
    }
    default:
      return status::dead;
  }
}

lua_State* check_thread(lua_State* L) {
  auto* co = lua_tothread(L, 1);
  luaL_argexpected(L, co != nullptr, 1, "thread");
  return co;
}

// `resume` has its thread at index 1, a function made by `wrap` has it as upvalue.
enum caller : lua_KContext { from_resume = 0, from_wrap = 1 };

lua_State* thread_of(lua_State* L, lua_KContext from) {
  return lua_tothread(L, from == from_wrap ? lua_upvalueindex(1) : 1);
}

/// The error on top of `L` becomes the result.
int fail(lua_State* L, lua_KContext from) {
  if (from == from_wrap) return lua_error(L);
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

/// `close` on behalf of a script.
int close(lua_State* L, lua_State* co) {
  auto& s = state::of(L);
  if (internals::closing(s) >= max_closing)
    return luaL_error(L, "too many coroutines that close each other");
  return internals::close_thread(s, L, co);
}

/// Takes the error off a thread that died.
int died(lua_State* L, lua_State* co, lua_KContext from, int code) {
  if (from == from_wrap && !internals::is(co, internals::poisoned)) code = close(L, co);
  lua_xmove(co, L, 1);
  if (from == from_wrap && code != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return fail(L, from);
}

int go_on(lua_State* L, int, lua_KContext from);

/// The arguments are on top of `co`.
int go(lua_State* L, lua_State* co, int nargs, lua_KContext from) {
  int code = LUA_OK;
  int n = 0;
  if (internals::run_inside(L, co, nargs, code, n)) {
    internals::mark(co, internals::away);
    lua_settop(L, from == from_wrap ? 0 : 1);
    return lua_yieldk(L, 0, from, go_on);
  }
  if (code != LUA_OK && code != LUA_YIELD) return died(L, co, from, code);
  if (lua_checkstack(L, n + 1) == 0) {
    lua_pop(co, n);
    lua_pushliteral(L, "too many results to resume");
    return fail(L, from);
  }
  if (from == from_resume) lua_pushboolean(L, 1);
  lua_xmove(co, L, n);
  return n + (from == from_resume ? 1 : 0);
}

/// The owner resumed us: everything above the frame of `go` is for the coroutine inside.
int go_on(lua_State* L, int, lua_KContext from) {
  auto* co = thread_of(L, from);
  internals::unmark(co, internals::away);
  const int nargs = lua_gettop(L) - (from == from_wrap ? 0 : 1);
  if (lua_checkstack(co, nargs) == 0) return luaL_error(L, "too many arguments to resume");
  lua_xmove(L, co, nargs);
  return go(L, co, nargs, from);
}

int start(lua_State* L, lua_State* co, int nargs, lua_KContext from) {
  switch (status_of(L, co)) {
    case status::suspended:
      break;
    case status::dead:
      lua_pushliteral(L, "cannot resume dead coroutine");
      return fail(L, from);
    default:
      lua_pushliteral(L, "cannot resume non-suspended coroutine");
      return fail(L, from);
  }
  if (lua_checkstack(co, nargs) == 0) {
    lua_pushliteral(L, "too many arguments to resume");
    return fail(L, from);
  }
  lua_xmove(L, co, nargs);
  return go(L, co, nargs, from);
}

int coroutine_resume(lua_State* L) {
  auto* co = check_thread(L);
  return start(L, co, lua_gettop(L) - 1, from_resume);
}

int wrapped(lua_State* L) {
  auto* co = thread_of(L, from_wrap);
  if (status_of(L, co) == status::suspended) return start(L, co, lua_gettop(L), from_wrap);
  luaL_where(L, 1);  // as the stock one says it
  lua_pushstring(L, status_of(L, co) == status::dead ? "cannot resume dead coroutine"
                                                     : "cannot resume non-suspended coroutine");
  lua_concat(L, 2);
  return lua_error(L);
}

int coroutine_create(lua_State* L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  auto* co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

int coroutine_wrap(lua_State* L) {
  coroutine_create(L);
  lua_pushcclosure(L, wrapped, 1);
  return 1;
}

int coroutine_yield(lua_State* L) {
  if (internals::is(L, internals::owned))
    return luaL_error(L,
                      "coroutine.yield yields into nothing: "
                      "it is not inside a coroutine of this script");
  return lua_yield(L, lua_gettop(L));
}

int coroutine_status(lua_State* L) {
  lua_pushstring(L, names[static_cast<int>(status_of(L, check_thread(L)))]);
  return 1;
}

int coroutine_isyieldable(lua_State* L) {
  auto* co = lua_isnone(L, 1) ? L : check_thread(L);
  lua_pushboolean(L, lua_isyieldable(co) != 0 && !internals::is(co, internals::owned));
  return 1;
}

int coroutine_running(lua_State* L) {
  lua_pushthread(L);
  lua_pushboolean(L, internals::is(L, internals::owned));  // what scripts see as the main one
  return 2;
}

int coroutine_close(lua_State* L) {
  auto* co = check_thread(L);
  const auto st = status_of(L, co);
  if (st != status::dead && st != status::suspended)
    return luaL_error(L, "cannot close a %s coroutine", names[static_cast<int>(st)]);
  const bool poisoned = internals::is(co, internals::poisoned);
  if (!poisoned && close(L, co) == LUA_OK) {
    lua_pushboolean(L, 1);
    return settle(L, 1);
  }
  lua_pushboolean(L, 0);
  if (poisoned)
    lua_pushliteral(L, "ended by limit: busy");
  else
    lua_xmove(co, L, 1);
  return settle(L, 2);
}

}  // namespace

bool internals::run_inside(lua_State* L, lua_State* co, int nargs, int& status, int& n) {
  auto& s = state::of(L);
  const bool blocked = s.blocked_;
  s.blocked_ = blocked || lua_isyieldable(L) == 0;
  s.innermost_.store(co, std::memory_order_relaxed);
  status = lua_resume(co, L, nargs, &n);
  s.innermost_.store(L, std::memory_order_relaxed);
  s.blocked_ = blocked;
  if (status == LUA_YIELD) return s.leaving_ != state::leaving::no;
  if (status != LUA_OK && s.raising_) {
    mark(co, poisoned);
    lua_sethook(L, hook, LUA_MASKCOUNT, 1);  // goes on raising out here
  }
  return false;
}

int internals::close_thread(state& s, lua_State* L, lua_State* co) {
  auto* innermost = s.innermost_.load(std::memory_order_relaxed);
  const bool blocked = s.blocked_;
  ++s.closing_;
  s.blocked_ = true;
  s.innermost_.store(co, std::memory_order_relaxed);
#if LUA_VERSION_RELEASE_NUM >= 50406
  const int status = lua_closethread(co, L);
#else
  const int status = lua_resetthread(co);
#endif
  s.innermost_.store(innermost, std::memory_order_relaxed);
  s.blocked_ = blocked;
  --s.closing_;
  if (s.raising_ && L != nullptr) lua_sethook(L, hook, LUA_MASKCOUNT, 1);
  return status;
}

lua_State* internals::left_through(lua_State* co) {
  lua_Debug frame;
  if (lua_status(co) != LUA_YIELD || lua_getstack(co, 0, &frame) == 0) return nullptr;
  lua_getinfo(co, "f", &frame);
  lua_State* inside = nullptr;
  const auto f = lua_tocfunction(co, -1);
  if (f == coroutine_resume) {
    inside = lua_tothread(co, 1);  // that frame is the innermost one
  } else if (f == wrapped) {
    lua_getupvalue(co, -1, 1);
    inside = lua_tothread(co, -1);
    lua_pop(co, 1);
  }
  lua_pop(co, 1);
  return inside != nullptr && is(inside, away) ? inside : nullptr;
}

int open_coroutine_library(lua_State* L) {
  static const field fields[] = {
      {"close", coroutine_close},
      {"create", coroutine_create},
      {"isyieldable", coroutine_isyieldable},
      {"resume", coroutine_resume},
      {"running", coroutine_running},
      {"status", coroutine_status},
      {"wrap", coroutine_wrap},
      {"yield", coroutine_yield},
  };
  push_library(L, "coroutine", fields);
  return 1;
}

}  // namespace troupe::script
