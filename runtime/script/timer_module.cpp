// SPDX-License-Identifier: Apache-2.0
//
// require("troupe.timer"): verbs of agent.own, later and again. Not closures, so that a timer
// outlives a reload of the code.
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

constexpr char timer_type[] = "troupe.timer";

/// Makes the timer from the verb at 2 and the arguments at `first` to `last`. False: kept.
bool begin(lua_State* l, lua_agent& a, int first, int last, duration delay, duration period,
           double jitter, timer_id& id) noexcept {
  lua_timer t;
  if (!a.pack_arguments(l, first, last, t.args)) return false;
  t.verb = to_text(l, 2);
  t.period = period;
  t.jitter = jitter;
  id = a.set_timer(std::move(t), delay);
  return true;
}

/// Pushes a handle for the timer.
int make(lua_State* l, lua_agent& a, int first, int last, duration delay, duration period,
         double jitter) {
  auto* id = static_cast<timer_id*>(lua_newuserdatauv(l, sizeof(timer_id), 0));
  *id = 0;
  luaL_setmetatable(l, timer_type);
  if (!begin(l, a, first, last, delay, period, jitter, *id)) return a.raise(l);
  if (*id == 0) {  // there may be garbage to make room
    lua_gc(l, LUA_GCCOLLECT);
    if (!begin(l, a, first, last, delay, period, jitter, *id)) return a.raise(l);
    if (*id == 0) raise_limit(l, "memory", "no memory for a timer");
  }
  return 1;
}

lua_agent& check_timer(lua_State* l, const char* binding) {
  auto& a = lua_agent::of(l);
  a.ctx(l, binding);
  check_verb(l, 2);
  if (!a.has_own_verb(l, 2))
    luaL_error(l, "%s: there is no agent.own.%s", binding, lua_tostring(l, 2));
  return a;
}

int after(lua_State* l) {
  const auto delay = seconds(check_seconds(l, 1));
  auto& a = check_timer(l, "timer.after");
  return make(l, a, 3, lua_gettop(l), delay, {}, 0);
}

int at(lua_State* l) {
  const double when = luaL_checknumber(l, 1);
  luaL_argcheck(l, when == when, 1, "a time: not a number");
  auto& a = check_timer(l, "timer.at");
  const auto wall = a.ctx(l, "timer.at").wall().time_since_epoch();
  const auto delay = seconds(when - to_seconds(std::chrono::duration_cast<duration>(wall)));
  return make(l, a, 3, lua_gettop(l), delay, {}, 0);
}

/// Makes the timer from the line at 1, the verb at 2, the zone at 4 and the arguments from 7 on.
bool begin_cron(lua_State* l, lua_agent& a, timer_id& id) noexcept {
  auto when = cron::parse(to_text(l, 1), to_text(l, 4));
  if (!when) {
    a.keep(when.error());
    return false;
  }
  lua_timer t;
  if (!a.pack_arguments(l, 7, lua_gettop(l), t.args)) return false;
  t.verb = to_text(l, 2);
  t.when = *when;
  id = a.set_cron(std::move(t));
  return true;
}

int at_cron(lua_State* l) {
  luaL_argexpected(l, lua_type(l, 1) == LUA_TSTRING, 1, "line of a crontab");
  auto& a = check_timer(l, "timer.cron");
  lua_settop(l, 3);
  if (lua_isnil(l, 3)) {
    lua_newtable(l);
    lua_replace(l, 3);
  }
  luaL_checktype(l, 3, LUA_TTABLE);
  if (lua_getfield(l, 3, "zone") == LUA_TNIL) {
    lua_pushliteral(l, "UTC");
    lua_replace(l, 4);
  }
  luaL_argcheck(l, lua_type(l, 4) == LUA_TSTRING, 3, "zone: expected text");
  lua_getfield(l, 3, "args");
  luaL_argcheck(l, lua_isnil(l, 5) || lua_istable(l, 5), 3, "args: expected a list");
  auto* id = static_cast<timer_id*>(lua_newuserdatauv(l, sizeof(timer_id), 0));
  *id = 0;
  luaL_setmetatable(l, timer_type);
  const auto n = lua_istable(l, 5) ? lua_rawlen(l, 5) : 0;
  luaL_argcheck(l, n <= 100, 3, "args: at most 100");
  luaL_checkstack(l, static_cast<int>(n) + 4, "args");
  for (int i = 1; i <= static_cast<int>(n); ++i)
    lua_rawgeti(l, 5, i);
  if (!begin_cron(l, a, *id)) return a.raise(l);
  if (*id == 0) {  // there may be garbage to make room
    lua_gc(l, LUA_GCCOLLECT);
    if (!begin_cron(l, a, *id)) return a.raise(l);
    if (*id == 0) raise_limit(l, "memory", "no memory for a timer");
  }
  lua_settop(l, 6);
  return 1;
}

int every(lua_State* l) {
  const double period = check_seconds(l, 1);
  luaL_argcheck(l, period >= 0.001, 1, "seconds: below a thousandth");
  auto& a = check_timer(l, "timer.every");
  double jitter = 0;
  lua_settop(l, 3);
  int count = 0;
  if (!lua_isnil(l, 3)) {
    luaL_checktype(l, 3, LUA_TTABLE);
    lua_getfield(l, 3, "jitter");
    jitter = luaL_optnumber(l, 4, 0);
    luaL_argcheck(l, jitter >= 0 && jitter <= 1, 3, "jitter: a part of the period, 0 to 1");
    lua_pop(l, 1);
    if (lua_getfield(l, 3, "args") == LUA_TTABLE) {
      const auto n = lua_rawlen(l, 4);
      luaL_argcheck(l, n <= 100, 3, "args: at most 100");
      luaL_checkstack(l, static_cast<int>(n) + 4, "args");
      for (count = 0; count < static_cast<int>(n); ++count)
        lua_rawgeti(l, 4, count + 1);
    }
  }
  return make(l, a, 5, 4 + count, seconds(period), seconds(period), jitter);
}

int cancel(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "cancel");
  const auto id = *static_cast<timer_id*>(luaL_checkudata(l, 1, timer_type));
  lua_pushboolean(l, a.cancel_timer(id));
  return 1;
}

}  // namespace

int open_timer(lua_State* l) {
  static const luaL_Reg methods[] = {{"cancel", cancel}, {nullptr, nullptr}};
  static const luaL_Reg functions[] = {
      {"after", after}, {"at", at}, {"cron", at_cron}, {"every", every}, {nullptr, nullptr}};
  new_handle_type(l, timer_type, methods, nullptr);
  luaL_newlib(l, functions);
  return 1;
}

}  // namespace troupe::script
