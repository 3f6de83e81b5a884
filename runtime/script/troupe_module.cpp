// SPDX-License-Identifier: Apache-2.0
//
// require("troupe"): messages and agents.
#include "agent/control.hpp"
#include "script/agent_table.hpp"
#include "script/errors.hpp"
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

// -- calls ----------------------------------------------------------------------------------------

/// Steps of a call that need C++ objects; false if something was kept to be raised.
bool make_call(lua_State* l, lua_agent& a, context& ctx, const address* to,
               std::string_view verb) noexcept {
  bytes args;
  if (!a.pack_arguments(l, 3, lua_gettop(l), args)) return false;
  ctx.call(a.cause(), a.new_wait(), to_target(l, 1, to), verb, std::move(args),
           {.timeout = a.time_left(ctx)});
  return true;
}

int begin_call(lua_State* l, lua_agent& a, context& ctx, const address* to, std::string_view verb) {
  check_can_wait(l, "troupe.call");
  if (a.must_end()) return wait(l);
  if (!make_call(l, a, ctx, to, verb)) return a.raise(l);
  return wait(l, push_answer, answer_of_call);
}

int call(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.call");
  const auto* to = check_target(l, 1);
  const auto verb = check_verb(l, 2);
  return begin_call(l, a, ctx, to, verb);
}

bool make_send(lua_State* l, lua_agent& a, context& ctx, const address* to,
               std::string_view verb) noexcept {
  bytes args;
  if (!a.pack_arguments(l, 3, lua_gettop(l), args)) return false;
  ctx.send(a.cause(), to_target(l, 1, to), verb, std::move(args));
  return true;
}

int send(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.send");
  const auto* to = check_target(l, 1);
  const auto verb = check_verb(l, 2);
  if (!make_send(l, a, ctx, to, verb)) return a.raise(l);
  return 0;
}

// -- answers --------------------------------------------------------------------------------------

/// The same whether anybody reads or not, so that a slip shows in the first test.
bool take_part(lua_State* l, lua_agent& a) noexcept {
  constexpr std::size_t most = 64u << 10;
  auto body = a.codec().pack(l, 1);
  if (body && body->size() > most)
    body = error(errc::too_big, "a part holds at most 64 KiB, this one has " +
                                    std::to_string(body->size()) + " bytes");
  if (body)
    a.current().unsent = std::move(*body);
  else
    a.keep(body.error());
  return static_cast<bool>(body);
}

int try_part(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  const auto how = a.send_part();
  if (how == lua_agent::part_result::no_credit) {
    a.current().wants_credit = true;
    return wait(l, try_part);
  }
  a.current().unsent = {};
  // A loop that only writes would never see its `cancel` if this came back.
  if (how == lua_agent::part_result::taken_back) return wait(l);
  if (how == lua_agent::part_result::refused) return a.raise(l);
  lua_pushboolean(l, how == lua_agent::part_result::sent);
  return 1;
}

int part(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.part");
  luaL_checkany(l, 1);
  check_can_wait(l, "troupe.part");
  if (a.must_end()) return wait(l);
  if (!take_part(l, a)) return a.raise(l);
  return try_part(l, LUA_OK, 0);
}

/// `troupe.defer()`: the handle holds the cause of the call.
constexpr char later_type[] = "troupe.later";

int later_reply(lua_State* l) {
  const auto to = *static_cast<cause_id*>(luaL_checkudata(l, 1, later_type));
  lua_settop(l, 2);
  lua_agent::of(l).reply(l, to, 2);
  return 0;
}

int later_fail(lua_State* l) {
  const auto to = *static_cast<cause_id*>(luaL_checkudata(l, 1, later_type));
  luaL_checkany(l, 2);
  lua_agent::of(l).fail(l, to, 2);
  return 0;
}

int defer(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.defer");
  auto* on = a.current().on;
  if (on == nullptr || on->message->kind != kind::call)
    return luaL_error(l, "troupe.defer: there is no call to answer");
  static const luaL_Reg methods[] = {
      {"reply", later_reply}, {"fail", later_fail}, {nullptr, nullptr}};
  new_handle_type(l, later_type, methods, nullptr);
  auto* to = static_cast<cause_id*>(lua_newuserdatauv(l, sizeof(cause_id), 0));
  *to = on->message->cause;
  luaL_setmetatable(l, later_type);
  on->deferred = true;
  return 1;
}

int detach(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.detach");
  if (auto* on = a.current().on) on->detached = true;
  return 0;
}

// -- agents ---------------------------------------------------------------------------------------

bool make_spawn(lua_State* l, lua_agent& a, context& ctx) noexcept {
  auto spec = a.codec().to_value(l, 1);
  if (!spec) {
    a.keep(spec.error());
    return false;
  }
  ctx.spawn(a.cause(), a.new_wait(), *spec);
  return true;
}

int spawn(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.spawn");
  luaL_checktype(l, 1, LUA_TTABLE);
  check_can_wait(l, "troupe.spawn");
  if (a.must_end()) return wait(l);
  if (!make_spawn(l, a, ctx)) return a.raise(l);
  return wait(l, push_answer);
}

int self(lua_State* l) {
  push_address(l, lua_agent::of(l).ctx(l, "troupe.self").self());
  return 1;
}

int find(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.find");
  luaL_argexpected(l, lua_type(l, 1) == LUA_TSTRING, 1, "name");
  check_can_wait(l, "troupe.find");
  if (a.must_end()) return wait(l);
  ctx.find(a.new_wait(), to_text(l, 1));
  return wait(l, push_answer);
}

int register_name(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.register");
  luaL_argexpected(l, lua_type(l, 1) == LUA_TSTRING, 1, "name");
  check_can_wait(l, "troupe.register");
  if (a.must_end()) return wait(l);
  ctx.bind(a.new_wait(), to_text(l, 1));
  return wait(l, push_answer, answer_true);
}

int monitor(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.monitor");
  const auto* whom = check_target(l, 1);
  const auto id = a.new_id();
  ctx.monitor(id, to_target(l, 1, whom));
  lua_pushinteger(l, static_cast<lua_Integer>(id));
  return 1;
}

int demonitor(lua_State* l) {
  auto& ctx = lua_agent::of(l).ctx(l, "troupe.demonitor");
  ctx.demonitor(static_cast<monitor_id>(luaL_checkinteger(l, 1)));
  return 0;
}

int link(lua_State* l) {
  auto& ctx = lua_agent::of(l).ctx(l, "troupe.link");
  const auto* whom = check_target(l, 1);
  ctx.link(to_target(l, 1, whom));
  return 0;
}

int unlink(lua_State* l) {
  auto& ctx = lua_agent::of(l).ctx(l, "troupe.unlink");
  const auto* whom = check_target(l, 1);
  ctx.unlink(to_target(l, 1, whom));
  return 0;
}

void end_agent(lua_State* l, lua_agent& a) noexcept {
  error why(errc::normal, "");
  if (!lua_isnoneornil(l, 1)) {
    why = to_error(l, 1, a.codec());
    if (lua_type(l, 1) == LUA_TSTRING && (why.message == "normal" || why.message == "shutdown"))
      why = error(why.message, "");
  }
  a.exit(std::move(why));
}

int exit(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.exit");
  check_can_wait(l, "troupe.exit");
  end_agent(l, a);
  return wait(l);  // nothing ends this wait
}

void report_progress(context& ctx, double share, std::string_view text) noexcept {
  ctx.log(log_level::info, "progress", {{"progress", share}, {"text", text}});
}

/// `troupe.progress(part, text)`: for people, so nobody is asked and nothing fails.
int progress(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.progress");
  const double share = luaL_checknumber(l, 1);
  std::size_t n = 0;
  const char* text = luaL_optlstring(l, 2, "", &n);
  report_progress(ctx, share, {text, n});
  lua_settop(l, 2);
  lua_pushliteral(l, "observer");
  lua_insert(l, 1);
  lua_pushliteral(l, "progress");
  lua_insert(l, 2);
  if (!make_send(l, a, ctx, nullptr, "progress")) return a.raise(l);
  return 0;
}

// -- what is going on -----------------------------------------------------------------------------

void set_text(lua_State* l, const char* field, std::string_view text) {
  lua_pushlstring(l, text.data(), text.size());
  lua_setfield(l, -2, field);
}

/// Of a message that came by a topic: its verb, and the topic's name.
void set_topic(lua_State* l, lua_agent& a, const envelope& m) {
  const int n = a.codec().unpack_list(l, m.body.view());
  if (n >= 2) {
    lua_settop(l, 3);  // the record, verb, topic
    lua_setfield(l, 1, "topic");
    lua_setfield(l, 1, "verb");
  }
  lua_settop(l, 1);
}

int current(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.current");
  const auto* on = a.current().on;
  if (on == nullptr) return 0;
  const auto& m = *on->message;
  lua_settop(l, 0);
  lua_createtable(l, 0, 5);
  set_text(l, "kind", to_string(m.kind));
  if (m.verb == topic_verb)
    set_topic(l, a, m);
  else if (!m.verb.empty())
    set_text(l, "verb", m.verb);
  push_address(l, m.from);
  lua_setfield(l, -2, "from");
  if (m.deadline != never) {
    lua_pushnumber(l, to_seconds(m.deadline - ctx.now()));
    lua_setfield(l, -2, "deadline");
  }
  if (m.trace.span != 0) {
    char text[64];
    const int n = std::snprintf(text, sizeof(text), "00-%016llx%016llx-%016llx-%02x",
                                static_cast<unsigned long long>(m.trace.trace[0]),
                                static_cast<unsigned long long>(m.trace.trace[1]),
                                static_cast<unsigned long long>(m.trace.span), m.trace.sampled);
    set_text(l, "trace", {text, static_cast<std::size_t>(n)});
  }
  return 1;
}

}  // namespace

int call_runtime(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& ctx = a.ctx(l, "troupe.sys");
  const auto* to = check_target(l, 1);
  return begin_call(l, a, ctx, to, to_text(l, 2));
}

int open_troupe(lua_State* l) {
  static const member members[] = {
      {"agent", make_agent},
      {"required", make_required},
      {"error", make_error},
      {"call", call},
      {"send", send},
      {"part", part},
      {"stream", make_stream},
      {"defer", defer},
      {"detach", detach},
      {"spawn", spawn},
      {"self", self},
      {"find", find},
      {"register", register_name},
      {"monitor", monitor},
      {"demonitor", demonitor},
      {"link", link},
      {"unlink", unlink},
      {"exit", exit},
      {"current", current},
      {"progress", progress},
      {"supervisor", nullptr, "troupe._supervisor"},
      {},
  };
  push_module(l, members);
  return 1;
}

}  // namespace troupe::script
