// SPDX-License-Identifier: Apache-2.0
#include "script/scalars.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace troupe::script {

namespace {

constexpr int most_scalars = 15;  // what the first byte of a short list can say

// -- MessagePack, as msgpack-cxx writes it: integers in the least bytes --------------------------

template <int Bytes>
void put(scalar_body& to, unsigned char tag, std::uint64_t x) {
  to.data[to.size++] = static_cast<char>(tag);
  for (int i = Bytes - 1; i >= 0; --i)
    to.data[to.size++] = static_cast<char>(x >> (8 * i));
}

void put_integer(scalar_body& to, std::int64_t x) {
  const auto bits = static_cast<std::uint64_t>(x);
  if (x >= -32 && x < 128) {
    to.data[to.size++] = static_cast<char>(x);
  } else if (x >= 0) {
    if (x <= UINT8_MAX)
      put<1>(to, 0xcc, bits);
    else if (x <= UINT16_MAX)
      put<2>(to, 0xcd, bits);
    else if (x <= UINT32_MAX)
      put<4>(to, 0xce, bits);
    else
      put<8>(to, 0xcf, bits);
  } else {
    if (x >= INT8_MIN)
      put<1>(to, 0xd0, bits);
    else if (x >= INT16_MIN)
      put<2>(to, 0xd1, bits);
    else if (x >= INT32_MIN)
      put<4>(to, 0xd2, bits);
    else
      put<8>(to, 0xd3, bits);
  }
}

/// What is not ASCII has to be looked at more closely.
bool is_ascii(const char* text, std::size_t n) {
  return std::all_of(text, text + n, [](char c) { return static_cast<signed char>(c) >= 0; });
}

bool put_scalar(lua_State* l, int index, scalar_body& to) {
  constexpr std::size_t most = 10;  // bytes of anything but text
  if (to.size + most > scalar_body::room) return false;
  switch (lua_type(l, index)) {
    case LUA_TNIL:
      to.data[to.size++] = '\xc0';
      return true;
    case LUA_TBOOLEAN:
      to.data[to.size++] = lua_toboolean(l, index) ? '\xc3' : '\xc2';
      return true;
    case LUA_TNUMBER: {
      if (lua_isinteger(l, index)) {
        put_integer(to, lua_tointeger(l, index));
        return true;
      }
      double x = lua_tonumber(l, index);
      if (std::isnan(x)) x = std::numeric_limits<double>::quiet_NaN();
      put<8>(to, 0xcb, std::bit_cast<std::uint64_t>(x));
      return true;
    }
    case LUA_TSTRING: {
      std::size_t n = 0;
      const char* text = lua_tolstring(l, index, &n);
      if (n > UINT8_MAX || to.size + 2 + n > scalar_body::room || !is_ascii(text, n)) return false;
      if (n < 32)
        to.data[to.size++] = static_cast<char>(0xa0 | n);
      else
        put<1>(to, 0xd9, n);
      std::memcpy(to.data + to.size, text, n);
      to.size += n;
      return true;
    }
    default:
      return false;
  }
}

std::uint64_t get(const unsigned char* at, int bytes) {
  std::uint64_t x = 0;
  for (int i = 0; i < bytes; ++i)
    x = x << 8 | at[i];
  return x;
}

/// Pushes one scalar and moves `at` behind it.
bool push_scalar(lua_State* l, const unsigned char*& at, const unsigned char* end) {
  if (at == end) return false;
  const auto tag = *at++;
  const auto left = static_cast<std::size_t>(end - at);
  const auto text = [&](std::size_t n, std::size_t header) {
    if (left < header + n) return false;
    lua_pushlstring(l, reinterpret_cast<const char*>(at + header), n);
    at += header + n;
    return true;
  };
  const auto number = [&](int bytes, bool is_signed) {
    if (left < static_cast<std::size_t>(bytes)) return false;
    auto x = get(at, bytes);
    at += bytes;
    const int unused = 64 - 8 * bytes;
    lua_pushinteger(l, is_signed ? static_cast<std::int64_t>(x << unused) >> unused
                                 : static_cast<std::int64_t>(x));
    return true;
  };
  if (tag < 0x80 || tag >= 0xe0) {
    lua_pushinteger(l, static_cast<std::int8_t>(tag));
    return true;
  }
  if ((tag & 0xe0) == 0xa0) return text(tag & 0x1f, 0);
  switch (tag) {
    case 0xc0:
      lua_pushnil(l);
      return true;
    case 0xc2:
    case 0xc3:
      lua_pushboolean(l, tag == 0xc3);
      return true;
    case 0xcb: {
      if (left < 8) return false;
      lua_pushnumber(l, std::bit_cast<double>(get(at, 8)));
      at += 8;
      return true;
    }
    case 0xcc:
      return number(1, false);
    case 0xcd:
      return number(2, false);
    case 0xce:
      return number(4, false);
    case 0xd0:
      return number(1, true);
    case 0xd1:
      return number(2, true);
    case 0xd2:
      return number(4, true);
    case 0xd3:
      return number(8, true);
    case 0xd9:
      return left >= 1 && text(*at, 1);
    default:
      return false;
  }
}

}  // namespace

bool pack_scalars(lua_State* l, int first, int last, scalar_body& to) {
  const int n = last - first + 1;
  if (n > most_scalars) return false;
  to.data[to.size++] = static_cast<char>(0x90 | n);
  for (int i = first; i <= last; ++i)
    if (!put_scalar(l, i, to)) return false;
  return true;
}

bool pack_scalar(lua_State* l, int index, scalar_body& to) {
  return put_scalar(l, index, to);
}

int unpack_scalars(lua_State* l, std::string_view data) {
  const auto* at = reinterpret_cast<const unsigned char*>(data.data());
  const auto* end = at + data.size();
  if (at == end || (*at & 0xf0) != 0x90) return -1;
  const int n = *at++ & 0x0f;
  if (!lua_checkstack(l, n + 1)) return -1;
  const int top = lua_gettop(l);
  for (int i = 0; i < n; ++i) {
    if (push_scalar(l, at, end)) continue;
    lua_settop(l, top);
    return -1;
  }
  if (at == end) return n;
  lua_settop(l, top);
  return -1;
}

bool unpack_scalar(lua_State* l, std::string_view data) {
  const auto* at = reinterpret_cast<const unsigned char*>(data.data());
  const auto* end = at + data.size();
  if (!lua_checkstack(l, 1) || !push_scalar(l, at, end)) return false;
  if (at == end) return true;
  lua_pop(l, 1);
  return false;
}

}  // namespace troupe::script
