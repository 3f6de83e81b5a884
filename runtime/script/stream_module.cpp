// SPDX-License-Identifier: Apache-2.0
//
// `troupe.stream`: the caller's end of a call in parts. The handle holds only an id, so that a
// stream that is over or collected can be told from one that lives.
#include "script/errors.hpp"
#include "script/lua_agent.hpp"
#include "script/modules.hpp"

namespace troupe::script {

namespace {

constexpr char stream_type[] = "troupe.stream";

std::uint64_t& stream_id(lua_State* l, int index) {
  return *static_cast<std::uint64_t*>(luaL_checkudata(l, index, stream_type));
}

/// Raises where the stream was closed already.
stream& check_stream(lua_State* l, int index) {
  auto* s = lua_agent::of(l).find_stream(stream_id(l, index));
  if (s == nullptr) luaL_error(l, "the stream is closed");
  return *s;
}

bool begin(lua_State* l, lua_agent& a, const address* to, std::string_view verb,
           std::uint64_t& id) noexcept {
  bytes args;
  if (!a.pack_arguments(l, 3, lua_gettop(l) - 1, args)) return false;
  id = a.open_stream(to_target(l, 1, to), verb, std::move(args));
  return true;
}

int next_part(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  auto* s = a.find_stream(stream_id(l, lua_upvalueindex(1)));
  if (s == nullptr) return luaL_error(l, "the stream was closed while it was read");
  if (a.has_to_wait(*s)) return wait(l, next_part);
  if (!a.take_part(*s)) return 0;
  auto& part = a.current().answer;
  if (!a.codec().unpack(l, part->body.view())) {
    a.keep(a.codec().why());
    return a.raise(l);
  }
  part.reset();
  if (lua_isnil(l, -1)) push_null(l);  // nil would end the loop
  return 1;
}

int ask_for_part(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "parts");
  check_can_wait(l, "parts");
  if (a.must_end()) return wait(l);
  lua_settop(l, 0);
  return next_part(l, LUA_OK, 0);
}

int parts(lua_State* l) {
  check_stream(l, 1);
  lua_settop(l, 1);
  lua_pushcclosure(l, ask_for_part, 1);
  return 1;
}

/// Parts that nobody read are dropped on the way to the answer.
int next_result(lua_State* l, int, lua_KContext) {
  auto& a = lua_agent::of(l);
  auto& s = check_stream(l, 1);
  while (a.take_part(s))
    a.current().answer.reset();
  if (a.has_to_wait(s)) return wait(l, next_result);
  if (!s.answer) return next_result(l, LUA_OK, 0);
  const bool failed = s.answer->kind == kind::error;
  if (failed) lua_pushnil(l);
  if (!a.codec().unpack(l, s.answer->body.view())) {
    a.keep(a.codec().why());
    return a.push_failure(l);
  }
  if (failed) dress_error(l, -1);
  return failed ? 2 : 1;
}

int result_of(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "result");
  check_stream(l, 1);
  check_can_wait(l, "result");
  if (a.must_end()) return wait(l);
  lua_settop(l, 1);
  return next_result(l, LUA_OK, 0);
}

int close(lua_State* l) {
  lua_agent::of(l).close_stream(stream_id(l, 1));
  return 0;
}

}  // namespace

int make_stream(lua_State* l) {
  auto& a = lua_agent::of(l);
  a.ctx(l, "troupe.stream");
  const auto* to = check_target(l, 1);
  const auto verb = check_verb(l, 2);
  check_can_wait(l, "troupe.stream");
  if (a.must_end()) return wait(l);
  static const luaL_Reg methods[] = {
      {"parts", parts}, {"result", result_of}, {"close", close}, {nullptr, nullptr}};
  new_handle_type(l, stream_type, methods, close);
  auto* id = static_cast<std::uint64_t*>(lua_newuserdatauv(l, sizeof(std::uint64_t), 0));
  *id = 0;
  luaL_setmetatable(l, stream_type);
  if (!begin(l, a, to, verb, *id)) return a.raise(l);
  if (*id == 0) {  // there may be garbage to make room
    lua_gc(l, LUA_GCCOLLECT);
    if (!begin(l, a, to, verb, *id)) return a.raise(l);
    if (*id == 0) raise_limit(l, "memory", "no memory for a stream");
  }
  return 1;
}

}  // namespace troupe::script
