// SPDX-License-Identifier: Apache-2.0
#include "script/state.hpp"

#include <thread>

#include "script/code_cache.hpp"
#include "unit/script_state/fixture.hpp"

namespace troupe::script {
namespace {

using namespace std::chrono_literals;

// -- running

TEST_F(state_test, runs_a_script_and_hands_over_its_results) {
  EXPECT_EQ(run("return 1 + 1, 'a', nil, true").text, "2 a nil true");
}

TEST_F(state_test, says_where_a_text_can_not_be_compiled) {
  auto o = run("local x = = 1");
  EXPECT_TRUE(o.why.is(errc::syntax));
  EXPECT_EQ(o.why.message, "test.lua:1: unexpected symbol near '='");
}

TEST_F(state_test, reports_a_raise_with_its_place_and_the_way_there) {
  auto o =
      run("local function draft(x)\n  error('no ' .. x)\nend\nlocal function say(x)\n  draft(x)\n  "
          "return 1\nend\nsay('ink')");
  ASSERT_EQ(o.how, ran::failed);
  EXPECT_TRUE(o.why.is(errc::crash));
  EXPECT_EQ(o.why.message, "test.lua:2: no ink");
  EXPECT_EQ(o.why.traceback,
            "[C]: in function 'error'\n"
            "test.lua:2: in upvalue 'draft'\n"
            "test.lua:5: in local 'say'\n"
            "test.lua:8: in main chunk\n");
}

TEST_F(state_test, shortens_the_traceback_of_a_deep_recursion) {
  auto o = run("local function down(n) return 1 + down(n + 1) end return down(1)");
  ASSERT_EQ(o.how, ran::failed);
  EXPECT_NE(o.why.message.find("stack overflow"), std::string::npos);
  EXPECT_LT(o.why.traceback.size(), 2000u);
  EXPECT_NE(o.why.traceback.find("...\n"), std::string::npos);
  o =
      run("local function down(n) if n == 0 then error('deep') end return 1 + down(n - 1) end "
          "down(90)");
  EXPECT_NE(o.why.traceback.find("...\n"), std::string::npos);
  EXPECT_NE(o.why.traceback.find("test.lua:1: in main chunk\n"), std::string::npos);
}

TEST_F(state_test, keeps_a_value_that_is_no_text_as_what_was_raised) {
  auto o = run("error({ code = 'odd' })");
  EXPECT_EQ(o.how, ran::failed);
  EXPECT_EQ(o.why.message, "raised a table value");
}

TEST_F(state_test, uses_threads_again) {
  open();
  auto* co = s->take_thread();
  s->give_thread(co);
  EXPECT_EQ(s->take_thread(), co);
}

TEST_F(state_test, goes_on_after_a_raise) {
  EXPECT_EQ(run("kept = 7 error('x')").how, ran::failed);
  EXPECT_EQ(eval("kept"), "7");
}

TEST_F(state_test, skips_a_byte_order_mark_and_a_line_for_the_shell) {
  auto o = run("\xEF\xBB\xBF#!/usr/bin/env -S troupe run\nerror('here')");
  EXPECT_EQ(o.why.message, "test.lua:2: here");
}

TEST_F(state_test, closes_the_variables_of_a_script_that_raised) {
  auto o =
      run("local x <close> = setmetatable({}, { __close = function(_, e) closed = e end })\n"
          "error('no', 0)");
  EXPECT_EQ(o.how, ran::failed);
  EXPECT_EQ(eval("closed"), "no");
}

// -- memory

TEST_F(state_test, a_state_at_rest_is_small) {
  open();
  EXPECT_LT(s->memory_used(), 7'000u);
  run("local t = {} for i = 1, 3 do t[i] = tostring(i) end return #t, type(t)");
  EXPECT_LT(s->memory_used(), 10'000u);
}

TEST_F(state_test, refuses_to_open_with_no_memory) {
  with.memory = 3000;
  auto opened = state::open(with);
  ASSERT_FALSE(opened);
  EXPECT_TRUE(opened.error().is(errc::limit));
  EXPECT_EQ(*opened.error().data.find("what"), value("memory"));
}

TEST_F(state_test, a_memory_leak_ends_as_the_limit_memory) {
  with.memory = 1 << 20;
  for (const char* bomb : {
           "local s = 'x' while true do s = s .. s end",
           "local t = {} while true do t[#t + 1] = {} end",
           "local t = {} for i = 1, 1e9 do t[i] = i end",
           "return ('x'):rep(1e9)",
           "return ('x'):rep(1 << 29, 'y')",
           "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
           "local t = {} while true do t[#t + 1] = function() return t end end",
           "return (('x'):rep(1e5):gsub('x', ('y'):rep(1e5)))",
           "local s = ('x'):rep(1e5) return table.concat({ s, s, s, s, s, s, s, s, s, s, s })",
           "return string.format(('%s'):rep(20), (' '):rep(1e5), table.unpack({}, 1, 0))",
           "local t = {} for i = 1, 1e6 do t[i] = table.pack(table.unpack({}, 1, 1000)) end",
           "local f = 'x = {} ' while true do f = f .. f keep = load(f) end",
           "return string.pack('c2000000', 'x')",
           "local t = {} for i = 1, 1e6 do t['k' .. i] = i end",
           "local s = {} while true do s = { s } end",
       }) {
    s.reset();
    auto o = run(bomb);
    ASSERT_EQ(o.how, ran::failed) << bomb;
    if (o.why.message.find("bad argument") != std::string::npos) continue;
    ASSERT_TRUE(o.why.is(errc::limit)) << bomb << ": " << o.why.describe();
    EXPECT_EQ(*o.why.data.find("what"), value("memory")) << bomb;
    EXPECT_LE(s->memory_used(), with.memory);
  }
}

TEST_F(state_test, says_where_memory_ran_out) {
  with.memory = 1 << 20;
  auto o =
      run("local function leak()\n  local t = {}\n  while true do t[#t + 1] = {} end\nend\nleak()");
  EXPECT_NE(o.why.traceback.find("test.lua:3: in local 'leak'"), std::string::npos)
      << o.why.traceback;
}

TEST_F(state_test, a_script_may_catch_that_memory_ran_out) {
  with.memory = 1 << 20;
  EXPECT_EQ(eval("pcall(string.rep, 'x', 1e8)"), "false not enough memory");
  auto o = run("local ok, e = pcall(string.rep, 'x', 1e8) error(e, 0)");
  EXPECT_TRUE(o.why.is(errc::limit)) << "it says so when it raises it again";
}

TEST_F(state_test, gives_memory_back) {
  run("x = {} for i = 1, 1e5 do x[i] = {} end");
  const auto full = s->memory_used();
  run("x = nil collectgarbage()");
  EXPECT_LT(s->memory_used(), full / 10);
}

// -- waiting

int ask(lua_State* L) {
  check_can_wait(L, "ask");
  return wait(L);
}

int ask_twice_more(lua_State* L, int, lua_KContext left) {
  if (left > 0) return wait(L, ask_twice_more, left - 1);
  return lua_gettop(L);
}

int ask_thrice(lua_State* L) {
  lua_settop(L, 0);
  return wait(L, ask_twice_more, 2);
}

class waiting_test : public state_test {
 protected:
  waiting_test() {
    define("ask", ask);
    define("ask_thrice", ask_thrice);
    answer = [this](lua_State* co) {
      lua_pushinteger(co, ++given);
      return 1;
    };
  }
  int given = 0;
};

TEST_F(waiting_test, what_the_owner_resumes_with_is_what_the_binding_returns) {
  auto o = run("local a = ask() local b = ask() return a, b");
  EXPECT_EQ(o.text, "1 2");
  EXPECT_EQ(o.waited, 2);
}

TEST_F(waiting_test, a_continuation_sees_the_values_and_may_wait_again) {
  EXPECT_EQ(run("return ask_thrice()").text, "1 2 3");
}

TEST_F(waiting_test, waits_inside_a_coroutine_of_the_script) {
  auto o = run(R"(
    local co = coroutine.create(function(a)
      local b = ask()
      local c = coroutine.yield(a + b)
      return c, ask()
    end)
    local log = {}
    log[1] = select(2, coroutine.resume(co, 10))
    log[2] = coroutine.status(co)
    local _, c, d = coroutine.resume(co, 'c')
    log[3], log[4] = c, d
    log[5] = coroutine.status(co)
    return table.unpack(log))");
  EXPECT_EQ(o.text, "11 suspended c 2 dead");
  EXPECT_EQ(o.waited, 2);
}

TEST_F(waiting_test, waits_through_generators_inside_each_other) {
  EXPECT_EQ(run(R"(
    local function numbers(depth)
      return coroutine.wrap(function()
        if depth > 0 then for v in numbers(depth - 1) do coroutine.yield(v) end end
        coroutine.yield(ask())
        pcall(function() coroutine.yield(ask()) end)
      end)
    end
    local sum, n = 0, 0
    for v in numbers(5) do sum, n = sum + v, n + 1 end
    return sum, n)")
                .text,
            "78 12");
}

TEST_F(waiting_test, waits_in_pcall_metamethods_iterators_sort_and_closing_blocks) {
  EXPECT_EQ(run(R"(
    local t = setmetatable({}, { __index = function() return ask() end,
                                 __close = function() ask() end,
                                 __lt = function() return ask() and false end })
    local ok, a = pcall(ask)
    local b = t.x
    do local c <close> = t end
    for d in function() local v = ask() return v < 6 and v or nil end do end
    local e = t < t
    local list = { 3, 1, 2 }
    table.sort(list, function(x, y) ask() return x < y end)
    local _, f = xpcall(ask, print)
    return ok, a, b, list[1], list[2], list[3], f > 6)")
                .text,
            "true 1 2 1 2 3 true");
}

TEST_F(waiting_test, refuses_to_wait_where_it_can_not) {
  for (const char* bad : {
           "('x'):gsub('.', ask)",
           "tostring(setmetatable({}, { __tostring = ask }))",
           "load(ask)",
           "xpcall(error, ask)",
           "coroutine.wrap(function() ('x'):gsub('.', ask) end)()",
           "('x'):gsub('.', coroutine.wrap(ask))",
           "('x'):gsub('.', function() coroutine.wrap(function() ask() end)() end)",
           "local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = "
           "ask }) coroutine.yield() end) coroutine.resume(co) assert(coroutine.close(co))",
       }) {
    auto o = run(std::string(bad) + " return 'went on'");
    EXPECT_EQ(o.waited, 0) << bad;
    if (std::string_view(bad).starts_with("load") || std::string_view(bad).starts_with("xpcall"))
      continue;  // these hand the error back
    EXPECT_EQ(o.how, ran::failed) << bad;
    EXPECT_NE(o.text.find("ask can't wait here: inside a callback"), std::string::npos)
        << bad << ": " << o.text;
  }
}

TEST_F(waiting_test, nobody_else_can_touch_a_coroutine_that_waits) {
  open();
  define("ask", ask);
  auto* first = s->take_thread();
  ASSERT_TRUE(s->load(first,
                      "co = coroutine.create(function() return ask() end)\n"
                      "me = coroutine.running()\n"
                      "return coroutine.resume(co)",
                      "@a.lua"));
  int n = 0;
  ASSERT_EQ(s->resume(first, 0, n), ran::waiting);
  EXPECT_EQ(eval("coroutine.status(co)"), "normal");
  EXPECT_EQ(eval("coroutine.status(me)"), "normal");
  EXPECT_EQ(eval("coroutine.resume(co, 666)"), "false cannot resume non-suspended coroutine");
  EXPECT_EQ(eval("coroutine.resume(me, 666)"), "false cannot resume non-suspended coroutine");
  EXPECT_EQ(eval("pcall(coroutine.close, co)"), "false cannot close a normal coroutine");
  EXPECT_EQ(eval("pcall(coroutine.close, me)"), "false cannot close a normal coroutine");
  lua_pushinteger(first, 5);
  ASSERT_EQ(s->resume(first, 1, n), ran::done);
  EXPECT_EQ(texts(first, n), "true 5");
}

TEST_F(waiting_test, a_yield_into_nothing_says_so) {
  auto o = run("coroutine.yield(1)");
  EXPECT_EQ(o.how, ran::failed);
  EXPECT_EQ(o.why.message,
            "test.lua:1: coroutine.yield yields into nothing: it is not inside a coroutine of this "
            "script");
  EXPECT_EQ(eval("coroutine.isyieldable()"), "false");
  EXPECT_EQ(eval("select(2, coroutine.running())"), "true");
  EXPECT_EQ(eval("coroutine.wrap(coroutine.isyieldable)()"), "true");
}

TEST_F(waiting_test, ends_what_waits_from_the_inside_out) {
  open();
  define("ask", ask);
  auto* co = s->take_thread();
  ASSERT_TRUE(s->load(co, R"(
    closed = {}
    local function note(name)
      return setmetatable({}, { __close = function() closed[#closed + 1] = name end })
    end
    local a <close> = note("a")
    coroutine.wrap(function()
      local b <close> = note("b")
      local co = coroutine.create(function()
        local c <close> = note("c")
        local d <close> = setmetatable({}, { __close = function() error("dropped") end })
        ask()
        closed[#closed + 1] = "went on"
      end)
      coroutine.resume(co)
      closed[#closed + 1] = "went on"
    end)())",
                      "@a.lua"));
  int n = 0;
  ASSERT_EQ(s->resume(co, 0, n), ran::waiting);
  s->end_thread(co);
  EXPECT_EQ(eval("table.concat(closed, ' ')"), "c b a");
  EXPECT_EQ(s->take_thread(), co) << "it can be used again";
}

// -- modules

TEST_F(state_test, loads_a_module_once) {
  host.modules["util"] =
      "loads = (loads or 0) + 1 return { name = ..., twice = function(x) return 2 * x end }";
  EXPECT_EQ(
      run("local u = require('util') return u.twice(4), u.name, require('util') == u, loads").text,
      "8 util true 1");
  EXPECT_EQ(host.asked, 1);
}

TEST_F(state_test, a_module_may_be_a_function_of_the_owner) {
  host.functions["troupe"] = [](lua_State* L) {
    lua_newtable(L);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "name");
    return 1;
  };
  EXPECT_EQ(run("return require('troupe').name, require('troupe') == require('troupe')").text,
            "troupe true");
}

TEST_F(state_test, says_why_a_module_can_not_be_loaded) {
  host.modules["broken"] = "return = 1";
  host.modules["raises"] = "error('no')";
  host.modules["a"] = "return require('b')";
  host.modules["b"] = "return require('a')";
  EXPECT_EQ(run("require('x')").text, "test.lua:1: module x: not found");
  EXPECT_EQ(run("require('broken')").text, "broken.lua:1: unexpected symbol near '='");
  EXPECT_EQ(run("require('raises')").text, "raises.lua:1: no");
  EXPECT_EQ(run("require('raises')").text, "raises.lua:1: no") << "and may be tried again";
  EXPECT_EQ(run("require('a')").text,
            "b.lua:1: module a requires itself, or a module that requires it");
  EXPECT_EQ(run("require(1)").text.find("test.lua:1: bad argument #1"), 0u);
}

TEST_F(state_test, a_module_may_wait_while_it_loads) {
  define("ask", ask);
  answer = [](lua_State* co) {
    lua_pushinteger(co, 9);
    return 1;
  };
  host.modules["slow"] = "return { ask() }";
  EXPECT_EQ(run("return require('slow')[1]").text, "9");
}

TEST_F(state_test, prints_to_the_host) {
  run("print('a', 1, nil, {} ~= nil) print()");
  EXPECT_EQ(host.lines, (std::vector<std::string>{"a\t1\tnil\ttrue", ""}));
}

// -- the cache

TEST_F(state_test, loads_from_the_cache_what_was_compiled_before) {
  code_cache cache;
  with.cache = &cache;
  const std::string_view source = "local a = 1\nreturn a + 1, debug.traceback('x')";
  auto first = run(source);
  EXPECT_FALSE(cache.find("@test.lua", source).empty());
  s.reset();
  auto second = run(source);
  EXPECT_EQ(first.text, second.text);
  EXPECT_TRUE(cache.find("@other.lua", source).empty());
  EXPECT_TRUE(cache.find("@test.lua", "return 2").empty());
}

TEST_F(state_test, does_not_cache_what_can_not_be_compiled) {
  code_cache cache;
  with.cache = &cache;
  run("return = 1");
  EXPECT_TRUE(cache.find("@test.lua", "return = 1").empty());
}

TEST_F(state_test, threads_share_a_cache) {
  code_cache cache;
  auto work = [&cache](int seed) {
    for (int i = 0; i < 200; ++i) {
      settings with;
      with.cache = &cache;
      auto s = state::open(with);
      auto* co = (*s)->take_thread();
      const auto k = (i * 7 + seed) % 50;
      ASSERT_TRUE((*s)->load(co, "return " + std::to_string(k), "@k.lua"));
      int n = 0;
      ASSERT_EQ((*s)->resume(co, 0, n), ran::done);
      ASSERT_EQ(lua_tointeger(co, -1), k);
    }
  };
  std::thread other(work, 1);
  work(2);
  other.join();
}

TEST_F(state_test, a_full_cache_keeps_what_it_has) {
  code_cache cache;
  for (int i = 0; i < 2000; ++i) {
    const auto text = std::to_string(i);
    cache.keep("@x", text, "code" + text);
  }
  EXPECT_EQ(cache.find("@x", "0"), "code0");
  EXPECT_EQ(cache.find("@x", "1999"), "");
}

}  // namespace
}  // namespace troupe::script
