// SPDX-License-Identifier: Apache-2.0
#include "script/agent_table.hpp"

#include <cstdarg>
#include <string>
#include <string_view>
#include <vector>

#include "base/nearest.hpp"
#include "script/errors.hpp"
#include "script/lua_agent.hpp"
#include "script/types.hpp"

namespace troupe::script {

namespace {

using names = std::vector<std::string_view>;

// Keys into the registry: their addresses.
const char agent_type = 0;
const char on_type = 0;
const char own_type = 0;
const char required_type = 0;
const char substitute = 0;

const names& agent_keys() {
  static const names list = {"needs", "options", "concurrent", "version"};
  return list;
}
const names& hooks() {
  static const names list = {"on_start", "on_stop", "on_down", "on_exit", "on_upgrade"};
  return list;
}
const names& option_types() {
  static const names list = {"string", "number", "integer", "boolean", "table"};
  return list;
}

bool has(const names& list, std::string_view name) noexcept {
  for (auto known : list)
    if (known == name) return true;
  return false;
}

/// Keeps a sentence where Lua may jump past it: `unknown hook "on_strat": did you mean ...?`.
const char* keep_unknown(lua_State* l, const char* what, std::string_view word,
                         const names& known) noexcept {
  auto& text = lua_agent::of(l).text;
  text = unknown_name(what, word, known);
  return text.c_str();
}

/// The string keys of the table at `index`. They live as long as the table keeps them.
names keys_of(lua_State* l, int index) {
  names found;
  index = lua_absindex(l, index);
  lua_pushnil(l);
  while (lua_next(l, index)) {
    lua_pop(l, 1);
    if (lua_type(l, -1) != LUA_TSTRING) continue;
    std::size_t n = 0;
    const char* key = lua_tolstring(l, -1, &n);
    found.emplace_back(key, n);
  }
  return found;
}

const char* keep_unknown_option(lua_State* l, std::string_view word, int defaults) noexcept {
  return keep_unknown(l, "option", word, keys_of(l, defaults));
}

/// A verb's handler: a function, or a tool (troupe.tool).
void check_handler(lua_State* l, const char* table) {
  luaL_argcheck(l, lua_type(l, 2) == LUA_TSTRING, 2, "a verb is a string");
  const char* verb = lua_tostring(l, 2);
  if (verb[0] == '\0' || verb[0] == '@')
    luaL_error(l, "%s[\"%s\"]: a verb is not empty and does not begin with @", table, verb);
  if (lua_isfunction(l, 3) || lua_isnil(l, 3)) return;
  if (lua_istable(l, 3)) {
    const bool is_tool = lua_getfield(l, 3, "run") == LUA_TFUNCTION;
    lua_pop(l, 1);
    if (is_tool) return;
  }
  luaL_error(l, "%s.%s: expected a function or a tool, got %s", table, verb, luaL_typename(l, 3));
}

int set_on(lua_State* l) {
  check_handler(l, "agent.on");
  const std::string_view verb = lua_tostring(l, 2);
  for (auto hook : hooks())
    if (verb == hook.substr(3) || verb == hook)
      return luaL_error(l, "agent.on.%s would make a hook a verb that all may call: write agent.%s",
                        verb.data(), hook.data());
  if (lua_istable(l, 3) && lua_getfield(l, 3, "name") == LUA_TNIL) {
    lua_pushvalue(l, 2);
    lua_setfield(l, 3, "name");
  }
  lua_settop(l, 3);
  lua_rawset(l, 1);
  return 0;
}

int set_own(lua_State* l) {
  check_handler(l, "agent.own");
  lua_rawset(l, 1);
  return 0;
}

int set_field(lua_State* l) {
  if (lua_type(l, 2) == LUA_TSTRING) {
    std::size_t n = 0;
    const char* key = lua_tolstring(l, 2, &n);
    const std::string_view name(key, n);
    if (name.starts_with("on_")) {
      if (name == "on_peer")  // part of the language, but not of this version
        raise_error(l, "unsupported", "agent.on_peer can't be held by this version");
      if (!has(hooks(), name)) return luaL_error(l, "%s", keep_unknown(l, "hook", name, hooks()));
      if (!lua_isfunction(l, 3) && !lua_isnil(l, 3))
        return luaL_error(l, "agent.%s: expected a function, got %s", key, luaL_typename(l, 3));
    }
  }
  lua_rawset(l, 1);
  return 0;
}

void check_concurrent(lua_State* l, int index) {
  if (lua_isinteger(l, index) && lua_tointeger(l, index) >= 1) return;
  if (lua_istable(l, index)) {
    const auto n = static_cast<lua_Integer>(lua_rawlen(l, index));
    lua_Integer i = 1;
    for (; i <= n; ++i) {
      const bool is_text = lua_rawgeti(l, index, i) == LUA_TSTRING;
      lua_pop(l, 1);
      if (!is_text) break;
    }
    if (n > 0 && i > n) return;
  }
  luaL_error(l, "troupe.agent: concurrent: expected a number from 1 on, or a list of verbs");
}

/// What a required option's type is called, or null if the value at `index` is none.
const char* required_as(lua_State* l, int index) {
  if (!is_of_type(l, index, &required_type)) return nullptr;
  lua_rawgeti(l, index, 1);
  const char* type = lua_tostring(l, -1);  // kept by the marker
  lua_pop(l, 1);
  return type;
}

bool fits_type(lua_State* l, int index, std::string_view type) {
  if (type == "integer") {
    int whole = 0;
    lua_tointegerx(l, index, &whole);
    return lua_type(l, index) == LUA_TNUMBER && whole;
  }
  return type == luaL_typename(l, index);
}

}  // namespace

int raise_error(lua_State* l, const char* code, const char* format, ...) {
  va_list parts;
  va_start(parts, format);
  lua_pushvfstring(l, format, parts);
  va_end(parts);
  push_error(l, code, lua_tostring(l, -1));
  return lua_error(l);
}

int make_required(lua_State* l) {
  std::size_t n = 0;
  const char* type = luaL_checklstring(l, 1, &n);
  if (!has(option_types(), {type, n}))
    return luaL_error(l, "troupe.required: %s", keep_unknown(l, "type", {type, n}, option_types()));
  lua_createtable(l, 1, 0);
  lua_pushvalue(l, 1);
  lua_rawseti(l, -2, 1);
  push_type(l, &required_type, "required option");
  lua_setmetatable(l, -2);
  return 1;
}

int make_agent(lua_State* l) {
  if (lua_isnoneornil(l, 1)) {
    lua_settop(l, 0);
    lua_newtable(l);
  }
  luaL_checktype(l, 1, LUA_TTABLE);
  lua_settop(l, 1);
  lua_createtable(l, 0, 8);  // 2: the agent
  lua_pushnil(l);
  while (lua_next(l, 1)) {
    if (lua_type(l, -2) != LUA_TSTRING)
      return luaL_error(l, "troupe.agent: a key is a name, got %s", luaL_typename(l, -2));
    std::size_t n = 0;
    const char* key = lua_tolstring(l, -2, &n);
    const std::string_view name(key, n);
    if (!has(agent_keys(), name))
      return luaL_error(l, "troupe.agent: %s", keep_unknown(l, "key", name, agent_keys()));
    if (name == "concurrent")
      check_concurrent(l, lua_gettop(l));
    else if (name == "version" ? !lua_isinteger(l, -1) : !lua_istable(l, -1))
      return luaL_error(l, "troupe.agent: %s: expected %s, got %s", key,
                        name == "version" ? "an integer" : "a table", luaL_typename(l, -1));
    lua_pushvalue(l, -2);
    lua_insert(l, -2);
    lua_rawset(l, 2);
  }
  lua_newtable(l);
  push_type(l, &on_type, "agent.on", {"__newindex", set_on});
  lua_setmetatable(l, -2);
  lua_setfield(l, 2, "on");
  lua_newtable(l);
  push_type(l, &own_type, "agent.own", {"__newindex", set_own});
  lua_setmetatable(l, -2);
  lua_setfield(l, 2, "own");
  push_type(l, &agent_type, "agent", {"__newindex", set_field});
  lua_setmetatable(l, 2);
  return 1;
}

int stand_in(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  lua_settop(l, 1);
  lua_rawsetp(l, LUA_REGISTRYINDEX, &substitute);
  return 0;
}

void check_agent(lua_State* l, int index, const char* file) {
  index = lua_absindex(l, index);
  if (lua_isnil(l, index)) {
    lua_rawgetp(l, LUA_REGISTRYINDEX, &substitute);
    lua_replace(l, index);
  }
  if (!is_of_type(l, index, &agent_type)) {
    const char* what = lua_isnoneornil(l, index) ? "nothing" : luaL_typename(l, index);
    raise_error(l, "config", "%s returned %s%s instead of an agent", file,
                lua_isnoneornil(l, index) ? "" : "a ", what);
  }
  // Assigned over as a whole, they would have lost their guard.
  const struct {
    const char* name;
    const char* type;
  } parts[] = {{"on", &on_type}, {"own", &own_type}};
  for (const auto& part : parts) {
    lua_pushstring(l, part.name);
    lua_rawget(l, index);
    if (!is_of_type(l, -1, part.type))
      raise_error(l, "config", "%s: agent.%s was replaced; set agent.%s.VERB instead", file,
                  part.name, part.name);
    lua_pop(l, 1);
  }
}

void push_options(lua_State* l, int agent, int given, const char* file) {
  agent = lua_absindex(l, agent);
  given = lua_absindex(l, given);
  lua_newtable(l);
  const int options = lua_gettop(l);
  lua_pushliteral(l, "options");
  if (lua_rawget(l, agent) != LUA_TTABLE) {
    lua_pop(l, 1);
    lua_newtable(l);
  }
  const int defaults = lua_gettop(l);
  lua_pushnil(l);
  while (lua_next(l, given)) {
    lua_pushvalue(l, -2);
    const bool known = lua_rawget(l, defaults) != LUA_TNIL;
    lua_pop(l, 2);
    if (known) continue;
    std::size_t n = 0;
    const char* name = lua_type(l, -1) == LUA_TSTRING ? lua_tolstring(l, -1, &n) : "";
    raise_error(l, "config", "%s: %s", file, keep_unknown_option(l, {name, n}, defaults));
  }
  lua_pushnil(l);
  while (lua_next(l, defaults)) {  // ... name, default
    luaL_tolstring(l, -2, nullptr);
    const char* name = lua_tostring(l, -1);
    const char* required = required_as(l, -2);
    const char* type = required != nullptr ? required : luaL_typename(l, -2);
    lua_pushvalue(l, -3);
    if (lua_rawget(l, given) == LUA_TNIL) {
      if (required != nullptr)
        raise_error(l, "config", "%s: option \"%s\" (%s) is required", file, name, type);
      lua_pop(l, 1);
      lua_pushvalue(l, -2);
    } else if (!fits_type(l, -1, type)) {
      raise_error(l, "config", "%s: option \"%s\": expected %s, got %s", file, name, type,
                  luaL_typename(l, -1));
    }
    lua_pushvalue(l, -4);  // ... name, default, text, value, name
    lua_insert(l, -2);
    lua_rawset(l, options);
    lua_pop(l, 2);
  }
  lua_settop(l, options);
}

concurrency to_concurrency(lua_State* l, int index) {
  concurrency c;
  if (lua_isinteger(l, index)) {
    const auto n = lua_tointeger(l, index);
    c.slots =
        n < concurrency::unlimited ? static_cast<std::uint32_t>(n) : concurrency::unlimited - 1;
  } else if (lua_istable(l, index)) {
    index = lua_absindex(l, index);
    const auto n = static_cast<lua_Integer>(lua_rawlen(l, index));
    for (lua_Integer i = 1; i <= n; ++i) {
      lua_rawgeti(l, index, i);
      c.overlapping.emplace_back(lua_tostring(l, -1));
      lua_pop(l, 1);
    }
  }
  return c;
}

void push_declaration(lua_State* l, int agent) {
  agent = lua_absindex(l, agent);
  lua_createtable(l, 0, 8);
  const int to = lua_gettop(l);
  for (const auto* field : {"needs", "concurrent", "version"}) {
    lua_getfield(l, agent, field);
    lua_setfield(l, to, field);
  }
  lua_newtable(l);  // options: { name = { default = ... } or { required = type } }
  if (lua_getfield(l, agent, "options") == LUA_TTABLE) {
    lua_pushnil(l);
    while (lua_next(l, -2)) {  // all, defaults, name, default
      lua_createtable(l, 0, 1);
      const char* required = required_as(l, -2);
      if (required != nullptr)
        lua_pushstring(l, required);
      else
        lua_pushvalue(l, -2);
      lua_setfield(l, -2, required != nullptr ? "required" : "default");
      lua_pushvalue(l, -3);
      lua_insert(l, -2);  // all, defaults, name, default, name, about
      lua_rawset(l, -6);
      lua_pop(l, 1);
    }
  }
  lua_pop(l, 1);
  mark_as_map(l, -1);
  lua_setfield(l, to, "options");
  for (const auto* part : {"on", "own"}) {
    lua_newtable(l);
    lua_getfield(l, agent, part);
    lua_pushnil(l);
    while (lua_next(l, -2)) {  // verbs, handlers, verb, handler
      lua_createtable(l, 0, 2);
      if (lua_istable(l, -2)) {
        for (const auto* field : {"description", "params"}) {
          lua_getfield(l, -2, field);
          lua_setfield(l, -2, field);
        }
      }
      lua_pushvalue(l, -3);
      lua_insert(l, -2);
      lua_rawset(l, -6);
      lua_pop(l, 1);
    }
    lua_pop(l, 1);
    mark_as_map(l, -1);
    lua_setfield(l, to, part);
  }
  lua_newtable(l);
  for (auto hook : hooks()) {
    lua_pushstring(l, hook.data());
    if (lua_rawget(l, agent) == LUA_TFUNCTION) {
      lua_pushstring(l, hook.data());
      lua_rawseti(l, -3, static_cast<lua_Integer>(lua_rawlen(l, -3)) + 1);
    }
    lua_pop(l, 1);
  }
  lua_setfield(l, to, "hooks");
}

}  // namespace troupe::script
