// SPDX-License-Identifier: Apache-2.0
#include "script/modules.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/nearest.hpp"
#include "script/errors.hpp"
#include "script/internals.hpp"
#include "script/library.hpp"
#include "script/lua_agent.hpp"

namespace troupe::script {

namespace {

struct c_module {
  std::string_view name;
  lua_CFunction open;
};
constexpr c_module c_modules[] = {{"troupe", open_troupe},
                                  {"troupe.timer", open_timer},
                                  {"troupe.json", open_json},
                                  {"troupe.log", open_log},
                                  {"troupe.time", open_time}};

const library_module* find_library_module(std::string_view name) {
  for (const auto& m : library())
    if (m.name == name) return &m;
  return nullptr;
}

/// Part of another module's face.
bool is_private(std::string_view name) {
  return name.starts_with("troupe._");
}

bool load_library_module(lua_State* l, std::string_view name) noexcept {
  auto& a = lua_agent::of(l);
  const auto* m = find_library_module(name);
  if (m == nullptr) {
    a.keep({errc::not_found, "no module is called " + std::string(name)});
    return false;
  }
  auto done = state::of(l).load(l, m->source, std::string(m->chunkname));
  if (!done) a.keep(done.error());
  return static_cast<bool>(done);
}

/// Puts a member into the module at index 1, and leaves it on top.
void bring_in(lua_State* l, const member& m) {
  if (m.function != nullptr) {
    lua_pushcfunction(l, m.function);
  } else {
    lua_pushstring(l, m.from);
    push_library_module(l, -1);
    lua_replace(l, -2);
  }
  lua_pushstring(l, m.name);
  lua_pushvalue(l, -2);
  lua_rawset(l, 1);
}

const member* all_members(lua_State* l) {
  return static_cast<const member*>(lua_touserdata(l, lua_upvalueindex(1)));
}

/// `__index` of a module.
int find_member(lua_State* l) {
  lua_settop(l, 2);
  if (lua_type(l, 2) != LUA_TSTRING) return 0;
  const auto name = to_text(l, 2);
  for (const auto* m = all_members(l); m->name != nullptr; ++m) {
    if (name != m->name) continue;
    bring_in(l, *m);
    return 1;
  }
  return 0;
}

/// `__pairs` of a module.
int go_through_members(lua_State* l) {
  lua_settop(l, 1);
  for (const auto* m = all_members(l); m->name != nullptr; ++m) {
    lua_pushstring(l, m->name);
    if (lua_rawget(l, 1) == LUA_TNIL) bring_in(l, *m);
    lua_settop(l, 1);
  }
  lua_pushcfunction(l, base_function("next"));
  lua_pushvalue(l, 1);
  return 2;
}

}  // namespace

result<module> lua_agent::find_module(std::string_view name) noexcept {
  module m;
  if (name == "troupe" || name.starts_with("troupe.")) {
    for (const auto& known : c_modules)
      if (known.name == name) m.open = known.open;
    if (find_library_module(name) != nullptr && !is_private(name)) m.open = open_library_module;
    if (m.open != nullptr) return m;
    std::vector<std::string_view> names;
    for (const auto& known : c_modules)
      names.push_back(known.name);
    for (const auto& known : library())
      if (!is_private(known.name)) names.push_back(known.name);
    return error(errc::not_found, unknown_name("module", name, names));
  }
  TROUPE_TRY(read, read_module(*with_.script, name));
  note_module(*read);
  m.source = read->source;
  m.chunkname = "@" + read->file;
  return m;
}

void lua_agent::note_module(const program& read) {
  if (std::find(modules_.begin(), modules_.end(), read.file) == modules_.end())
    modules_.push_back(read.file);
  if (with_.shared->reads) with_.shared->reads(path_of(read.file, read.folder));
}

void lua_agent::print(std::string_view line) noexcept {
  if (auto* ctx = ctx_or_null()) ctx->log(log_level::info, line, {{"print", true}});
}

void push_module(lua_State* l, const member* all) {
  luaL_checkstack(l, 6, "module");
  lua_createtable(l, 0, 4);
  lua_createtable(l, 0, 2);
  lua_pushlightuserdata(l, const_cast<member*>(all));
  static const luaL_Reg events[] = {
      {"__index", find_member}, {"__pairs", go_through_members}, {nullptr, nullptr}};
  luaL_setfuncs(l, events, 1);
  lua_setmetatable(l, -2);
}

void push_library_module(lua_State* l, int index) {
  index = lua_absindex(l, index);
  luaL_checkstack(l, 4, "module");
  if (!load_library_module(l, to_text(l, index))) lua_agent::of(l).raise(l);
  lua_pushvalue(l, index);
  push_core(l);
  lua_call(l, 2, 1);
}

int open_library_module(lua_State* l) {
  luaL_checktype(l, 1, LUA_TSTRING);
  push_library_module(l, 1);
  return 1;
}

const address* check_target(lua_State* l, int index) {
  if (lua_type(l, index) == LUA_TSTRING) {
    luaL_argcheck(l, lua_rawlen(l, index) > 0, index, "a name is not empty");
    return nullptr;
  }
  const auto* a = lua_agent::of(l).codec().address_at(l, index);
  luaL_argexpected(l, a != nullptr, index, "address or name");
  return a;
}

target to_target(lua_State* l, int index, const address* checked) {
  if (checked != nullptr) return *checked;
  return std::string(to_text(l, index));
}

std::string_view check_verb(lua_State* l, int index) {
  luaL_argexpected(l, lua_type(l, index) == LUA_TSTRING, index, "verb");
  const auto verb = to_text(l, index);
  luaL_argcheck(l, !verb.empty(), index, "a verb is not empty");
  luaL_argcheck(l, verb[0] != '@' || verb == inspect_verb, index,
                "verbs that begin with @ belong to the runtime");
  return verb;
}

std::string_view to_text(lua_State* l, int index) {
  std::size_t n = 0;
  const char* text = lua_tolstring(l, index, &n);
  return {text, n};
}

double check_seconds(lua_State* l, int index) {
  const double s = luaL_checknumber(l, index);
  luaL_argcheck(l, s >= 0, index, std::isnan(s) ? "seconds: not a number" : "seconds: below zero");
  return s;
}

int push_answer(lua_State* l, int, lua_KContext how) {
  auto& a = lua_agent::of(l);
  auto& answer = a.current().answer;
  luaL_checkstack(l, 8, "answer");
  const bool failed = answer->kind == kind::error;
  if (how == answer_true && !failed) {
    answer.reset();
    lua_pushboolean(l, 1);
    return 1;
  }
  if (how == answer_of_call && answer->from.slot != 0) a.codec().learn_slot(l, 1, answer->from);
  if (failed) lua_pushnil(l);
  if (!a.codec().unpack(l, answer->body.view())) {
    a.keep(a.codec().why());
    answer.reset();
    return a.push_failure(l);
  }
  answer.reset();
  if (failed) {
    dress_error(l, -1);
    return 2;
  }
  return 1;
}

void new_handle_type(lua_State* l, const char* name, const luaL_Reg* methods,
                     lua_CFunction finish) {
  if (luaL_newmetatable(l, name)) {
    lua_newtable(l);
    luaL_setfuncs(l, methods, 0);
    lua_setfield(l, -2, "__index");
    lua_pushboolean(l, 0);
    lua_setfield(l, -2, "__metatable");
    if (finish != nullptr) {
      lua_pushcfunction(l, finish);
      lua_setfield(l, -2, "__gc");
      lua_pushcfunction(l, finish);
      lua_setfield(l, -2, "__close");
    }
  }
  lua_pop(l, 1);
}

}  // namespace troupe::script
