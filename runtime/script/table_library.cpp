// SPDX-License-Identifier: Apache-2.0
//
// `table`: ours, but for `pack`. The stock functions run metamethods in loops that a script makes
// as long as it likes (`__len` may say 1 << 60). Here such loops pause, or give up.
#include <limits>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

/// What `concat` looks at, at most: four times what fits into a state of 64 MiB.
constexpr lua_Unsigned max_range = 1u << 24;

constexpr int readable = 1;
constexpr int writable = 2;
constexpr int countable = 4;

bool has_metamethod(lua_State* L, int index, const char* name) {
  if (luaL_getmetafield(L, index, name) == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

/// A table, or what can stand for one.
void check_table(lua_State* L, int index, int what) {
  if (lua_type(L, index) == LUA_TTABLE) return;
  if (((what & readable) == 0 || has_metamethod(L, index, "__index")) &&
      ((what & writable) == 0 || has_metamethod(L, index, "__newindex")) &&
      ((what & countable) == 0 || has_metamethod(L, index, "__len")))
    return;
  luaL_checktype(L, index, LUA_TTABLE);
}

lua_Integer length(lua_State* L, int what) {
  check_table(L, 1, what | countable);
  return luaL_len(L, 1);
}

/// As Lua adds integers: around.
lua_Integer plus(lua_Integer a, lua_Integer b) {
  return static_cast<lua_Integer>(static_cast<lua_Unsigned>(a) + static_cast<lua_Unsigned>(b));
}

void copy(lua_State* L, int from_table, lua_Integer from, int to_table, lua_Integer to) {
  lua_geti(L, from_table, from);
  lua_seti(L, to_table, to);
}

// -- insert: 1 table, 2 position, 3 value

int go_on_inserting(lua_State* L, int, lua_KContext at) {
  const auto position = lua_tointeger(L, 2);
  auto i = static_cast<lua_Integer>(at);
  for (; i > position; --i) {
    if (should_pause(L)) return pause(L, go_on_inserting, i);
    copy(L, 1, i - 1, 1, i);
  }
  lua_pushvalue(L, 3);
  lua_seti(L, 1, position);
  return settle(L, 0);
}

int table_insert(lua_State* L) {
  const auto end = plus(check_list(L), 1);
  switch (lua_gettop(L)) {
    case 2:
      lua_seti(L, 1, end);
      return settle(L, 0);
    case 3: {
      const auto position = luaL_checkinteger(L, 2);
      luaL_argcheck(L, static_cast<lua_Unsigned>(position) - 1u < static_cast<lua_Unsigned>(end), 2,
                    "position out of bounds");
      lua_pushinteger(L, position);  // it may have been text
      lua_replace(L, 2);
      return go_on_inserting(L, LUA_OK, end);
    }
    default:
      return luaL_error(L, "wrong number of arguments to 'insert'");
  }
}

// -- remove: 1 table, 2 size, 3 result

int go_on_removing(lua_State* L, int, lua_KContext at) {
  const auto size = lua_tointeger(L, 2);
  auto i = static_cast<lua_Integer>(at);
  for (; i < size; ++i) {
    if (should_pause(L)) return pause(L, go_on_removing, i);
    copy(L, 1, i + 1, 1, i);
  }
  lua_pushnil(L);
  lua_seti(L, 1, i);
  return settle(L, 1);
}

int table_remove(lua_State* L) {
  const auto size = check_list(L);
  const auto position = luaL_optinteger(L, 2, size);
  if (position != size)
    luaL_argcheck(L, static_cast<lua_Unsigned>(position) - 1u <= static_cast<lua_Unsigned>(size), 2,
                  "position out of bounds");
  lua_settop(L, 1);
  lua_pushinteger(L, size);
  lua_geti(L, 1, position);
  return go_on_removing(L, LUA_OK, position);
}

// -- move: 1 source, 2 first, 3 last, 4 to, 5 destination

int go_on_moving(lua_State* L, int, lua_KContext done) {
  const auto first = lua_tointeger(L, 2);
  const auto last = lua_tointeger(L, 3);
  const auto to = lua_tointeger(L, 4);
  const auto n = last - first + 1;
  const bool forwards =
      to > last || to <= first || (!lua_rawequal(L, 1, 5) && !lua_compare(L, 1, 5, LUA_OPEQ));
  for (auto i = static_cast<lua_Integer>(done); i < n; ++i) {
    if (should_pause(L)) return pause(L, go_on_moving, i);
    const auto k = forwards ? i : n - 1 - i;
    copy(L, 1, first + k, 5, to + k);
  }
  return settle(L, 1);
}

int table_move(lua_State* L) {
  const auto first = luaL_checkinteger(L, 2);
  const auto last = luaL_checkinteger(L, 3);
  const auto to = luaL_checkinteger(L, 4);
  const bool elsewhere = !lua_isnoneornil(L, 5);
  check_table(L, 1, readable);
  check_table(L, elsewhere ? 5 : 1, writable);
  lua_settop(L, 5);
  if (!elsewhere) {
    lua_pushvalue(L, 1);
    lua_replace(L, 5);
  }
  if (last < first) return 1;
  constexpr auto largest = std::numeric_limits<lua_Integer>::max();
  luaL_argcheck(L, first > 0 || last < largest + first, 3, "too many elements to move");
  luaL_argcheck(L, to <= largest - (last - first + 1) + 1, 4, "destination wrap around");
  for (int i = 2; i <= 4; ++i) {  // they may have been text
    lua_pushinteger(L, i == 2 ? first : i == 3 ? last : to);
    lua_replace(L, i);
  }
  return go_on_moving(L, LUA_OK, 0);
}

// -- concat and unpack: what they collect is no script's to see, so they can't pause

void add_element(lua_State* L, luaL_Buffer& out, lua_Integer i) {
  check_busy(L);
  lua_geti(L, 1, i);
  if (lua_isstring(L, -1) == 0)
    luaL_error(L, "invalid value (%s) at index %I in table for 'concat'", luaL_typename(L, -1),
               static_cast<LUAI_UACINT>(i));
  luaL_addvalue(&out);
}

int table_concat(lua_State* L) {
  auto last = length(L, readable);
  std::size_t separator_size = 0;
  const char* separator = luaL_optlstring(L, 2, "", &separator_size);
  auto i = luaL_optinteger(L, 3, 1);
  last = luaL_optinteger(L, 4, last);
  if (i <= last && static_cast<lua_Unsigned>(last) - static_cast<lua_Unsigned>(i) >= max_range)
    return luaL_error(L, "too many elements to concat");
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  for (; i < last; ++i) {
    add_element(L, out, i);
    luaL_addlstring(&out, separator, separator_size);
  }
  if (i == last) add_element(L, out, i);
  luaL_pushresult(&out);
  return settle(L, 1);
}

int table_unpack(lua_State* L) {
  auto i = luaL_optinteger(L, 2, 1);
  const auto last = luaL_opt(L, luaL_checkinteger, 3, luaL_len(L, 1));
  if (i > last) return 0;
  const auto more = static_cast<lua_Unsigned>(last) - static_cast<lua_Unsigned>(i);
  if (more >= static_cast<lua_Unsigned>(std::numeric_limits<int>::max()) ||
      lua_checkstack(L, static_cast<int>(more + 1)) == 0)
    return luaL_error(L, "too many results to unpack");
  for (; i < last; ++i) {
    check_busy(L);
    lua_geti(L, 1, i);
  }
  lua_geti(L, 1, last);
  return settle(L, static_cast<int>(more + 1));
}

}  // namespace

lua_Integer check_list(lua_State* L) {
  return length(L, readable | writable);
}

int open_table_library(lua_State* L) {
  static const field fields[] = {
      {"concat", table_concat}, {"insert", table_insert}, {"move", table_move},
      {"pack", nullptr},        {"remove", table_remove}, {"sort", table_sort},
      {"unpack", table_unpack},
  };
  push_library(L, "table", fields);
  return 1;
}

}  // namespace troupe::script
