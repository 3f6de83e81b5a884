// SPDX-License-Identifier: Apache-2.0
//
// Every function that scripts reach, with each allocation failing in turn: no crash, no leak (run
// it under AddressSanitizer), and the state can be used afterwards.
#include <gtest/gtest.h>

#include "script/code_cache.hpp"
#include "support/failing_memory.hpp"
#include "unit/script_state/fixture.hpp"

namespace troupe::script {
namespace {

/// Each touches what one or a few bindings do, also on their ways out.
constexpr const char* snippets[] = {
    "return type(print), _VERSION, _G ~= nil",
    "for k, v in pairs(_G) do end return next(_G) ~= nil, rawget(_G, 'utf8') ~= nil",
    "setmetatable(_G, { __index = function() end }) return undefined",
    "utf8 = nil return utf8",
    "print('a', 1, {}, setmetatable({}, { __tostring = function() return 'T' end }))",
    "return tostring(1.5), tostring({}), getmetatable(setmetatable({}, { __metatable = 'm' }))",
    "return pcall(setmetatable, {}, { __gc = print })",
    "return xpcall(function(...) return ... end, print, 1, 2)",
    "return xpcall(error, function(m) return debug.traceback(m) end, 'x')",
    "return xpcall(error, function(m) error(m) end, 'x')",
    "return load('return 1 + ...', '=n')(2), load('= 1'), load('return a', 'n', 't', { a = 1 })()",
    "local p = { 'return ', '1' } local i = 0 return load(function() i = i + 1 return p[i] end)()",
    "return collectgarbage(), collectgarbage('count'), collectgarbage('step')",
    "return require('util').x, require('util').x, require('native')",
    "return pcall(require, 'none'), pcall(require, 'broken'), pcall(require, 'raises')",
    "return ('x'):rep(2000, ','), ('x'):rep(0), pcall(string.rep, 'x', 1 << 40)",
    "return ('key=value'):find('(%w+)=(%w+)'), ('abc'):find('b', 1, true), ('x'):match('()x')",
    "for a, b in ('a=1,b=2'):gmatch('(%w)=(%w)') do local c = a .. b end",
    "return ('hello world'):rep(100):gsub('%w+', function(w) return w:upper() .. {} ~= nil end)",
    "return ('hello world'):rep(100):gsub('(%w)(%w)', '%2%1'), ('ab'):gsub('%w', { a = 'long text' "
    "})",
    "return pcall(string.gsub, 'x', '(', ''), pcall(string.find, 'x', '[a')",
    "return ('a'):rep(30):find(('a?'):rep(30) .. ('a'):rep(30))",
    "return ('%s %d %q %5.2f'):format('x', 1, 'y\\n', 1.5), ('x'):upper(), ('x'):byte(1, -1)",
    "return string.pack('s4', 'abc'), string.unpack('s4', string.pack('s4', 'abc'))",
    "local t = {} for i = 1, 100 do table.insert(t, 1, i) end for i = 1, 50 do table.remove(t, 1) "
    "end return #t",
    "return table.concat({ 1, 'x', 2.5 }, ('-'):rep(500)), pcall(table.concat, { {} })",
    "return table.unpack({ 1, 2, 3 }), #table.move({ 1, 2, 3 }, 1, 3, 2, {}), table.pack(1, 2).n",
    "local t = {} for i = 1, 200 do t[i] = tostring(i * 7919 % 200) end table.sort(t) "
    "table.sort(t, function(a, b) return a .. '' > b .. '' end) return t[1]",
    "return pcall(table.sort, { 1, 2, 3 }, function() error({}) end)",
    "local g = coroutine.wrap(function(...) local a = coroutine.yield(...) return a .. 'x' end) "
    "return g(1, 2), g('y'), pcall(g)",
    "local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = "
    "function() return {} end }) coroutine.yield(1) end) return coroutine.resume(co), "
    "coroutine.status(co), coroutine.close(co)",
    "return coroutine.resume(coroutine.create(function() error({ 'x' }) end)), "
    "pcall(coroutine.wrap(error), 'x')",
    "return coroutine.running(), coroutine.isyieldable(), pcall(coroutine.yield)",
    "return ask(1), coroutine.wrap(function() return ask(2), ask_on(3) end)()",
    "local co = coroutine.wrap(function() local x <close> = setmetatable({}, { __close = ask }) "
    "return ask() end) return co()",
    "return pcall(function() ('x'):gsub('.', ask) end)",
    "local x <close> = setmetatable({}, { __close = function() print('closed') end }) error('e')",
    "local x <close> = setmetatable({}, { __close = function() error({}) end }) error({})",
    "local function f(n) return n == 0 and {} or { f(n - 1) } end return f(50)",
    "math.randomseed(1) return math.random(10), utf8.char(228), utf8.len('x'), "
    "#debug.traceback('x')",
    "return select('#', table.unpack({}, 1, 300)), ('x'):rep(100):byte(1, -1)",
};

int ask(lua_State* L) {
  check_can_wait(L, "ask");
  return wait(L);
}

int after_ask(lua_State* L, int, lua_KContext) {
  lua_pushfstring(L, "answered %d", static_cast<int>(lua_tointeger(L, -1)));
  return 1;
}

int ask_on(lua_State* L) {
  check_can_wait(L, "ask_on");
  return wait(L, after_ask);
}

class allocation_test : public state_test {
 protected:
  allocation_test() {
    host.modules["util"] = "return { x = { ... } }";
    host.modules["broken"] = "return =";
    host.modules["raises"] = "error({})";
    host.functions["native"] = [](lua_State* L) {
      lua_newtable(L);
      return 1;
    };
    failing.install(with);
    with.cache = &cache;
    answer = [](lua_State* co) {
      lua_pushinteger(co, 5);
      return 1;
    };
  }

  /// The thread runs with memory failing; its end without: what is looked at then may allocate.
  ran run_failing(std::string_view source, int growths) {
    failing.fail_after(growths);
    auto* co = s->take_thread();
    if (co == nullptr) return ran::failed;
    if (!s->load(co, source, "@test.lua")) {
      s->give_thread(co);
      return ran::failed;
    }
    int n = 0;
    auto how = s->resume(co, 0, n);
    while (how == ran::waiting || how == ran::preempted) {
      const int nargs = how == ran::waiting ? answer(co) : 0;
      how = s->resume(co, nargs, n);
    }
    if (how == ran::failed) static_cast<void>(s->failure_error(co));
    lua_settop(co, 0);
    s->give_thread(co);
    return how;
  }

  test::failing_memory failing;
  code_cache cache;
};

TEST_F(allocation_test, a_state_opens_or_says_that_there_is_no_memory) {
  const int attempts = test::fail_each_allocation([&](int n) {
    failing.fail_after(n);
    auto opened = state::open(with);
    EXPECT_EQ(static_cast<bool>(opened), !failing.refused());
    if (!opened) {
      EXPECT_TRUE(opened.error().is(errc::limit));
    }
    return static_cast<bool>(opened);
  });
  EXPECT_GT(attempts, 20);
}

TEST_F(allocation_test, everything_survives_each_failing_allocation) {
  for (const char* source : snippets) {
    const int attempts = test::fail_each_allocation([&](int n) {
      failing.stop_failing();
      s.reset();
      open();
      define("ask", ask);
      define("ask_on", ask_on);
      const auto how = run_failing(source, n);
      const bool refused = failing.refused();
      failing.stop_failing();
      EXPECT_EQ(eval("1 + 1, ('x'):rep(3)"), "2 xxx")
          << "after allocation " << n << " of " << source;
      if (HasFailure()) return true;
      if (refused) return false;
      EXPECT_TRUE(how == ran::done || how == ran::failed);
      return true;
    });
    EXPECT_GT(attempts, 1) << source;
    if (HasFailure()) return;
  }
}

TEST_F(allocation_test, ending_a_waiting_thread_survives_it_too) {
  test::fail_each_allocation([&](int n) {
    failing.stop_failing();
    s.reset();
    open();
    define("ask", ask);
    auto* co = s->take_thread();
    EXPECT_TRUE(
        s->load(co,
                "local a <close> = setmetatable({}, { __close = function() return { {} } end })"
                "coroutine.wrap(function() local b <close> = a ask() end)()",
                "@test.lua"));
    int results = 0;
    EXPECT_EQ(s->resume(co, 0, results), ran::waiting);
    failing.fail_after(n);
    s->end_thread(co);
    const bool refused = failing.refused();
    failing.stop_failing();
    EXPECT_EQ(eval("1 + 1"), "2");
    return !refused || HasFailure();
  });
}

}  // namespace
}  // namespace troupe::script
