// SPDX-License-Identifier: Apache-2.0
//
// require("troupe.log"): a fixed sentence plus fields, for operators.
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

bool write(lua_State* l, lua_agent& a, log_level level) noexcept {
  value::map fields;
  if (!lua_isnoneornil(l, 2)) {
    auto given = a.codec().to_value(l, 2);
    if (!given) {
      a.keep(given.error());
      return false;
    }
    fields = given->as_map();
  }
  if (auto* ctx = a.ctx_or_null()) ctx->log(level, to_text(l, 1), std::move(fields));
  return true;
}

template <log_level Level>
int log_at(lua_State* l) {
  auto& a = lua_agent::of(l);
  luaL_checkstring(l, 1);
  if (!lua_isnoneornil(l, 2)) luaL_checktype(l, 2, LUA_TTABLE);
  return write(l, a, Level) ? 0 : a.raise(l);
}

}  // namespace

int open_log(lua_State* l) {
  static const luaL_Reg functions[] = {{"debug", log_at<log_level::debug>},
                                       {"info", log_at<log_level::info>},
                                       {"warning", log_at<log_level::warning>},
                                       {"error", log_at<log_level::error>},
                                       {nullptr, nullptr}};
  luaL_newlib(l, functions);
  return 1;
}

}  // namespace troupe::script
