// SPDX-License-Identifier: Apache-2.0
#include "script/errors.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "script/types.hpp"

namespace troupe::script {

namespace {

const char error_type = 0;  // key into the registry: its address

constexpr std::string_view codes[] = {
#define TROUPE_X(name, text) #name,
    TROUPE_ERROR_CODES(TROUPE_X)
#undef TROUPE_X
};

/// Whether the runtime's own errors of this code are retryable.
bool is_retryable(std::string_view code) noexcept {
  static const auto retryable = [] {
    std::array<bool, std::size(codes)> list{};
    for (std::size_t i = 0; i < list.size(); ++i)
      list[i] = error(static_cast<errc>(i), "").retryable;
    return list;
  }();
  for (std::size_t i = 0; i < retryable.size(); ++i)
    if (codes[i] == code) return retryable[i];
  return false;
}

/// Pushes `text` and a field of the record at `at` if it is set, and `after`. How many were pushed.
int push_part(lua_State* l, int at, const char* field, const char* before, const char* after) {
  lua_pushstring(l, before);
  lua_pushstring(l, field);
  if (lua_rawget(l, at) == LUA_TNIL) {
    lua_pop(l, 2);
    return 0;
  }
  luaL_tolstring(l, -1, nullptr);
  lua_remove(l, -2);
  lua_pushstring(l, after);
  return 3;
}

/// `code: message (from); because code: message`, as error::describe does it.
int print_error(lua_State* l) {
  constexpr int most_causes = 20;
  luaL_checktype(l, 1, LUA_TTABLE);
  lua_settop(l, 1);
  lua_pushvalue(l, 1);
  luaL_checkstack(l, most_causes * 12, "too many causes");
  lua_pushliteral(l, "");  // 3: the line so far
  for (int i = 0; i < most_causes; ++i) {
    int n = 1 + push_part(l, 2, "code", i == 0 ? "" : "; because ", "");
    n += push_part(l, 2, "message", ": ", "");
    n += push_part(l, 2, "from", " (", ")");
    lua_concat(l, n);
    lua_pushliteral(l, "cause");
    if (lua_rawget(l, 2) != LUA_TTABLE) {
      lua_pop(l, 1);
      break;
    }
    lua_replace(l, 2);
  }
  return 1;
}

/// `agent.lua:27` of the first line of a traceback that is a script's.
std::string first_place(std::string_view traceback) {
  while (!traceback.empty()) {
    const auto line = traceback.substr(0, traceback.find('\n'));
    if (!line.starts_with("[C]")) return std::string(line.substr(0, line.find(": in ")));
    traceback.remove_prefix(std::min(line.size() + 1, traceback.size()));
  }
  return {};
}

// No __concat, handy as it were: in Lua 5.4.4 (Debian 12) luaV_concat goes on with a pointer into a
// stack that the metamethod may have moved.
void set_error_type(lua_State* l) {
  push_type(l, &error_type, "error", {"__tostring", print_error});
  lua_setmetatable(l, -2);
}

}  // namespace

void dress_error(lua_State* l, int index) {
  luaL_checkstack(l, 4, "error record");
  lua_pushvalue(l, index);
  constexpr int most_causes = 100;  // bodies are not deeper
  for (int i = 0; i < most_causes && lua_istable(l, -1); ++i) {
    set_error_type(l);
    lua_pushliteral(l, "cause");
    lua_rawget(l, -2);
    lua_remove(l, -2);
  }
  lua_pop(l, 1);
}

bool is_error(lua_State* l, int index) {
  return lua_istable(l, index) && lua_checkstack(l, 3) && is_of_type(l, index, &error_type);
}

void push_error(lua_State* l, const char* code, const char* message) {
  luaL_checkstack(l, 4, "error record");
  lua_createtable(l, 0, 4);
  lua_pushstring(l, code);
  lua_setfield(l, -2, "code");
  lua_pushstring(l, message);
  lua_setfield(l, -2, "message");
  if (is_retryable(code)) {
    lua_pushboolean(l, 1);
    lua_setfield(l, -2, "retryable");
  }
  set_error_type(l);
}

int make_limit_error(lua_State* l) {
  push_error(l, luaL_checkstring(l, 1), luaL_checkstring(l, 2));
  lua_createtable(l, 0, 1);
  lua_pushvalue(l, 3);
  lua_setfield(l, -2, "what");
  lua_setfield(l, -2, "data");
  return 1;
}

int make_error(lua_State* l) {
  const char* code = luaL_checkstring(l, 1);
  const char* message = luaL_optstring(l, 2, "");
  luaL_argcheck(l, *code != '\0', 1, "a code expected, got an empty text");
  lua_settop(l, 3);
  push_error(l, code, message);
  if (!lua_isnil(l, 3)) {
    lua_pushvalue(l, 3);
    lua_setfield(l, -2, "data");
  }
  return 1;
}

error to_error(lua_State* l, int index, body_codec& codec) {
  if (lua_type(l, index) == LUA_TSTRING) {
    std::size_t n = 0;
    const char* text = lua_tolstring(l, index, &n);
    return {errc::failed, std::string(text, n)};
  }
  auto plain = codec.to_value(l, index);
  if (plain) return error_from(*plain);
  // Something in it can't be packed, the data most likely: keep what says most.
  error why(errc::failed, "an error that can't be sent: " + plain.error().message);
  if (!lua_istable(l, index) || !lua_checkstack(l, 3)) return why;
  index = lua_absindex(l, index);
  for (auto [field, to] : {std::pair{"code", &why.code}, std::pair{"message", &why.message}}) {
    lua_pushnil(l);
    while (lua_next(l, index)) {
      const bool is_field = lua_type(l, -2) == LUA_TSTRING &&
                            std::string_view(lua_tostring(l, -2)) == field &&
                            lua_type(l, -1) == LUA_TSTRING;
      if (is_field) *to = lua_tostring(l, -1);
      lua_pop(l, 1);
    }
  }
  why.message += " (with data that can't be sent: " + plain.error().message + ")";
  return why;
}

error failure_of(const state& s, lua_State* co, body_codec& codec) {
  const auto& failed = s.failure();
  if (!lua_istable(co, -1)) return s.failure_error(co);
  auto said = to_error(co, -1, codec);
  const auto place = first_place(failed.traceback);
  // A limit is no mistake of a line; and what no script raised says where by itself.
  if (failed.limit != nullptr || place.empty()) {
    said.traceback = failed.traceback;
    return said;
  }
  auto why = said.wrapped(errc::crash, "raised at " + place);
  why.traceback = failed.traceback;
  return why;
}

}  // namespace troupe::script
