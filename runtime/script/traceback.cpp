// SPDX-License-Identifier: Apache-2.0
#include "script/traceback.hpp"

#include <cstdio>
#include <cstring>

#include "script/internals.hpp"

namespace troupe::script {

void describe_frame(lua_State* L, lua_Debug& frame, char* line, std::size_t size) {
  lua_getinfo(L, "Slnt", &frame);  // none of these allocates
  char where[LUA_IDSIZE + 24];
  if (frame.currentline > 0)
    std::snprintf(where, sizeof where, "%s:%d", frame.short_src, frame.currentline);
  else
    std::snprintf(where, sizeof where, "%s", frame.short_src);
  const auto precision = 80;  // a name is the script's: as long as it likes
  if (*frame.namewhat != '\0')
    std::snprintf(line, size, "%s: in %s '%.*s'", where,
                  *frame.namewhat == 'g' ? "function" : frame.namewhat, precision, frame.name);
  else if (*frame.what == 'm')
    std::snprintf(line, size, "%s: in main chunk", where);
  else if (*frame.what != 'C')
    std::snprintf(line, size, "%s: in function <%s:%d>", where, frame.short_src, frame.linedefined);
  else
    std::snprintf(line, size, "%s: in ?", where);
}

std::string traceback(lua_State* L) {
  std::string text;
  trace(L, 0, [&](const char* line) { (text += line) += '\n'; });
  return text;
}

namespace {

/// `debug.traceback([thread,] [message [, level]])`: the one function of that library that scripts
/// have, because `xpcall(f, debug.traceback)` is how Lua programs report errors.
int debug_traceback(lua_State* L) {
  lua_State* of = L;
  int first = 1;
  if (lua_isthread(L, 1)) {
    of = lua_tothread(L, 1);
    first = 2;
  }
  if (!lua_isstring(L, first) && !lua_isnoneornil(L, first)) {
    lua_settop(L, first);  // any other message is returned untouched
    return 1;
  }
  const auto level = luaL_optinteger(L, first + 1, of == L ? 1 : 0);
  const char* message = lua_tostring(L, first);
  luaL_Buffer text;
  luaL_buffinit(L, &text);
  if (message != nullptr) {
    luaL_addstring(&text, message);
    luaL_addchar(&text, '\n');
  }
  luaL_addstring(&text, "stack traceback:");
  if (level >= 0 && level < (1 << 24)) {
    trace(of, static_cast<int>(level), [&](const char* line) {
      luaL_addstring(&text, "\n\t");
      luaL_addstring(&text, line);
    });
  }
  luaL_pushresult(&text);
  return 1;
}

}  // namespace

int open_debug_library(lua_State* L) {
  static const field fields[] = {{"traceback", debug_traceback}};
  push_library(L, "debug", fields);
  return 1;
}

}  // namespace troupe::script
