// SPDX-License-Identifier: Apache-2.0
//
// The functions of Lua's base library that can't be the stock ones: they would load bytecode, let
// finalizers in, run a handler where nothing can interrupt it, or see that globals are lazy.
#include <algorithm>
#include <cstring>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

/// Text of a chunk that `load` compiles: the compiler can't be interrupted (about 30 ms).
constexpr std::size_t max_loaded_text = 1u << 20;

// -- metatables

int base_getmetatable(lua_State* L) {
  luaL_checkany(L, 1);
  if (internals::is_lazy_globals(L, 1) || lua_getmetatable(L, 1) == 0) {
    lua_pushnil(L);
    return 1;
  }
  luaL_getmetafield(L, 1, "__metatable");  // pushes nothing if there is none
  return 1;
}

int base_setmetatable(lua_State* L) {
  const int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (internals::is_lazy_globals(L, 1)) internals::complete_globals(L);
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    // Lua looks for it here and at no other time.
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L,
                        "setmetatable: there are no finalizers (__gc) in a script; "
                        "use a local with <close>");
    lua_pop(L, 1);
#if LUA_VERSION_RELEASE_NUM < 50406
    // Lua 5.4.4 (Debian 12): where a __concat makes the stack move, luaV_concat goes on with a
    // pointer to where it was, and the process is lost.
    lua_pushliteral(L, "__concat");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L,
                        "setmetatable: __concat can bring down the node in this Lua (" LUA_RELEASE
                        "); use __tostring and tostring(x) .. y");
    lua_pop(L, 1);
#endif
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}

// -- iteration

int base_next(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (internals::is_lazy_globals(L, 1)) internals::complete_globals(L);
  lua_settop(L, 2);
  if (lua_next(L, 1) != 0) return 2;
  lua_pushnil(L);
  return 1;
}

int after_pairs(lua_State*, int, lua_KContext) {
  return 3;
}

int base_pairs(lua_State* L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
    lua_pushcfunction(L, base_next);
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    return 3;
  }
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 3, 0, after_pairs);
  return 3;
}

int base_rawget(lua_State* L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lua_pushvalue(L, 2);
  if (lua_rawget(L, 1) == LUA_TNIL && internals::is_lazy_globals(L, 1)) {
    lua_settop(L, 2);
    lua_gettable(L, 1);
  }
  return 1;
}

// -- calls

/// Stands between an xpcall and its handler. Once `busy` is over the handler is skipped: it would
/// run inside the hook that raised, where nothing can interrupt it.
int guarded_handler(lua_State* L) {
  if (internals::is_raising(L)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

int after_xpcall(lua_State* L, int status, lua_KContext) {
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_pushboolean(L, 0);
    lua_insert(L, -2);
    return settle(L, 2);
  }
  lua_pushboolean(L, 1);
  lua_replace(L, 1);  // over the handler
  return lua_gettop(L);
}

int base_xpcall(lua_State* L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, guarded_handler, 1);
  lua_pushvalue(L, 1);
  lua_replace(L, 2);
  lua_replace(L, 1);  // guard, function, arguments
  const int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 1, 0, after_xpcall);
  return after_xpcall(L, status, 0);
}

// -- code

struct reading {
  std::size_t size = 0;
};

constexpr int piece_slot = 5;  // above the arguments of `load`: keeps the piece that is compiled

const char* read_piece(lua_State* L, void* data, std::size_t* size) {
  luaL_checkstack(L, 2, "too many nested functions");
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    *size = 0;
    return nullptr;
  }
  if (lua_isstring(L, -1) == 0) luaL_error(L, "reader function must return a string");
  lua_replace(L, piece_slot);
  const char* piece = lua_tolstring(L, piece_slot, size);
  auto& so_far = static_cast<reading*>(data)->size;
  so_far += *size;
  if (so_far > max_loaded_text) luaL_error(L, "load: the text is longer than 1 MiB");
  return piece;
}

/// Text only, whatever mode is asked for: Lua does not verify bytecode.
int base_load(lua_State* L) {
  const char* mode = luaL_optstring(L, 3, "bt");
  const bool with_environment = !lua_isnone(L, 4);
  if (std::strchr(mode, 't') == nullptr) {
    lua_pushnil(L);
    lua_pushfstring(L, "load: mode '%s' lets no text in, and bytecode is never let in", mode);
    return 2;
  }
  std::size_t size = 0;
  int status;
  if (const char* text = lua_tolstring(L, 1, &size); text != nullptr) {
    const char* name = luaL_optstring(L, 2, text);
    if (size > max_loaded_text) {
      lua_pushnil(L);
      lua_pushliteral(L, "load: the text is longer than 1 MiB");
      return 2;
    }
    status = luaL_loadbufferx(L, text, size, name, "t");
  } else {
    const char* name = luaL_optstring(L, 2, "=(load)");
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, piece_slot);
    reading so_far;
    status = lua_load(L, read_piece, &so_far, name, "t");
  }
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return settle(L, 2);
  }
  if (with_environment) {
    lua_pushvalue(L, 4);
    if (lua_setupvalue(L, -2, 1) == nullptr) lua_pop(L, 1);
  }
  return settle(L, 1);
}

// -- modules

/// The address is the key of the table of loaded modules in the registry.
const char modules_key = 0;

/// Takes back the mark of a module that is being loaded, when that ends in whatever way.
int end_loading(lua_State* L) {
  lua_getiuservalue(L, 1, 1);  // modules
  lua_getiuservalue(L, 1, 2);  // name
  lua_pushvalue(L, -1);
  lua_rawget(L, -3);
  if (lua_islightuserdata(L, -1) && lua_touserdata(L, -1) == &modules_key) {
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_rawset(L, -3);
  }
  return 0;
}

// Stack of `require`: 1 name, 2 modules, 3 the mark's guard, 4 result.

int after_require(lua_State* L, int, lua_KContext) {
  if (lua_isnil(L, 4)) {  // a module that returns nothing is true, as in Lua
    lua_pushboolean(L, 1);
    lua_replace(L, 4);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, 4);
  lua_rawset(L, 2);
  lua_pushvalue(L, 4);
  return 1;
}

void push_guard(lua_State* L) {
  lua_newuserdatauv(L, 0, 2);
  lua_pushvalue(L, 2);
  lua_setiuservalue(L, -2, 1);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 2);
  lua_createtable(L, 0, 1);
  lua_pushcfunction(L, end_loading);
  lua_setfield(L, -2, "__close");
  lua_setmetatable(L, -2);
}

int base_require(lua_State* L) {
  luaL_checktype(L, 1, LUA_TSTRING);
  lua_settop(L, 1);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
  }
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) != LUA_TNIL) {
    if (lua_islightuserdata(L, 3) && lua_touserdata(L, 3) == &modules_key)
      return luaL_error(L, "module %s requires itself, or a module that requires it",
                        lua_tostring(L, 1));
    return 1;
  }
  lua_pop(L, 1);

  auto& s = state::of(L);
  std::size_t size = 0;
  const char* name = lua_tolstring(L, 1, &size);
  const auto* found = internals::find_module(s, {name, size});
  if (found == nullptr) return luaL_error(L, "module %s: %s", name, internals::problem(s).c_str());

  push_guard(L);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, const_cast<char*>(&modules_key));
  lua_rawset(L, 2);
  lua_toclose(L, 3);
  if (found->open != nullptr) {
    lua_pushcfunction(L, found->open);
  } else if (internals::compile(s, L, found->source, found->chunkname.c_str()) != LUA_OK) {
    return lua_error(L);
  }
  internals::forget_module(s);
  lua_pushvalue(L, 1);
  lua_callk(L, 1, 1, 0, after_require);
  return after_require(L, LUA_OK, 0);
}

/// Calls f(index of the table of loaded modules) with each of the script's own on top, name below
/// value; f leaves both there. Leaves something pushed.
template <class F>
void each_own_module(lua_State* L, F f) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key) != LUA_TTABLE) return;
  const int modules = lua_gettop(L);
  lua_pushnil(L);
  while (lua_next(L, modules)) {
    const std::string_view name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";
    const bool is_ours = name == "troupe" || name.starts_with("troupe.");
    if (!is_ours && !lua_islightuserdata(L, -1)) f(modules);
    lua_pop(L, 1);
  }
}

void drop_module(lua_State* L, int modules) {
  lua_pushvalue(L, -2);
  lua_pushnil(L);
  lua_rawset(L, modules);
}

// -- the rest

int base_print(lua_State* L) {
  const int n = lua_gettop(L);
  luaL_Buffer line;
  luaL_buffinit(L, &line);
  for (int i = 1; i <= n; ++i) {
    if (i > 1) luaL_addchar(&line, '\t');
    luaL_tolstring(L, i, nullptr);
    luaL_addvalue(&line);
    check_busy(L);
  }
  luaL_pushresult(&line);
  std::size_t size = 0;
  const char* text = lua_tolstring(L, -1, &size);
  internals::print(state::of(L), {text, size});
  return settle(L, 0);
}

int base_tostring(lua_State* L) {
  luaL_checkany(L, 1);
  luaL_tolstring(L, 1, nullptr);
  return settle(L, 1);
}

/// Only what harms nobody: a script can't stop or slow down the collector of its state.
int base_collectgarbage(lua_State* L) {
  static const char* const options[] = {"collect", "count", "step", "isrunning", nullptr};
  switch (luaL_checkoption(L, 1, "collect", options)) {
    case 0:
      lua_gc(L, LUA_GCCOLLECT);
      lua_pushinteger(L, 0);
      return 1;
    case 1:
      lua_pushnumber(L, lua_gc(L, LUA_GCCOUNT) + lua_gc(L, LUA_GCCOUNTB) / 1024.0);
      return 1;
    case 2:
      lua_pushboolean(L, lua_gc(L, LUA_GCSTEP, 0));
      return 1;
    default:
      lua_pushboolean(L, 1);
      return 1;
  }
}

}  // namespace

lua_CFunction base_function(std::string_view name) {
  struct named {
    std::string_view name;
    lua_CFunction f;
  };
  static constexpr named ours[] = {
      {"collectgarbage", base_collectgarbage},
      {"getmetatable", base_getmetatable},
      {"load", base_load},
      {"next", base_next},
      {"pairs", base_pairs},
      {"print", base_print},
      {"rawget", base_rawget},
      {"require", base_require},
      {"setmetatable", base_setmetatable},
      {"tostring", base_tostring},
      {"xpcall", base_xpcall},
  };
  const auto* found = std::find_if(std::begin(ours), std::end(ours),
                                   [&](const named& x) { return x.name == name; });
  return found == std::end(ours) ? nullptr : found->f;
}

void push_own_modules(lua_State* L) {
  lua_newtable(L);
  const int kept = lua_gettop(L);
  each_own_module(L, [&](int) {
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, kept);
  });
  lua_settop(L, kept);
}

void drop_own_modules(lua_State* L) {
  const int top = lua_gettop(L);
  each_own_module(L, [&](int modules) { drop_module(L, modules); });
  lua_settop(L, top);
}

void put_back_modules(lua_State* L, int index) {
  drop_own_modules(L);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key) != LUA_TTABLE) return lua_pop(L, 1);
  lua_pushnil(L);
  while (lua_next(L, index)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, -4);
  }
  lua_pop(L, 1);
}

}  // namespace troupe::script
