// SPDX-License-Identifier: Apache-2.0
//
// `string`: the stock functions where they are linear in what they get, ours where the stock ones
// can run for minutes in C (patterns, plain search, rep) or let bytecode out (dump is missing).
#include <cctype>
#include <cstring>
#include <limits>

#include "script/binding.hpp"
#include "script/internals.hpp"
#include "script/matcher.hpp"

namespace troupe::script {

namespace {

std::string_view check_text(lua_State* L, int index) {
  std::size_t size = 0;
  const char* text = luaL_checklstring(L, index, &size);
  return {text, size};
}

/// Where a search begins, from a script's 1-based and possibly negative position; may be above
/// size.
std::size_t start_from(lua_Integer at, std::size_t size) {
  if (at > 0) return static_cast<std::size_t>(at) - 1;
  if (at == 0 || at < -static_cast<lua_Integer>(size)) return 0;
  return size - static_cast<std::size_t>(-at);
}

bool take_anchor(std::string_view& pattern) {
  if (!pattern.starts_with('^')) return false;
  pattern.remove_prefix(1);
  return true;
}

// -- find and match

int find_plain(lua_State* L, std::string_view text, std::size_t init, std::string_view what) {
  // memmem is linear in both, unlike a loop of memchr and memcmp.
  const char* rest = text.data() + init;
  const auto* at =
      what.empty()
          ? rest
          : static_cast<const char*>(memmem(rest, text.size() - init, what.data(), what.size()));
  if (at == nullptr) {
    lua_pushnil(L);
    return 1;
  }
  const auto begin = static_cast<lua_Integer>(at - text.data());
  lua_pushinteger(L, begin + 1);
  lua_pushinteger(L, begin + static_cast<lua_Integer>(what.size()));
  return 2;
}

int find_or_match(lua_State* L, bool find) {
  const auto text = check_text(L, 1);
  auto pattern = check_text(L, 2);
  const auto init = start_from(luaL_optinteger(L, 3, 1), text.size());
  if (init > text.size()) {
    lua_pushnil(L);
    return 1;
  }
  constexpr std::string_view special = "^$*+?.([%-";
  if (find && (lua_toboolean(L, 4) != 0 || pattern.find_first_of(special) == pattern.npos))
    return find_plain(L, text, init, pattern);
  const bool anchored = take_anchor(pattern);
  matcher m(L, text, pattern);
  for (const char* s = text.data() + init; s <= m.end(); ++s) {
    if (const char* e = m.match_at(s); e != nullptr) {
      if (!find) return m.push_captures(s, e);
      lua_pushinteger(L, s - m.begin() + 1);
      lua_pushinteger(L, e - m.begin());
      return m.push_captures(nullptr, nullptr) + 2;
    }
    if (anchored) break;
  }
  lua_pushnil(L);
  return 1;
}

int string_find(lua_State* L) {
  return find_or_match(L, true);
}

int string_match(lua_State* L) {
  return find_or_match(L, false);
}

// -- gmatch

/// Offsets into the text; the texts are upvalues.
struct walk {
  std::size_t next;
  std::size_t last_end;  // an empty match there would be the same one again
};
constexpr auto nowhere = std::numeric_limits<std::size_t>::max();

int next_match(lua_State* L) {
  std::size_t size = 0;
  const char* data = lua_tolstring(L, lua_upvalueindex(1), &size);
  const std::string_view text(data, size);
  data = lua_tolstring(L, lua_upvalueindex(2), &size);
  const std::string_view pattern(data, size);
  auto& at = *static_cast<walk*>(lua_touserdata(L, lua_upvalueindex(3)));
  matcher m(L, text, pattern);
  for (auto i = at.next; i <= text.size(); ++i) {
    const char* s = text.data() + i;
    const char* e = m.match_at(s);
    if (e == nullptr) continue;
    const auto end = static_cast<std::size_t>(e - text.data());
    if (end == at.last_end) continue;
    at.next = at.last_end = end;
    return m.push_captures(s, e);
  }
  return 0;
}

int string_gmatch(lua_State* L) {
  const auto text = check_text(L, 1);
  check_text(L, 2);
  const auto init = start_from(luaL_optinteger(L, 3, 1), text.size());
  lua_settop(L, 2);
  auto* at = static_cast<walk*>(lua_newuserdatauv(L, sizeof(walk), 0));
  *at = {init > text.size() ? text.size() + 1 : init, nowhere};
  lua_pushcclosure(L, next_match, 3);
  return 1;
}

// -- gsub

/// `%1` and the like in a replacement text.
void add_replacement(lua_State* L, matcher& m, luaL_Buffer& out, const char* s, const char* e) {
  std::size_t size = 0;
  const char* data = lua_tolstring(L, 3, &size);
  std::string_view rest(data, size);
  for (;;) {
    const auto at = rest.find('%');
    luaL_addlstring(&out, rest.data(), at == rest.npos ? rest.size() : at);
    if (at == rest.npos) return;
    const char c = rest.data()[at + 1];  // a NUL at the end
    rest.remove_prefix(at + 1);
    if (c == '%') {
      luaL_addchar(&out, c);
    } else if (c == '0') {
      luaL_addlstring(&out, s, static_cast<std::size_t>(e - s));
    } else if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      std::string_view text;
      if (m.capture_text(c - '1', s, e, text))
        luaL_addlstring(&out, text.data(), text.size());
      else
        luaL_addvalue(&out);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
    rest.remove_prefix(1);
  }
}

/// Adds what stands for the match. False if that is the match itself.
bool add_value(lua_State* L, matcher& m, luaL_Buffer& out, const char* s, const char* e) {
  switch (lua_type(L, 3)) {
    case LUA_TFUNCTION:
      lua_pushvalue(L, 3);
      lua_call(L, m.push_captures(s, e), 1);
      break;
    case LUA_TTABLE:
      m.push_capture(0, s, e);
      lua_gettable(L, 3);
      break;
    default:
      add_replacement(L, m, out, s, e);
      return true;
  }
  if (lua_toboolean(L, -1) == 0) {
    lua_pop(L, 1);
    luaL_addlstring(&out, s, static_cast<std::size_t>(e - s));
    return false;
  }
  if (lua_isstring(L, -1) == 0)
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  luaL_addvalue(&out);
  return true;
}

int string_gsub(lua_State* L) {
  const auto text = check_text(L, 1);
  auto pattern = check_text(L, 2);
  const int type = lua_type(L, 3);
  const auto most = luaL_optinteger(L, 4, static_cast<lua_Integer>(text.size()) + 1);
  luaL_argexpected(
      L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE,
      3, "string/function/table");
  const bool anchored = take_anchor(pattern);
  matcher m(L, text, pattern);
  luaL_Buffer out;
  luaL_buffinit(L, &out);
  const char* s = m.begin();
  const char* last_end = nullptr;
  lua_Integer n = 0;
  bool changed = false;
  while (n < most) {
    check_busy(L);
    const char* e = m.match_at(s);
    if (e != nullptr && e != last_end) {
      ++n;
      changed = add_value(L, m, out, s, e) || changed;
      s = last_end = e;
    } else if (s < m.end()) {
      luaL_addchar(&out, *s++);
    } else {
      break;
    }
    if (anchored) break;
  }
  if (changed) {
    luaL_addlstring(&out, s, static_cast<std::size_t>(m.end() - s));
    luaL_pushresult(&out);
  } else {
    lua_pushvalue(L, 1);
  }
  lua_pushinteger(L, n);
  return settle(L, 2);
}

// -- rep and format

/// Copies whole blocks: the stock one copies a single byte 60 million times.
int string_rep(lua_State* L) {
  const auto text = check_text(L, 1);
  const auto n = luaL_checkinteger(L, 2);
  std::size_t separator_size = 0;
  const char* separator = luaL_optlstring(L, 3, "", &separator_size);
  if (n <= 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  constexpr auto largest = static_cast<std::size_t>(std::numeric_limits<int>::max());
  const auto unit = text.size() + separator_size;
  if (unit < text.size() || (unit > 0 && unit >= largest / static_cast<std::size_t>(n)))
    return luaL_error(L, "resulting string too large");
  const auto total = unit * static_cast<std::size_t>(n) - separator_size;
  if (total == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  luaL_Buffer out;
  char* to = luaL_buffinitsize(L, &out, total);
  std::memcpy(to, text.data(), text.size());
  std::size_t done = text.size();
  if (n > 1) {
    std::memcpy(to + done, separator, separator_size);
    done += separator_size;
  }
  while (done < total) {  // `done` stays a multiple of the unit until the last block
    const auto block = done < total - done ? done : total - done;
    std::memcpy(to + done, to, block);
    done += block;
  }
  luaL_pushresultsize(&out, total);
  return 1;
}

/// `%s` may run `__tostring`.
int string_format(lua_State* L) {
  static const auto stock = stock_function("string", "format");
  return settle(L, stock(L));
}

}  // namespace

// The same table for the global and for the methods, whichever is asked for first.
int open_string_library(lua_State* L) {
  static const field fields[] = {
      {"byte", nullptr},         {"char", nullptr},         {"find", string_find},
      {"format", string_format}, {"gmatch", string_gmatch}, {"gsub", string_gsub},
      {"len", nullptr},          {"lower", nullptr},        {"match", string_match},
      {"pack", nullptr},         {"packsize", nullptr},     {"rep", string_rep},
      {"reverse", nullptr},      {"sub", nullptr},          {"unpack", nullptr},
      {"upper", nullptr},
  };
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_remove(L, -2);
  if (lua_getfield(L, -1, "__index") != LUA_TTABLE) {
    lua_pop(L, 1);
    push_library(L, "string", fields);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, "__index");
  }
  lua_remove(L, -2);
  return 1;
}

}  // namespace troupe::script
