// SPDX-License-Identifier: Apache-2.0
//
// require("troupe.json"), and the schemas that the library's own modules check arguments with.
#include <new>
#include <optional>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "base/schema.hpp"
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

bool to_text(lua_State* l, lua_agent& a, int index, int indent) noexcept {
  auto v = a.codec().to_value(l, index);
  if (!v) {
    a.keep(v.error());
    return false;
  }
  auto text = to_json(*v, {indent});
  if (!text) {
    a.keep(text.error());
    return false;
  }
  a.text = std::move(*text);
  return true;
}

int encode(lua_State* l) {
  auto& a = lua_agent::of(l);
  luaL_checkany(l, 1);
  const auto indent = luaL_optinteger(l, 2, -1);
  luaL_argcheck(l, indent >= -1 && indent <= 16, 2, "spaces a level: 0 to 16");
  if (!to_text(l, a, 1, static_cast<int>(indent))) return a.push_failure(l);
  lua_pushlstring(l, a.text.data(), a.text.size());
  return 1;
}

/// The text's data as a body in a.text.
bool from_text(lua_agent& a, std::string_view text, std::size_t room) noexcept {
  auto v = parse_json(text, room);
  if (!v) {
    a.keep(v.error());
    return false;
  }
  auto body = pack(*v, a.codec().limits());
  if (!body) {
    a.keep(body.error());
    return false;
  }
  a.text = body->view();
  return true;
}

int decode(lua_State* l) {
  auto& a = lua_agent::of(l);
  std::size_t n = 0;
  const char* text = luaL_checklstring(l, 1, &n);
  // A table takes no less room than the value it is made from.
  if (!from_text(a, {text, n}, state::of(l).memory_free())) return a.push_failure(l);
  if (a.codec().unpack(l, a.text)) return 1;
  a.keep(a.codec().why());
  return a.push_failure(l);
}

int object(lua_State* l) {
  if (lua_isnoneornil(l, 1)) {
    lua_settop(l, 0);
    lua_newtable(l);
  }
  luaL_checktype(l, 1, LUA_TTABLE);
  lua_settop(l, 1);
  mark_as_map(l, 1);
  return 1;
}

int array(lua_State* l) {
  if (lua_isnoneornil(l, 1)) {
    lua_settop(l, 0);
    lua_newtable(l);
  }
  luaL_checktype(l, 1, LUA_TTABLE);
  lua_settop(l, 1);
  mark_as_list(l, 1);
  return 1;
}

// -- schemas --------------------------------------------------------------------------------------

constexpr char schema_type[] = "troupe.schema";
using schema_box = std::optional<schema>;

bool compile_into(lua_State* l, lua_agent& a, schema_box& box) noexcept {
  auto document = a.codec().to_value(l, 1);
  if (!document) {
    a.keep(document.error());
    return false;
  }
  auto made = schema::compile(*document);
  if (made)
    box = std::move(*made);
  else
    a.keep(made.error());
  return static_cast<bool>(made);
}

bool check_with(lua_State* l, lua_agent& a, const schema_box& box) noexcept {
  auto v = a.codec().to_value(l, 2);
  auto fits = v ? box->check(*v) : result<void>(v.error());
  if (!fits) a.keep(fits.error());
  return static_cast<bool>(fits);
}

int check_schema(lua_State* l) {
  auto& a = lua_agent::of(l);
  const auto& box = *static_cast<schema_box*>(luaL_checkudata(l, 1, schema_type));
  lua_settop(l, 2);
  if (!check_with(l, a, box)) return a.push_failure(l);
  lua_pushboolean(l, 1);
  return 1;
}

int free_schema(lua_State* l) {
  static_cast<schema_box*>(luaL_checkudata(l, 1, schema_type))->reset();
  return 0;
}

}  // namespace

int compile_schema(lua_State* l) {
  auto& a = lua_agent::of(l);
  luaL_checktype(l, 1, LUA_TTABLE);
  static const luaL_Reg methods[] = {{"check", check_schema}, {nullptr, nullptr}};
  new_handle_type(l, schema_type, methods, free_schema);
  state::of(l).need_finalizers();
  auto* box = new (lua_newuserdatauv(l, sizeof(schema_box), 0)) schema_box;
  luaL_setmetatable(l, schema_type);
  return compile_into(l, a, *box) ? 1 : a.push_failure(l);
}

int open_json(lua_State* l) {
  static const member members[] = {{"encode", encode},
                                   {"decode", decode},
                                   {"object", object},
                                   {"array", array},
                                   {"schema", nullptr, "troupe._schema"},
                                   {}};
  push_module(l, members);
  push_null(l);
  lua_setfield(l, -2, "null");
  return 1;
}

}  // namespace troupe::script
