// SPDX-License-Identifier: Apache-2.0
#include "script/body.hpp"

#include <array>

#include "base/msgpack.hpp"
#include "script/scalars.hpp"
#include "script/types.hpp"

namespace troupe::script {

namespace {

// Keys into the registry: their addresses.
const char address_type = 0;
const char known_addresses = 0;
const char map_mark = 0;
const char list_mark = 0;

int print_address(lua_State* l) {
  const auto* a = to_address(l, 1);
  if (a == nullptr) return luaL_argerror(l, 1, "an address expected");
  char text[32];
  const auto* digits = reinterpret_cast<const unsigned char*>(&a->agent);
  const int n = std::snprintf(text, sizeof(text), "<%02x%02x%02x%02x>", digits[0], digits[1],
                              digits[2], digits[3]);
  lua_pushlstring(l, text, static_cast<std::size_t>(n));
  return 1;
}

int print_null(lua_State* l) {
  lua_pushstring(l, is_null(l, 1) ? "null" : "pointer");
  return 1;
}

/// What a value is called in a sentence.
const char* kind_of(lua_State* l, int index) {
  switch (lua_type(l, index)) {
    case LUA_TFUNCTION:
      return "a function";
    case LUA_TTHREAD:
      return "a coroutine";
    default:
      return "a userdata";
  }
}

}  // namespace

void open_null(lua_State* l) {
  push_null(l);
  lua_createtable(l, 0, 2);
  lua_pushcfunction(l, print_null);
  lua_setfield(l, -2, "__tostring");
  lua_pushboolean(l, 0);
  lua_setfield(l, -2, "__metatable");
  lua_setmetatable(l, -2);
  lua_pop(l, 1);
}

// -- writing --------------------------------------------------------------------------------------

void body_codec::begin() {  // `finish` left the writer ready
  refused_.clear();
  where_.clear();
}

bool body_codec::begin_list(std::size_t elements) {
  begin();
  return writer_.begin_array(elements);
}

bool body_codec::add(lua_State* l, int index) {
  switch (lua_type(l, index)) {
    case LUA_TNIL:
    case LUA_TNONE:
      return writer_.nil();
    case LUA_TBOOLEAN:
      return writer_.boolean(lua_toboolean(l, index));
    case LUA_TNUMBER:
      return lua_isinteger(l, index) ? writer_.integer(lua_tointeger(l, index))
                                     : writer_.number(lua_tonumber(l, index));
    case LUA_TSTRING: {
      std::size_t n = 0;
      const char* text = lua_tolstring(l, index, &n);
      return writer_.text({text, n});
    }
    case LUA_TTABLE:
      return add_table(l, lua_absindex(l, index));
    case LUA_TLIGHTUSERDATA:
      return is_null(l, index) ? writer_.nil() : refuse(l, index);
    case LUA_TUSERDATA:
      if (const auto* a = address_at(l, index)) {
        const auto wire = to_wire(*a);
        return writer_.extension(address_extension, {wire.data(), wire.size()});
      }
      return refuse(l, index);
    default:
      return refuse(l, index);
  }
}

bool body_codec::refuse(lua_State* l, int index) {
  refused_ = kind_of(l, index);
  return writer_.refuse(body_fault::not_data);
}

/// Puts the key at `key` before the path to what failed.
void body_codec::note_key(lua_State* l, int key) {
  std::string step;
  if (lua_type(l, key) == LUA_TSTRING)
    step = "." + std::string(lua_tostring(l, key));
  else if (lua_isinteger(l, key))
    step = "[" + std::to_string(lua_tointeger(l, key)) + "]";
  else
    step = std::string("[") + luaL_typename(l, key) + "]";
  if (where_.size() < 200) where_ = step + where_;
}

bool body_codec::add_table(lua_State* l, int index) {
  if (!lua_checkstack(l, 8)) return writer_.refuse(body_fault::too_deep);
  const std::size_t length = lua_rawlen(l, index);
  std::size_t members = 0;
  bool is_list = !is_of_type(l, index, &map_mark);
  if (!is_list || !is_of_type(l, index, &list_mark)) {
    // A list has the keys 1 to n and no other: so many keys, none of them anything else.
    lua_pushnil(l);
    while (lua_next(l, index)) {
      lua_pop(l, 1);
      ++members;
      is_list = is_list && lua_isinteger(l, -1) &&
                static_cast<lua_Unsigned>(lua_tointeger(l, -1)) - 1 < length;
    }
    is_list = is_list && members == length;
  }
  if (is_list) {
    if (!writer_.begin_array(length)) return false;
    for (std::size_t i = 1; i <= length; ++i) {
      lua_rawgeti(l, index, static_cast<lua_Integer>(i));
      if (!add(l, -1)) {
        lua_pushinteger(l, static_cast<lua_Integer>(i));
        note_key(l, -1);
        lua_pop(l, 2);
        return false;
      }
      lua_pop(l, 1);
    }
    return true;
  }
  if (!writer_.begin_map(members)) return false;
  lua_pushnil(l);
  while (lua_next(l, index)) {
    if (!add(l, -2) || !add(l, -1)) {
      note_key(l, -2);
      lua_pop(l, 2);
      return false;
    }
    lua_pop(l, 1);
  }
  return true;
}

result<bytes> body_codec::finish() {
  const auto fault = writer_.fault();
  if (fault == body_fault::none) return writer_.finish();
  auto why = to_error(fault, limits_);
  if (fault == body_fault::not_data) why.message = "body: " + refused_ + " is no plain data";
  if (!where_.empty()) why.message += " (at " + where_ + ")";
  writer_.restart(limits_);
  return why;
}

result<bytes> body_codec::pack(lua_State* l, int index) {
  if (scalar_body body; pack_scalar(l, index, body)) return bytes(body.view());
  begin();
  add(l, index);
  return finish();
}

result<bytes> body_codec::pack_list(lua_State* l, int first, int last) {
  if (scalar_body body; pack_scalars(l, first, last, body)) return bytes(body.view());
  if (!begin_list(static_cast<std::size_t>(last) + 1 - static_cast<std::size_t>(first)))
    return finish();
  for (int i = first; i <= last; ++i) {
    if (add(l, i)) continue;
    if (where_.size() < 200) where_ = "argument " + std::to_string(i - first + 1) + where_;
    break;
  }
  return finish();
}

result<value> body_codec::to_value(lua_State* l, int index) {
  TROUPE_TRY(body, pack(l, index));
  return troupe::unpack(body.view(), limits_);
}

// -- addresses, null, marks -----------------------------------------------------------------------

namespace {

/// Pushes the table of the known addresses: what they stand for may be collected.
void push_known_addresses(lua_State* l) {
  if (lua_rawgetp(l, LUA_REGISTRYINDEX, &known_addresses) == LUA_TTABLE) return;
  lua_pop(l, 1);
  lua_newtable(l);
  lua_createtable(l, 0, 1);
  lua_pushliteral(l, "v");
  lua_setfield(l, -2, "__mode");
  lua_setmetatable(l, -2);
  lua_pushvalue(l, -1);
  lua_rawsetp(l, LUA_REGISTRYINDEX, &known_addresses);
}

}  // namespace

void push_address(lua_State* l, const address& a) {
  if (!a) return lua_pushnil(l);
  const auto wire = to_wire(a);
  push_known_addresses(l);
  lua_pushlstring(l, wire.data(), wire.size());
  lua_pushvalue(l, -1);
  if (lua_rawget(l, -3) == LUA_TUSERDATA) {
    auto* known = static_cast<address*>(lua_touserdata(l, -1));
    if (a.slot != 0) known->slot = a.slot;
  } else {
    lua_pop(l, 1);
    new (lua_newuserdatauv(l, sizeof(address), 0)) address(a);
    push_type(l, &address_type, "address", {"__tostring", print_address});
    lua_setmetatable(l, -2);
    lua_pushvalue(l, -2);
    lua_pushvalue(l, -2);
    lua_rawset(l, -5);
  }
  lua_replace(l, -3);
  lua_pop(l, 1);
}

const address* to_address(lua_State* l, int index) {
  if (lua_type(l, index) != LUA_TUSERDATA || !is_of_type(l, index, &address_type)) return nullptr;
  return static_cast<const address*>(lua_touserdata(l, index));
}

const address* body_codec::address_at(lua_State* l, int index) const {
  if (lua_type(l, index) != LUA_TUSERDATA || lua_getmetatable(l, index) == 0) return nullptr;
  if (address_type_ == nullptr) {
    lua_rawgetp(l, LUA_REGISTRYINDEX, &address_type);
    address_type_ = lua_topointer(l, -1);
    lua_pop(l, 1);
  }
  const bool is_one = lua_topointer(l, -1) == address_type_;
  lua_pop(l, 1);
  return is_one ? static_cast<const address*>(lua_touserdata(l, index)) : nullptr;
}

void body_codec::learn_slot(lua_State* l, int index, const address& from) const {
  auto* known = const_cast<address*>(address_at(l, index));
  if (known != nullptr && known->slot == 0 && *known == from) known->slot = from.slot;
}

void push_null(lua_State* l) {
  lua_pushlightuserdata(l, nullptr);
}

bool is_null(lua_State* l, int index) {
  return lua_islightuserdata(l, index) && lua_touserdata(l, index) == nullptr;
}

void mark_as_map(lua_State* l, int index) {
  index = lua_absindex(l, index);
  push_type(l, &map_mark, "table");
  lua_setmetatable(l, index);
}

void mark_as_list(lua_State* l, int index) {
  index = lua_absindex(l, index);
  push_type(l, &list_mark, "table");
  lua_setmetatable(l, index);
}

}  // namespace troupe::script
