// SPDX-License-Identifier: Apache-2.0
#include "script/app_file.hpp"

#include <algorithm>

#include "script/binding.hpp"
#include "script/body.hpp"
#include "script/errors.hpp"
#include "script/program.hpp"
#include "script/state.hpp"

namespace troupe::script {

namespace {

/// What the functions of an app file work on: the owner of its state.
struct evaluation {
  const std::string& folder;
  const app_world& world;
  app_file result;
  body_codec codec;
  std::vector<std::string> open;  ///< files that are being run, outermost first
  bool wants_library = false;
  std::string problem;  ///< outlives the frame that raises it

  static evaluation& of(lua_State* l) { return *static_cast<evaluation*>(state::of(l).owner()); }
};

// Keys into the registry: their addresses.
const char globals = 0;
const char reference_type = 0;

/// `env("NAME")`: a reference prints as it is written.
int print_reference(lua_State* l) {
  luaL_checktype(l, 1, LUA_TTABLE);
  for (const auto* kind : {"env", "file", "option"}) {
    lua_pushfstring(l, "$%s", kind);
    if (lua_rawget(l, 1) == LUA_TSTRING) {
      lua_pushfstring(l, "%s(\"%s\")", kind, lua_tostring(l, -1));
      return 1;
    }
    lua_pop(l, 1);
  }
  return 0;
}

int make_reference(lua_State* l, const char* key, bool has_default) {
  luaL_checktype(l, 1, LUA_TSTRING);
  lua_settop(l, 2);
  lua_createtable(l, 0, 2);
  lua_pushvalue(l, 1);
  lua_setfield(l, -2, key);
  if (has_default && !lua_isnil(l, 2)) {
    lua_pushvalue(l, 2);
    lua_setfield(l, -2, "default");
  }
  lua_rawgetp(l, LUA_REGISTRYINDEX, &reference_type);
  lua_setmetatable(l, -2);
  return 1;
}

int env(lua_State* l) {
  return make_reference(l, "$env", true);
}
int file(lua_State* l) {
  return make_reference(l, "$file", false);
}
int option(lua_State* l) {
  return make_reference(l, "$option", false);
}

int env_is_set(lua_State* l) {
  std::size_t n = 0;
  const char* name = luaL_checklstring(l, 1, &n);
  lua_pushboolean(l, evaluation::of(l).world.env_is_set({name, n}));
  return 1;
}

int arg(lua_State* l) {
  const auto& arguments = evaluation::of(l).world.arguments;
  const auto n = luaL_checkinteger(l, 1);
  if (n < 1 || static_cast<std::uint64_t>(n) > arguments.size()) return 0;
  const auto& text = arguments[static_cast<std::size_t>(n - 1)];
  lua_pushlstring(l, text.data(), text.size());
  return 1;
}

int cwd(lua_State* l) {
  const char* path = luaL_checkstring(l, 1);
  if (*path == '/')
    lua_pushvalue(l, 1);
  else
    lua_pushfstring(l, "%s/%s", evaluation::of(l).world.working_folder.c_str(), path);
  return 1;
}

int require(lua_State* l) {
  evaluation::of(l).wants_library = true;
  return luaL_error(l, "require");  // ends the run; nobody reads it
}

/// Reads a file and leaves its function, with the app's few globals, on top. False: `problem`.
bool load(lua_State* l, evaluation& e, const std::string& name) noexcept {
  auto read = read_program(name, e.folder);
  auto loaded =
      read ? state::of(l).load(l, (*read)->source, "@" + name) : result<void>(read.error());
  if (!loaded) {
    e.problem = loaded.error().message;
    return false;
  }
  e.open.push_back(name);
  if (std::find(e.result.files.begin(), e.result.files.end(), name) == e.result.files.end())
    e.result.files.push_back(name);
  return true;
}

/// Why a file can't be included, or null.
const char* refusal(evaluation& e, std::string_view name) noexcept {
  e.problem.clear();
  if (name.starts_with('/') || name.starts_with("../") || name.find("/../") != name.npos) {
    e.problem = "include: " + std::string(name) + " lies outside the app's folder";
  } else if (std::find(e.open.begin(), e.open.end(), name) != e.open.end()) {
    for (const auto& file : e.open)
      e.problem += file + " includes ";
    e.problem = "include: " + e.problem + std::string(name);
  }
  return e.problem.empty() ? nullptr : e.problem.c_str();
}

int included(lua_State* l, int, lua_KContext) {
  evaluation::of(l).open.pop_back();
  return 1;
}

void give_globals(lua_State* l) {
  lua_rawgetp(l, LUA_REGISTRYINDEX, &globals);
  lua_setupvalue(l, -2, 1);
}

int include(lua_State* l) {
  auto& e = evaluation::of(l);
  std::size_t n = 0;
  const char* name = luaL_checklstring(l, 1, &n);
  if (const auto* why = refusal(e, {name, n})) return luaL_error(l, "%s", why);
  if (!load(l, e, lua_tostring(l, 1))) return luaL_error(l, "%s", e.problem.c_str());
  give_globals(l);
  lua_callk(l, 0, 1, 0, included);
  return included(l, LUA_OK, 0);
}

int set_up(lua_State* l) {
  open_null(l);
  static const luaL_Reg functions[] = {
      {"env", env},         {"env_is_set", env_is_set}, {"file", file}, {"option", option},
      {"include", include}, {"require", require},       {"arg", arg},   {"cwd", cwd},
      {nullptr, nullptr}};
  luaL_newlib(l, functions);
  lua_rawsetp(l, LUA_REGISTRYINDEX, &globals);
  lua_createtable(l, 0, 2);
  lua_pushcfunction(l, print_reference);
  lua_setfield(l, -2, "__tostring");
  lua_pushboolean(l, 0);
  lua_setfield(l, -2, "__metatable");
  lua_rawsetp(l, LUA_REGISTRYINDEX, &reference_type);
  // No methods of strings either: `("x"):rep(n)` is a library.
  lua_pushliteral(l, "");
  lua_pushnil(l);
  lua_setmetatable(l, -2);
  return 0;
}

int returned(lua_State*, int, lua_KContext) {
  return 1;
}

int run_file(lua_State* l) {
  give_globals(l);
  lua_callk(l, 0, 1, 0, returned);
  return 1;
}

error at_file(const std::string& file, error why) {
  why.message = file + ": " + why.message;
  return why;
}

}  // namespace

result<app_file> run_app_file(const std::string& file, const std::string& folder,
                              const app_world& world) {
  constexpr int instructions = 10'000;
  constexpr int most_slices = 500;
  evaluation e{folder, world, {}, body_codec(), {}, false, {}};
  settings with;
  with.memory = 32u << 20;
  with.count = instructions;
  with.owner = &e;
  with.make_error = make_limit_error;
  TROUPE_TRY(lua, state::open(with));
  TROUPE_CHECK(lua->protect(set_up, nullptr));
  auto* co = lua->take_thread();
  if (co == nullptr) return error(errc::limit, file + ": no memory to run it");
  lua_pushcfunction(co, run_file);
  TROUPE_TRY(read, read_program(file, folder));
  TROUPE_CHECK(lua->load(co, read->source, "@" + file));
  e.open.push_back(file);
  e.result.files.push_back(file);
  auto how = ran::preempted;
  int results = 0;
  int slices = 0;
  for (int arguments = 1; how == ran::preempted; arguments = 0) {
    if (slices++ == most_slices) {
      error why(errc::limit,
                file + ": running it takes too long; an app file only says what to run");
      why.data.set("what", "time");
      return why;
    }
    how = lua->resume(co, arguments, results);
  }
  if (e.wants_library) {
    e.result.is_agent = true;
    return std::move(e.result);
  }
  if (how == ran::failed) {
    auto why = failure_of(*lua, co, e.codec);
    if (lua->failure().limit != nullptr) return at_file(file, std::move(why));
    why.code = to_string(errc::config);
    return why;
  }
  if (!lua_istable(co, -1)) {
    const char* what = lua_isnil(co, -1) ? "nothing" : luaL_typename(co, -1);
    return error(errc::config, file + " returned " + (lua_isnil(co, -1) ? "" : "a ") + what +
                                   " instead of an app");
  }
  auto content = e.codec.to_value(co, -1);
  if (!content) {
    auto why = at_file(file, content.error());
    why.code = to_string(errc::config);
    return why;
  }
  e.result.content = std::move(*content);
  return std::move(e.result);
}

}  // namespace troupe::script
