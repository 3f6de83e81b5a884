// SPDX-License-Identifier: Apache-2.0
#include "script/types.hpp"

namespace troupe::script {

void push_type(lua_State* l, const char* key, const char* name, metamethod method) {
  luaL_checkstack(l, 4, "metatable");
  if (lua_rawgetp(l, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(l, 1);
  lua_createtable(l, 0, method.event != nullptr ? 3 : 2);
  lua_pushstring(l, name);
  lua_setfield(l, -2, "__name");
  lua_pushboolean(l, 0);
  lua_setfield(l, -2, "__metatable");
  if (method.event != nullptr) {
    lua_pushcfunction(l, method.function);
    lua_setfield(l, -2, method.event);
  }
  lua_pushvalue(l, -1);
  lua_rawsetp(l, LUA_REGISTRYINDEX, key);
}

bool is_of_type(lua_State* l, int index, const char* key) {
  if (lua_getmetatable(l, index) == 0) return false;
  lua_rawgetp(l, LUA_REGISTRYINDEX, key);
  const bool same = lua_rawequal(l, -1, -2) != 0;
  lua_pop(l, 2);
  return same;
}

}  // namespace troupe::script
