// SPDX-License-Identifier: Apache-2.0
#include "script/entry.hpp"

#include <algorithm>
#include <vector>

#include "agent/control.hpp"
#include "base/nearest.hpp"
#include "script/agent_table.hpp"
#include "script/binding.hpp"
#include "script/errors.hpp"
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

// What a script's agent consists of, as keys of the registry: small ones are found fastest. The
// first three are Lua's, and its luaL_ref takes what is free. `kept`: while an upgrade goes on, a
// list of what it replaces: agent, on, own, the fields of self, the script's modules.
enum registry_key : lua_Integer { agent_key = 4, self_key, on_key, own_key, kept_key };
constexpr registry_key replaced[] = {agent_key, on_key, own_key};
enum kept : lua_Integer { kept_agent = 1, kept_fields = 4, kept_modules = 5 };

/// Pushes the handler of a verb, on top of other values that are of no use; false if there is none.
bool push_handler(lua_State* l, registry_key verbs, std::string_view verb) {
  lua_rawgeti(l, LUA_REGISTRYINDEX, verbs);
  lua_pushlstring(l, verb.data(), verb.size());
  auto type = lua_rawget(l, -2);
  if (type == LUA_TTABLE) {  // a tool: what checks its arguments, and runs it
    type = lua_getfield(l, -1, "serve");
    if (type != LUA_TFUNCTION) {
      lua_pop(l, 1);
      type = lua_getfield(l, -1, "run");
    }
  }
  return type == LUA_TFUNCTION;
}

/// Pushes agent.NAME and self; false, and nothing pushed, if there is no such hook.
bool push_hook(lua_State* l, const char* name) {
  lua_rawgeti(l, LUA_REGISTRYINDEX, agent_key);
  lua_pushstring(l, name);
  const bool there = lua_rawget(l, -2) == LUA_TFUNCTION;
  lua_remove(l, -2);
  if (!there) {
    lua_pop(l, 1);
    return false;
  }
  lua_rawgeti(l, LUA_REGISTRYINDEX, self_key);
  return true;
}

/// Pushes a body that is an error; text that says so if it is none.
void push_reason(lua_State* l, lua_agent& a, const bytes& body) {
  if (!a.codec().unpack(l, body.view())) lua_pushliteral(l, "a reason that can't be read");
  dress_error(l, -1);
}

/// Names the verb of agent.on that was meant, if one is near.
void unknown_verb(lua_State* l, lua_agent& a, std::string_view verb) noexcept {
  std::vector<std::string_view> verbs;
  lua_rawgeti(l, LUA_REGISTRYINDEX, on_key);
  lua_pushnil(l);
  while (lua_next(l, -2)) {
    lua_pop(l, 1);
    if (lua_type(l, -1) == LUA_TSTRING) verbs.push_back(to_text(l, -1));
  }
  lua_pop(l, 1);
  std::sort(verbs.begin(), verbs.end());
  const auto near = nearest(verb.substr(0, 100), verbs);
  a.refuse_message(
      {errc::unknown_verb, a.name() + " has no verb " + std::string(verb.substr(0, 100)) +
                               (near.empty() ? "" : "; did you mean " + std::string(near) + "?")});
}

void bad_arguments(lua_agent& a) noexcept {
  a.refuse_message(a.codec().why());
}

/// Results of a handler, two values on top: the answer, or nil and an error.
int answered(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  const auto& on = *a.current().on;
  const auto& m = *on.message;
  if (m.kind != kind::call || on.deferred) return 0;
  if (lua_isnil(l, -2) && !lua_isnil(l, -1))
    a.fail(l, m.cause, -1);
  else
    a.reply(l, m.cause, -2);
  return 0;
}

int ignored(lua_State*, int, lua_KContext) {
  return 0;
}

/// What stands in agent.on as a tool is one of the node's, as `<id>.verb`.
void offer_tools(lua_State* l, lua_agent& a) {
  const auto id = std::string_view(a.name()).substr(a.name().rfind('/') + 1);
  lua_rawgeti(l, LUA_REGISTRYINDEX, on_key);
  lua_pushnil(l);
  while (lua_next(l, -2)) {  // verbs, verb, handler
    if (lua_istable(l, -1)) {
      lua_createtable(l, 0, 4);
      for (const auto* field : {"description", "params"}) {
        lua_getfield(l, -2, field);
        lua_setfield(l, -2, field);
      }
      lua_pushlstring(l, id.data(), id.size());
      lua_pushliteral(l, ".");
      lua_pushvalue(l, -5);
      lua_concat(l, 3);
      lua_setfield(l, -2, "name");
      lua_pushvalue(l, -3);
      lua_setfield(l, -2, "verb");
      a.offer_tool(l, lua_gettop(l));
      lua_pop(l, 1);
    }
    lua_pop(l, 1);
  }
  lua_pop(l, 1);
}

int started(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  if (lua_isnil(l, -2) && !lua_isnil(l, -1)) {
    a.refuse_start(l, -1);
    return 0;
  }
  offer_tools(l, a);
  a.confirm_start(l, -2);
  return 0;
}

int loaded(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  const char* file = a.file();
  check_agent(l, 1, file);
  lua_settop(l, 1);
  lua_pushvalue(l, 1);
  lua_rawseti(l, LUA_REGISTRYINDEX, agent_key);
  for (auto [field, key] : {std::pair{"on", on_key}, std::pair{"own", own_key}}) {
    lua_getfield(l, 1, field);
    lua_rawseti(l, LUA_REGISTRYINDEX, key);
  }
  lua_createtable(l, 0, 4);  // 2: self
  if (!a.push_given_options(l)) return a.raise(l);
  push_options(l, 1, 3, file);
  lua_setfield(l, 2, "options");
  lua_settop(l, 2);
  lua_newtable(l);
  lua_setfield(l, 2, "state");
  lua_pushvalue(l, 2);
  lua_rawseti(l, LUA_REGISTRYINDEX, self_key);
  lua_getfield(l, 1, "concurrent");
  lua_getfield(l, 1, "on_exit");
  a.loaded(l, 3, lua_isfunction(l, 4));
  if (!push_hook(l, "on_start")) {
    lua_pushnil(l);
    lua_pushnil(l);
    return started(l, LUA_OK, 0);
  }
  const auto& m = *a.current().on->message;
  if (!m.body.empty()) {
    if (!a.codec().unpack(l, m.body.view())) lua_newtable(l);
    if (lua_istable(l, -1)) {
      lua_getfield(l, -1, "last_exit");
      dress_error(l, -1);
      lua_pop(l, 1);
    }
  } else {
    lua_newtable(l);
  }
  lua_callk(l, 2, 2, 0, started);
  return started(l, LUA_OK, 0);
}

int declared(lua_State* l, int, lua_KContext) {
  check_agent(l, 1, lua_agent::of(l).file());
  push_declaration(l, 1);
  return 1;
}

// -- upgrade --------------------------------------------------------------------------------------

/// Puts all fields of the table at `from` into the one on top.
void add_fields(lua_State* l, int from) {
  lua_pushnil(l);
  while (lua_next(l, from)) {
    lua_pushvalue(l, -2);
    lua_insert(l, -2);
    lua_rawset(l, -4);
  }
}

void keep_old(lua_State* l) {
  lua_createtable(l, 5, 0);
  const int all = lua_gettop(l);
  lua_pushvalue(l, all);
  lua_rawseti(l, LUA_REGISTRYINDEX, kept_key);
  lua_newtable(l);
  push_self(l);
  lua_insert(l, -2);
  add_fields(l, all + 1);
  lua_rawseti(l, all, kept_fields);
  push_own_modules(l);
  lua_rawseti(l, all, kept_modules);
  for (lua_Integer i = 0; i < 3; ++i) {
    lua_rawgeti(l, LUA_REGISTRYINDEX, replaced[i]);
    lua_rawseti(l, all, kept_agent + i);
  }
  lua_settop(l, all - 1);
  drop_own_modules(l);
}

lua_Integer version_of(lua_State* l, int agent) {
  lua_getfield(l, agent, "version");
  const auto version = luaL_optinteger(l, -1, 1);
  lua_pop(l, 1);
  return version;
}

// Stack from here on: 1 the new agent, 2 the version before, 3 the new one.

int migrated(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  if (lua_isnil(l, -2) && !lua_isnil(l, -1)) {
    a.refuse_upgrade(l, -1);
    return 0;
  }
  lua_settop(l, 3);
  offer_tools(l, a);
  lua_settop(l, 3);
  lua_getfield(l, 1, "concurrent");
  lua_getfield(l, 1, "on_exit");
  a.confirm_upgrade(l, 4, lua_isfunction(l, 5), lua_tointeger(l, 2), lua_tointeger(l, 3));
  return 0;
}

int file_loaded(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  const char* file = a.file();
  check_agent(l, 1, file);
  lua_settop(l, 1);
  lua_getfield(l, 1, "needs");
  if (!a.needs_are_covered(l, 2)) return a.raise(l);
  lua_rawgeti(l, LUA_REGISTRYINDEX, kept_key);
  lua_rawgeti(l, 3, kept_agent);
  const auto from = version_of(l, 4), version = version_of(l, 1);
  lua_settop(l, 1);
  lua_pushinteger(l, from);
  lua_pushinteger(l, version);
  push_self(l);  // 4
  if (!a.push_given_options(l)) return a.raise(l);
  push_options(l, 1, 5, file);
  lua_setfield(l, 4, "options");
  lua_settop(l, 3);
  lua_pushvalue(l, 1);
  lua_rawseti(l, LUA_REGISTRYINDEX, agent_key);
  for (auto [field, key] : {std::pair{"on", on_key}, std::pair{"own", own_key}}) {
    lua_getfield(l, 1, field);
    lua_rawseti(l, LUA_REGISTRYINDEX, key);
  }
  a.file_is_loaded();
  // The migration works on a copy: what is there now stays whole should it fail.
  push_state(l);  // 4
  lua_getfield(l, 1, "on_upgrade");
  const bool migrates = lua_isfunction(l, 5);
  lua_settop(l, 4);
  if (!migrates) {
    lua_pushnil(l);
    if (from != version && lua_istable(l, 4) && lua_next(l, 4) != 0)
      raise_error(l, "config",
                  "%s is version %I now and has no on_upgrade for a state of version %I", file,
                  version, from);
    lua_settop(l, 3);
    lua_pushnil(l);
    lua_pushnil(l);
    return migrated(l, LUA_OK, 0);
  }
  if (!a.copy_state(l, 4)) return a.raise(l);
  if (!a.unpack_state(l)) return luaL_error(l, "self.state can't be copied");
  set_state(l, 5);
  lua_settop(l, 3);
  push_hook(l, "on_upgrade");
  lua_pushinteger(l, from);
  lua_callk(l, 2, 2, 0, migrated);
  return migrated(l, LUA_OK, 0);
}

}  // namespace

int entry::upgrade(lua_State* l) {
  keep_old(l);
  lua_callk(l, 0, 1, 0, file_loaded);
  return file_loaded(l, LUA_OK, 0);
}

int entry::forget_old(lua_State* l) {
  lua_pushnil(l);
  lua_rawseti(l, LUA_REGISTRYINDEX, kept_key);
  return 0;
}

int entry::take_old_back(lua_State* l) {
  lua_settop(l, 0);
  if (lua_rawgeti(l, LUA_REGISTRYINDEX, kept_key) != LUA_TTABLE) return 0;
  if (lua_rawgeti(l, 1, kept_agent + 2) != LUA_TNIL) {  // the last that is kept
    for (lua_Integer i = 0; i < 3; ++i) {
      lua_rawgeti(l, 1, kept_agent + i);
      lua_rawseti(l, LUA_REGISTRYINDEX, replaced[i]);
    }
    lua_rawgeti(l, 1, kept_modules);
    put_back_modules(l, lua_gettop(l));
    lua_settop(l, 1);
    lua_rawgeti(l, 1, kept_fields);  // 2
    push_self(l);                    // 3
    lua_pushnil(l);
    while (lua_next(l, 3)) {
      lua_pop(l, 1);
      lua_pushvalue(l, -1);
      lua_pushnil(l);
      lua_rawset(l, 3);
    }
    add_fields(l, 2);
  }
  return forget_old(l);
}

void push_state(lua_State* l) {
  push_self(l);
  lua_pushliteral(l, "state");
  lua_rawget(l, -2);
  lua_remove(l, -2);
}

void set_state(lua_State* l, int index) {
  index = lua_absindex(l, index);
  push_self(l);
  lua_pushliteral(l, "state");
  lua_pushvalue(l, index);
  lua_rawset(l, -3);
  lua_pop(l, 1);
}

bool lua_agent::has_own_verb(lua_State* l, int index) {
  const int top = lua_gettop(l);
  const bool there = push_handler(l, own_key, to_text(l, index));
  lua_settop(l, top);
  return there;
}

int has_own(lua_State* l) {
  luaL_checktype(l, 1, LUA_TSTRING);
  lua_pushboolean(l, lua_agent::of(l).has_own_verb(l, 1));
  return 1;
}

int push_self(lua_State* l) {
  lua_rawgeti(l, LUA_REGISTRYINDEX, self_key);
  return 1;
}

/// (verb, topic, values...): calls agent.own.VERB with the values.
int topic_message(lua_State* l, lua_agent& a, envelope& m) {
  const int n = a.codec().unpack_list(l, m.body.view());
  if (n < 2 || lua_type(l, 1) != LUA_TSTRING || !push_handler(l, own_key, to_text(l, 1))) {
    unknown_verb(l, a, n > 0 && lua_type(l, 1) == LUA_TSTRING ? to_text(l, 1) : m.verb);
    return 0;
  }
  lua_replace(l, 1);
  lua_rawgeti(l, LUA_REGISTRYINDEX, self_key);
  lua_replace(l, 2);
  lua_settop(l, n);
  lua_callk(l, n - 1, 0, 0, ignored);
  return 0;
}

int entry::message(lua_State* l) {
  auto& a = lua_agent::of(l);
  auto& m = *a.current().on->message;
  if (m.verb == topic_verb && m.kind == kind::send) return topic_message(l, a, m);
  const bool from_self = m.from == a.own_address();
  if (!(from_self && push_handler(l, own_key, m.verb)) && !push_handler(l, on_key, m.verb)) {
    unknown_verb(l, a, m.verb);
    return 0;
  }
  lua_rawgeti(l, LUA_REGISTRYINDEX, self_key);
  const int n = a.codec().unpack_list(l, m.body.view());
  if (n < 0) {
    bad_arguments(a);
    return 0;
  }
  m.body = {};
  lua_callk(l, n + 1, 2, 0, answered);
  return answered(l, LUA_OK, 0);
}

int entry::start(lua_State* l) {
  lua_callk(l, 0, 1, 0, script::loaded);
  return script::loaded(l, LUA_OK, 0);
}

int entry::declare(lua_State* l) {
  lua_callk(l, 0, 1, 0, declared);
  return declared(l, LUA_OK, 0);
}

int entry::stop(lua_State* l) {
  auto& a = lua_agent::of(l);
  if (!push_hook(l, "on_stop")) return 0;
  push_reason(l, a, a.current().on->message->body);
  lua_callk(l, 2, 0, 0, ignored);
  return 0;
}

int entry::timer(lua_State* l) {
  auto& a = lua_agent::of(l);
  const auto* t = a.find_timer(a.current().on->message->id);
  if (t == nullptr || !push_handler(l, own_key, t->verb)) return 0;
  lua_rawgeti(l, LUA_REGISTRYINDEX, self_key);
  const int n = a.codec().unpack_list(l, t->args.view());
  lua_callk(l, n + 1, 0, 0, ignored);
  return 0;
}

int entry::down(lua_State* l) {
  auto& a = lua_agent::of(l);
  if (!push_hook(l, "on_down")) return 0;
  const auto& m = *a.current().on->message;
  lua_pushinteger(l, static_cast<lua_Integer>(m.id));
  push_reason(l, a, m.body);
  lua_callk(l, 3, 0, 0, ignored);
  return 0;
}

int entry::exit(lua_State* l) {
  auto& a = lua_agent::of(l);
  if (!push_hook(l, "on_exit")) return 0;
  const auto& m = *a.current().on->message;
  push_address(l, m.from);
  push_reason(l, a, m.body);
  lua_callk(l, 3, 0, 0, ignored);
  return 0;
}

}  // namespace troupe::script
