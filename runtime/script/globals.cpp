// SPDX-License-Identifier: Apache-2.0
//
// What scripts find in their environment, and how it comes there: on first use. A state starts with
// an empty table of globals, whose `__index` makes what is missing; a typical agent uses five of
// thirty. Scripts don't notice: `pairs`, `next`, `rawget`, `getmetatable` and `setmetatable` are
// ours, and make everything when they meet the table of globals.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unordered_map>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

// -- the stock functions

using function_map = std::unordered_map<std::string, lua_CFunction>;

void note_functions(lua_State* L, std::string_view library, function_map& to) {
  lua_pushnil(L);
  while (lua_next(L, -2) != 0) {
    if (auto f = lua_tocfunction(L, -1); f != nullptr && lua_type(L, -2) == LUA_TSTRING)
      to.emplace(std::string(library) + '.' + lua_tostring(L, -2), f);
    lua_pop(L, 1);
  }
}

const function_map& stock_functions() {
  static const function_map all = [] {
    function_map to;
    auto* L = luaL_newstate();
    if (L == nullptr) {
      std::fputs("no memory for the libraries of Lua\n", stderr);
      std::abort();
    }
    luaL_openlibs(L);
    lua_pushglobaltable(L);
    note_functions(L, "", to);
    for (const char* library : {"string", "table", "math", "utf8"}) {
      lua_getfield(L, -1, library);
      note_functions(L, library, to);
      lua_pop(L, 1);
    }
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    note_functions(L, "metatable", to);
    lua_close(L);
    return to;
  }();
  return all;
}

// -- what there is

int open_math_library(lua_State* L) {
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_getfield(L, -1, "randomseed");  // it was seeded from the clock and an address
  lua_pushinteger(L, static_cast<lua_Integer>(internals::seed(state::of(L))));
  lua_call(L, 1, 0);
  return 1;
}

int open_utf8_library(lua_State* L) {
  lua_pushcfunction(L, luaopen_utf8);
  lua_call(L, 0, 1);
  return 1;
}

int push_globals(lua_State* L) {
  lua_pushglobaltable(L);
  return 1;
}

int push_version(lua_State* L) {
  lua_pushliteral(L, LUA_VERSION);
  return 1;
}

struct global {
  std::string_view name;
  /// Pushes a library; null: a function of the base library, stock or ours.
  int (*open)(lua_State* L);
};

// Sorted. Not there: collectgarbage's dangerous half, dofile, io, loadfile, os (troupe.time has
// what is harmless of it), package, warn; of debug only traceback.
constexpr global all_globals[] = {
    {"_G", push_globals},
    {"_VERSION", push_version},
    {"assert", nullptr},
    {"collectgarbage", nullptr},
    {"coroutine", open_coroutine_library},
    {"debug", open_debug_library},
    {"error", nullptr},
    {"getmetatable", nullptr},
    {"ipairs", nullptr},
    {"load", nullptr},
    {"math", open_math_library},
    {"next", nullptr},
    {"pairs", nullptr},
    {"pcall", nullptr},
    {"print", nullptr},
    {"rawequal", nullptr},
    {"rawget", nullptr},
    {"rawlen", nullptr},
    {"rawset", nullptr},
    {"require", nullptr},
    {"select", nullptr},
    {"setmetatable", nullptr},
    {"string", open_string_library},
    {"table", open_table_library},
    {"tonumber", nullptr},
    {"tostring", nullptr},
    {"type", nullptr},
    {"utf8", open_utf8_library},
    {"xpcall", nullptr},
};

void push_global(lua_State* L, const global& g) {
  if (g.open != nullptr) {
    g.open(L);
  } else {
    const auto own = base_function(g.name);
    lua_pushcfunction(L, own != nullptr ? own : stock_function("", g.name));
  }
}

/// The global that is named by the value at `index`, or null.
const global* find_global(lua_State* L, int index) {
  if (lua_type(L, index) != LUA_TSTRING) return nullptr;
  std::size_t size = 0;
  const char* text = lua_tolstring(L, index, &size);
  const std::string_view name(text, size);
  const auto* g = std::lower_bound(std::begin(all_globals), std::end(all_globals), name,
                                   [](const global& x, std::string_view y) { return x.name < y; });
  return g != std::end(all_globals) && g->name == name ? g : nullptr;
}

/// `__newindex` of the table of globals: what a script takes away must not come back.
int new_global(lua_State* L) {
  if (lua_isnil(L, 3) && find_global(L, 2) != nullptr) internals::complete_globals(L);
  lua_settop(L, 3);
  lua_rawset(L, 1);
  return 0;
}

/// `__index` of the table of globals.
int missing_global(lua_State* L) {
  const auto* g = find_global(L, 2);
  if (g == nullptr) return 0;
  push_global(L, *g);
  lua_pushvalue(L, 2);
  lua_pushvalue(L, -2);
  lua_rawset(L, 1);
  return 1;
}

// -- strings

/// `__index` of strings until a method is used for the first time.
int first_string_method(lua_State* L) {
  open_string_library(L);
  lua_pushvalue(L, 2);
  lua_gettable(L, -2);
  return 1;
}

/// Strings share one metatable in a state, so it is locked: `getmetatable("")` is false.
void open_string_metatable(lua_State* L) {
  static constexpr const char* operators[] = {"__add", "__div", "__idiv", "__mod",
                                              "__mul", "__pow", "__sub",  "__unm"};
  static const auto functions = [] {
    std::array<lua_CFunction, std::size(operators)> all{};
    for (std::size_t i = 0; i < all.size(); ++i)
      all[i] = stock_function("metatable", operators[i]);
    return all;
  }();
  lua_pushliteral(L, "");
  lua_createtable(L, 0, 10);
  for (std::size_t i = 0; i < functions.size(); ++i) {
    lua_pushcfunction(L, functions[i]);
    lua_setfield(L, -2, operators[i]);
  }
  lua_pushcfunction(L, first_string_method);
  lua_setfield(L, -2, "__index");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

}  // namespace

lua_CFunction stock_function(std::string_view library, std::string_view name) {
  const auto& all = stock_functions();
  const auto found = all.find(std::string(library) + '.' + std::string(name));
  return found == all.end() ? nullptr : found->second;
}

int internals::open_globals(lua_State* L) {
  lua_settop(L, 0);
  lua_pushglobaltable(L);
  state::of(L).globals_ = lua_topointer(L, 1);
  lua_createtable(L, 0, 2);
  lua_pushcfunction(L, missing_global);
  lua_setfield(L, -2, "__index");
  lua_pushcfunction(L, new_global);
  lua_setfield(L, -2, "__newindex");
  lua_setmetatable(L, 1);
  open_string_metatable(L);
  // Lua makes these two texts where it can't report that there is no memory for them.
  lua_createtable(L, 2, 0);
  lua_pushliteral(L, "C stack overflow");
  lua_rawseti(L, -2, 1);
  lua_pushliteral(L, "error in error handling");
  lua_rawseti(L, -2, 2);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &state::of(L));
  return 0;
}

void internals::complete_globals(lua_State* L) {
  auto& s = state::of(L);
  if (!s.lazy_) return;
  luaL_checkstack(L, 8, "no room for globals");
  lua_pushglobaltable(L);
  for (const auto& g : all_globals) {
    lua_pushlstring(L, g.name.data(), g.name.size());
    lua_pushvalue(L, -1);
    const bool there = lua_rawget(L, -3) != LUA_TNIL;
    lua_pop(L, 1);
    if (there) {
      lua_pop(L, 1);
      continue;
    }
    push_global(L, g);
    lua_rawset(L, -3);
  }
  lua_pushnil(L);
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
  s.lazy_ = false;
}

}  // namespace troupe::script
