// SPDX-License-Identifier: Apache-2.0
//
// What the library's own modules build on, and no script can require: tasks beside the current one,
// parking and waking, error records.
#include <algorithm>
#include <cmath>

#include "script/agent_table.hpp"
#include "script/entry.hpp"
#include "script/errors.hpp"
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

const char core = 0;  // key into the registry: its address
constexpr char task_type[] = "troupe.task";

int push_task(lua_State* l, const task& t) {
  *static_cast<std::uint64_t*>(lua_newuserdatauv(l, sizeof(std::uint64_t), 0)) = t.id();
  luaL_setmetatable(l, task_type);
  return 1;
}

task* check_task(lua_State* l, int index) {
  const auto id = *static_cast<std::uint64_t*>(luaL_checkudata(l, index, task_type));
  return lua_agent::of(l).find_task(id);
}

/// start(limit, f, ...): a task that runs f once the current one waits. `limit` bounds its calls,
/// in seconds; nil: nothing does but what is around it.
int start(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.async");
  const auto limit = lua_isnil(l, 1) ? duration::max() : seconds(check_seconds(l, 1));
  luaL_checktype(l, 2, LUA_TFUNCTION);
  // The handle first: once the task is there, nothing may fail any more.
  auto* id = static_cast<std::uint64_t*>(lua_newuserdatauv(l, sizeof(std::uint64_t), 0));
  *id = ~std::uint64_t{0};
  luaL_setmetatable(l, task_type);
  lua_replace(l, 1);
  const auto* t = a.start_beside(l, lua_gettop(l) - 2, limit);
  if (t == nullptr) return a.raise(l);
  *id = t->id();
  lua_settop(l, 1);
  return 1;
}

int cancel(lua_State* l) {
  auto* t = check_task(l, 1);
  if (t != nullptr) lua_agent::of(l).end_task(*t);
  return 0;
}

int me(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.async");
  return push_task(l, a.current());
}

int woken(lua_State* l, int, lua_KContext) {
  auto& t = lua_agent::of(l).current();
  const bool timed_out = t.answer != nullptr;
  t.answer.reset();
  lua_pushboolean(l, !timed_out);
  return 1;
}

/// park(seconds): until another task wakes this one: true; or the time is over: false. Without
/// seconds there is no end.
int park(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.async");
  const bool ends = !lua_isnoneornil(l, 1);
  const auto limit = ends ? seconds(check_seconds(l, 1)) : duration::max();
  check_can_wait(l, "troupe.async");
  auto& t = a.current();
  if (a.must_end()) return wait(l);
  if (t.woken) {
    t.woken = false;
    lua_pushboolean(l, 1);
    return 1;
  }
  t.parked = true;
  if (ends) ctx.sleep(a.cause(), a.new_wait(), limit);
  return wait(l, woken);
}

int wake(lua_State* l) {
  auto* t = check_task(l, 1);
  if (t != nullptr) lua_agent::of(l).wake(*t);
  return 0;
}

int sleep(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "async.sleep");
  const auto how_long = seconds(check_seconds(l, 1));
  check_can_wait(l, "async.sleep");
  if (a.must_end()) return wait(l);
  ctx.sleep(a.cause(), a.new_wait(), how_long);
  return wait(l, push_answer, answer_true);
}

/// How long what is done here may still take, in seconds; infinity if nothing bounds it.
int time_left(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.async");
  const auto& t = a.current();
  auto ends = t.deadline;
  if (a.cause() != no_cause) ends = std::min(ends, t.on->message->deadline);
  lua_pushnumber(l, ends == never ? HUGE_VAL : to_seconds(ends - ctx.now()));
  return 1;
}

/// The monotonic clock in seconds.
int now(lua_State* l) {
  const auto t = lua_agent::of(l).ctx(l, "troupe.async").now().time_since_epoch();
  lua_pushnumber(l, to_seconds(std::chrono::duration_cast<duration>(t)));
  return 1;
}

/// In [0, 1), from the agent's own source.
int random(lua_State* l) {
  auto& ctx = lua_agent::of(l).ctx(l, "troupe.async");
  lua_pushnumber(l, static_cast<double>(ctx.random() >> 11) * 0x1p-53);
  return 1;
}

/// dress(record): makes a table that came inside a body print as an error.
int dress(lua_State* l) {
  dress_error(l, 1);
  lua_settop(l, 1);
  return 1;
}

}  // namespace

void push_core(lua_State* l) {
  if (lua_rawgetp(l, LUA_REGISTRYINDEX, &core) == LUA_TTABLE) return;
  lua_pop(l, 1);
  static const luaL_Reg none[] = {{nullptr, nullptr}};
  static const luaL_Reg functions[] = {{"start", start},
                                       {"cancel", cancel},
                                       {"me", me},
                                       {"park", park},
                                       {"wake", wake},
                                       {"sleep", sleep},
                                       {"now", now},
                                       {"random", random},
                                       {"dress", dress},
                                       {"error", make_error},
                                       {"control", call_runtime},
                                       {"has_own", has_own},
                                       {"schema", compile_schema},
                                       {"self", push_self},
                                       {"stand_in", stand_in},
                                       {"time_left", time_left},
                                       {nullptr, nullptr}};
  new_handle_type(l, task_type, none, nullptr);
  luaL_newlib(l, functions);
  lua_pushvalue(l, -1);
  lua_rawsetp(l, LUA_REGISTRYINDEX, &core);
}

}  // namespace troupe::script
