// SPDX-License-Identifier: Apache-2.0
//
// A Lua state with a host that records, and a loop that resumes what is preempted.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/watchdog.hpp"
#include "script/binding.hpp"
#include "script/state.hpp"

namespace troupe::script {

/// Records lines; modules are texts by name.
struct test_host final : host {
  void print(std::string_view line) noexcept override { lines.emplace_back(line); }
  result<module> find_module(std::string_view name) noexcept override {
    ++asked;
    if (auto f = functions.find(std::string(name)); f != functions.end())
      return module{.open = f->second, .source = {}, .chunkname = {}};
    auto m = modules.find(std::string(name));
    if (m == modules.end()) return error(errc::not_found, "not found");
    return module{.open = nullptr, .source = m->second, .chunkname = "@" + m->first + ".lua"};
  }

  std::vector<std::string> lines;
  std::map<std::string, std::string> modules;
  std::map<std::string, lua_CFunction> functions;
  int asked = 0;
};

/// What became of a script.
struct outcome {
  ran how = ran::done;
  /// Results, or what was raised, as `tostring` shows them; separated by spaces.
  std::string text;
  int preempted = 0;
  int waited = 0;
  error why;
};

class state_test : public testing::Test {
 protected:
  void open() {
    with.host = &host;
    auto opened = state::open(with);
    ASSERT_TRUE(opened) << opened.error().describe();
    s = std::move(*opened);
  }

  /// Values of a thread's stack from its end, as text; for tests only: it may raise.
  static std::string texts(lua_State* co, int n) {
    std::string all;
    for (int i = -n; i < 0; ++i) {
      std::size_t size = 0;
      const char* text = luaL_tolstring(co, i, &size);
      if (i > -n) all += ' ';
      all.append(text, size);
      lua_pop(co, 1);
    }
    return all;
  }

  /// Runs a thread that has its function (or goes on) to its end.
  outcome finish(lua_State* co) {
    outcome o;
    int n = 0;
    for (int nargs = 0;;) {
      o.how = s->resume(co, nargs, n);
      nargs = 0;
      if (o.how == ran::preempted) {
        ++o.preempted;
        if (o.preempted >= max_preemptions) return o;  // as a kill: it is not resumed
        continue;
      }
      if (o.how != ran::waiting) break;
      ++o.waited;
      if (!answer) return o;
      nargs = answer(co);
    }
    if (o.how == ran::failed) o.why = s->failure_error(co);
    o.text = texts(co, n);
    lua_pop(co, n);
    s->give_thread(co);
    return o;
  }

  outcome run(std::string_view source) {
    if (!s) open();
    auto* co = s->take_thread();
    if (co == nullptr) return {.how = ran::failed, .text = "no thread", .why = {}};
    if (auto loaded = s->load(co, source, "@test.lua"); !loaded) {
      s->give_thread(co);
      return {.how = ran::failed, .text = loaded.error().message, .why = loaded.error()};
    }
    return finish(co);
  }

  /// `return EXPRESSION`, which must not fail.
  std::string eval(const std::string& expression) {
    auto o = run("return " + expression);
    EXPECT_EQ(o.how, ran::done) << o.text;
    return o.text;
  }

  /// A function that scripts find as a global.
  void define(const char* name, lua_CFunction f) {
    if (!s) open();
    lua_pushcfunction(s->lua(), f);
    lua_setglobal(s->lua(), name);
  }

  settings with;
  test_host host;
  std::unique_ptr<state> s;
  int max_preemptions = 1 << 30;
  /// Pushes what a wait gets on the thread and says how many.
  std::function<int(lua_State*)> answer;
};

/// Preempts whatever runs on this thread every 2 ms, as a carrier does.
class turn {
 public:
  explicit turn(watchdog& dog) : dog_(dog) { dog_.begin_turn(); }
  ~turn() { dog_.end_turn(); }
  turn(const turn&) = delete;
  turn& operator=(const turn&) = delete;

 private:
  watchdog& dog_;
};

}  // namespace troupe::script
