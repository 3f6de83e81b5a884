// SPDX-License-Identifier: Apache-2.0
//
// require("troupe.time"): the runtime's clocks, which a test can move.
#include <cmath>
#include <ctime>

#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

int now(lua_State* l) {
  const auto wall = lua_agent::of(l).ctx(l, "time.now").wall().time_since_epoch();
  lua_pushnumber(l, to_seconds(std::chrono::duration_cast<duration>(wall)));
  return 1;
}

int monotonic(lua_State* l) {
  const auto t = lua_agent::of(l).ctx(l, "time.monotonic").now().time_since_epoch();
  lua_pushnumber(l, to_seconds(std::chrono::duration_cast<duration>(t)));
  return 1;
}

/// RFC 3339 in UTC, with milliseconds if there are any.
int format(lua_State* l) {
  const double t = luaL_checknumber(l, 1);
  // Years 0 to 9999: what the form can hold.
  luaL_argcheck(l, t >= -62167219200.0 && t < 253402300800.0, 1, "a time out of range");
  double whole = std::floor(t);
  int ms = static_cast<int>(std::lround((t - whole) * 1000));
  if (ms == 1000) {
    ms = 0;
    whole += 1;
  }
  const auto seconds = static_cast<std::time_t>(whole);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[64];
  auto n = std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
  if (ms != 0)
    n += static_cast<std::size_t>(std::snprintf(text + n, sizeof(text) - n, ".%03d", ms));
  text[n++] = 'Z';
  lua_pushlstring(l, text, n);
  return 1;
}

}  // namespace

int open_time(lua_State* l) {
  static const luaL_Reg functions[] = {
      {"now", now}, {"monotonic", monotonic}, {"format", format}, {nullptr, nullptr}};
  luaL_newlib(l, functions);
  return 1;
}

}  // namespace troupe::script
