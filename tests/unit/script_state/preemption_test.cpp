// SPDX-License-Identifier: Apache-2.0
//
// Scripts that don't want to stop: each is preempted (and so can be killed: it is not resumed any
// more), or is raised in where it can't be. In both ways of interrupting.
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>

#include "unit/script_state/fixture.hpp"

namespace troupe::script {
namespace {

using namespace std::chrono_literals;

enum class by { signal, count };

class preemption_test : public state_test, public testing::WithParamInterface<by> {
 protected:
  preemption_test() {
    with.count = GetParam() == by::count ? 10'000 : 0;
    with.busy = 100ms;
  }

  /// As `run`, in turns that a watchdog looks after.
  outcome run_watched(std::string_view source) {
    if (!s) open();
    auto* co = s->take_thread();
    if (auto loaded = s->load(co, source, "@test.lua"); !loaded)
      return {.how = ran::failed, .text = loaded.error().message, .why = loaded.error()};
    outcome o;
    int n = 0;
    for (;;) {
      {
        const turn t(dog);
        o.how = s->resume(co, 0, n);
      }
      if (o.how != ran::preempted) break;
      if (++o.preempted >= max_preemptions) return o;
    }
    if (o.how == ran::failed) o.why = s->failure_error(co);
    o.text = texts(co, n);
    lua_settop(co, 0);
    s->give_thread(co);
    return o;
  }

  watchdog dog{1ms};
};

INSTANTIATE_TEST_SUITE_P(each_way, preemption_test, testing::Values(by::signal, by::count),
                         [](const auto& way) {
                           return way.param == by::signal ? "by_signal" : "by_count";
                         });

/// Endless, and can be preempted again and again.
constexpr const char* endless[] = {
    "while true do end",
    "::again:: goto again",
    "local function f() return f() end return f()",
    "while true do pcall(function() while true do end end) end",
    "local function loop() while true do end end xpcall(loop, loop)",
    "local function loop() while true do end end while true do xpcall(error, loop) end",
    "while true do pcall(error) end",
    "while true do coroutine.wrap(function() end)() end",
    "coroutine.wrap(function() while true do end end)()",
    "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()",
    "local co = coroutine.wrap(function() while true do coroutine.yield() end end) while true do "
    "co() "
    "end",
    "do local x <close> = setmetatable({}, { __close = function() while true do end end }) end",
    "pcall(function() local x <close> = setmetatable({}, { __close = function() while true do end "
    "end }) "
    "error() end)",
    "local t = setmetatable({}, { __index = function() while true do end end }) return t.x",
    "local t = setmetatable({}, { __lt = function() while true do end end }) return t < t",
    "for _ in function() while true do end end do end",
    "table.sort({ 1, 2, 3 }, function() while true do end end)",
    "while true do table.sort({ 3, 2, 1 }, function(a, b) return a < b end) end",
    "local t = setmetatable({}, { __index = function(_, i) return i end, __len = function() return "
    "1 << "
    "30 end, __newindex = function() end }) table.sort(t)",
    "table.move({}, 1, 1 << 60, 2)",
    "table.move(setmetatable({}, { __newindex = print }), 1, 1 << 60, 2)",
    "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 1)",
    "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
    "while true do ('x'):rep(1000):gsub('x', function() end) end",
    "while true do tostring(setmetatable({}, { __tostring = function() return 'x' end })) end",
    "while true do load('return 1')() end",
    "while true do local t = {} for i = 1, 100 do t[i] = tostring(i) end table.concat(t) end",
    "while true do setmetatable({}, { __mode = 'k' }) collectgarbage() end",
    "while true do print('x') end",
    "local t = {} while true do next(t) rawget(t, 1) rawset(t, 1, nil) end",
};

TEST_P(preemption_test, preempts_what_never_ends_again_and_again) {
  max_preemptions = 5;
  for (const char* source : endless) {
    s.reset();
    auto o = run_watched(source);
    EXPECT_EQ(o.how, ran::preempted) << source << ": " << o.text;
    EXPECT_EQ(o.preempted, 5) << source;
  }
}

TEST_P(preemption_test, drops_the_state_of_what_was_preempted) {
  max_preemptions = 2;
  for (const char* hold :
       {"local x <close> = setmetatable({}, { __close = function() print('ran') while "
        "true do end end }) ",
        "pcall(function() local x <close> = setmetatable({}, { __close = "
        "function() print('ran') while true do end end }) while true do end end) "}) {
    EXPECT_EQ(run_watched(std::string(hold) + "while true do end").how, ran::preempted);
    s.reset();
    EXPECT_TRUE(host.lines.empty()) << "a kill runs no script code";
  }
}

/// Can't be preempted: in a frame of C that Lua can't leave and come back to.
constexpr const char* stuck[] = {
    "('x'):gsub('.', function() while true do end end)",
    "('x'):gsub('.', function() while true do pcall(function() while true do end end) end end)",
    "('x'):gsub('.', function() local function loop() while true do end end while true do "
    "xpcall(loop, "
    "loop) end end)",
    "('x'):gsub('.', coroutine.wrap(function() while true do end end))",
    "('x'):gsub('.', function() while true do coroutine.resume(coroutine.create(function() while "
    "true "
    "do end end)) end end)",
    "('x'):gsub('.', function() while true do pcall(coroutine.wrap(function() while true do end "
    "end)) "
    "end end)",
    "('x'):gsub('.', setmetatable({}, { __index = function() while true do end end }))",
    "tostring(setmetatable({}, { __tostring = function() while true do end end }))",
    "print(setmetatable({}, { __tostring = function() while true do end end }))",
    "string.format('%s', setmetatable({}, { __tostring = function() while true do end end }))",
    "assert(load(function() while true do end end))",
    "local ok, e = xpcall(error, function() while true do end end) error(e, 0)",
    "local ok, e = xpcall(error, function() local function loop() while true do end end while true "
    "do "
    "xpcall(loop, loop) end end) error(e, 0)",
    "local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = "
    "function() "
    "while true do end end }) coroutine.yield() end) coroutine.resume(co) "
    "assert(coroutine.close(co))",
    "local loop = setmetatable({}, { __close = function() while true do pcall(function() while "
    "true do "
    "end end) end end }) local co = coroutine.create(function() local x <close> = loop local y "
    "<close> "
    "= loop coroutine.yield() end) coroutine.resume(co) assert(coroutine.close(co))",
    "coroutine.wrap(function() local x <close> = setmetatable({}, { __close = function() while "
    "true do "
    "end end }) error('e') end)()",
    "local x <close> = setmetatable({}, { __close = function() while true do end end }) error('e')",
    "table.concat(setmetatable({}, { __index = function() while true do end end, __len = "
    "function() "
    "return 9 end }))",
    "table.unpack(setmetatable({}, { __index = function() while true do end end }), 1, 9)",
    "table.unpack(setmetatable({}, { __len = function() while true do end end }))",
    "table.insert(setmetatable({}, { __newindex = function() while true do end end }), 1)",
    "table.sort(setmetatable({}, { __index = function() while true do end end, __len = function() "
    "return 9 end }))",
    // Loops of C alone.
    "table.concat(setmetatable({}, { __index = table.concat }), '', 1, 1 << 24 - 1)",
    "local t = setmetatable({}, { __len = function() return 1 << 60 end }); ('x'):gsub('.', "
    "function() "
    "table.insert(t, 1, 1) end)",
    "('x'):gsub('.', function() table.move({}, 1, 1 << 60, 2) end)",
    "local t = {} for i = 1, 1e5 do t[i] = '' end setmetatable(t, { __index = table.concat }) "
    "table.unpack(t, 1e6, 1e6 + 9e5)",
};

TEST_P(preemption_test, raises_in_what_can_not_be_preempted_after_a_while) {
  for (const char* source : stuck) {
    s.reset();
    auto o = run_watched(source);
    ASSERT_EQ(o.how, ran::failed) << source << ": " << o.text;
    EXPECT_TRUE(o.text.find("computed for too long where it can't be interrupted") !=
                    std::string::npos ||
                o.text.find("too many elements") != std::string::npos)
        << source << ": " << o.text;
    if (o.why.is(errc::limit)) {
      EXPECT_EQ(*o.why.data.find("what"), value("busy")) << source;
    }
  }
}

TEST_P(preemption_test, a_script_goes_on_after_it_caught_that_it_was_stuck) {
  auto o = run_watched(R"(
    local ok, e = pcall(string.gsub, 'x', '.', function() while true do end end)
    local sum = 0
    for i = 1, 1e6 do sum = sum + i end
    return ok, sum)");
  EXPECT_EQ(o.text, "false 500000500000");
}

TEST_P(preemption_test, does_not_close_what_was_raised_in_inside_a_hook) {
  // Its __close would run with hooks off: nothing could stop it.
  auto o = run_watched(R"(
    local co = coroutine.create(function()
      local x <close> = setmetatable({}, { __close = function() while true do end end })
      ;('x'):gsub('.', function() while true do end end)
    end)
    local ok = coroutine.resume(co)
    return ok, coroutine.status(co), coroutine.close(co), coroutine.resume(co))");
  EXPECT_EQ(o.text, "false dead false false cannot resume dead coroutine");
}

TEST_P(preemption_test, calls_that_are_merely_slow_come_to_their_end) {
  with.busy = 10s;
  auto o = run_watched(R"(
    local n = 0
    local s = ('x'):rep(300):gsub('x', function()
      for i = 1, 2000 do n = n + 1 end
      return 'y'
    end)
    local t = {}
    for i = 1, 200000 do t[i] = (i * 7919) % 200003 end
    table.sort(t)
    for i = 2, #t do assert(t[i - 1] < t[i]) end
    table.sort(t, function(a, b) return a > b end)
    for i = 2, #t do assert(t[i - 1] > t[i]) end
    table.move(t, 1, #t, 2)
    for i = 1, 20 do table.insert(t, 1, i) end
    for i = 20, 1, -1 do assert(table.remove(t, 1) == i) end
    return #s, n, #t)");
  EXPECT_EQ(o.text, "300 600000 200001");
  EXPECT_GT(o.preempted, 0);
}

TEST_P(preemption_test, patterns_end_by_their_steps) {
  with.busy = 1h;
  for (const char* source : {
           "return ('a'):rep(34):find(('a?'):rep(34) .. ('a'):rep(34))",
           "return ('x'):rep(2000):match(('.-'):rep(6) .. 'b')",
           "return ('x'):rep(1e4):gsub(('.-'):rep(5) .. 'b', '')",
           "for _ in ('x'):rep(1e5):gmatch('.-.-.-b') do end",
           "return ('('):rep(5e5):find('%b()', 1)",
           "return ('x'):rep(1e5):find('[' .. ('y'):rep(1e5) .. ']')",
           "return ('x'):rep(1e5):find('(x*)%1%1b')",
       }) {
    auto o = run_watched(source);
    ASSERT_EQ(o.how, ran::failed) << source << ": " << o.text;
    EXPECT_TRUE(o.why.is(errc::limit)) << source << ": " << o.why.describe();
    EXPECT_EQ(*o.why.data.find("what"), value("pattern")) << source;
  }
}

TEST_P(preemption_test, functions_too_deep_inside_each_other_end_before_interrupts_cost_all_time) {
  with.memory = 1u << 30;
  auto o = run_watched("local function again() return 1 + again() end return again()");
  ASSERT_EQ(o.how, ran::failed) << o.text;
  // By signal it is a matter of time whether Lua's own limit comes first.
  if (GetParam() == by::signal) return;
  EXPECT_TRUE(o.why.is(errc::limit)) << o.why.describe();
  EXPECT_EQ(*o.why.data.find("what"), value("stack"));
}

TEST_P(preemption_test, plain_searches_are_linear) {
  EXPECT_EQ(run_watched("return (('a'):rep(2e6) .. 'b'):find(('a'):rep(1e6) .. 'c', 1, true)").text,
            "nil");
}

TEST_P(preemption_test, coroutines_that_close_each_other_do_not_end_the_stack) {
  auto o = run_watched(R"(
    local function chain(n)
      local co = coroutine.create(function()
        local inner <const> = n > 0 and chain(n - 1) or nil
        local x <close> = setmetatable({}, { __close = function()
          if inner then assert(coroutine.close(inner)) end
        end })
        coroutine.yield()
      end)
      assert(coroutine.resume(co))
      return co
    end
    local last
    for i = 1, 5000 do
      local inner = last
      last = coroutine.create(function()
        local x <close> = setmetatable({}, { __close = function()
          if inner then assert(coroutine.close(inner)) end
        end })
        coroutine.yield()
      end)
      assert(coroutine.resume(last))
    end
    local ok, e = coroutine.close(last)
    return ok, e, coroutine.close(chain(3)))");
  EXPECT_NE(o.text.find("too many coroutines that close each other"), std::string::npos) << o.text;
  EXPECT_TRUE(o.text.ends_with(" true")) << o.text;
}

TEST_P(preemption_test, a_count_is_the_same_each_time) {
  with.count = 10'000;  // signals come when they come
  const char* source =
      "local t = {} for i = 1, 1e5 do t[i % 100 + 1] = i end table.sort(t) return #t";
  const auto first = run_watched(source).preempted;
  EXPECT_GT(first, 5);
  s.reset();
  EXPECT_EQ(run_watched(source).preempted, first);
}

// -- many signals, anywhere

/// Each ends by itself and checks its own result.
constexpr const char* busy_work[] = {
    "for i = 1, 200 do local s = string.rep('ab', i * 50) s = s:upper() assert(#s == i * 100) end",
    "local t = {} for i = 1, 500 do t[i] = 'x' .. i end for i = 1, 50 do assert(#table.concat(t, "
    "',') == "
    "2391) end",
    "for k = 1, 500 do local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) "
    "return b "
    "* 2 end) local _, a = coroutine.resume(co, 1) local _, b = coroutine.resume(co, 5) assert(a "
    "== 2 and "
    "b == 10) end",
    "for k = 1, 50 do local g = coroutine.wrap(function() for i = 1, 20 do coroutine.yield(i) end "
    "end) "
    "for i = 1, 20 do assert(g() == i) end end",
    "local t = {} for i = 1, 300 do t[i] = coroutine.create(function() local x <close> = "
    "setmetatable({}, { __close = function() local s = 0 for j = 1, 50 do s = s + j end end }) "
    "coroutine.yield() end) coroutine.resume(t[i]) end for i = 1, 300 do "
    "assert(coroutine.close(t[i])) "
    "end",
    "local t = {} for i = 1, 400 do t[i] = math.random(1, 1000) end table.sort(t, function(a, b) "
    "return "
    "a < b end) for i = 2, 400 do assert(t[i - 1] <= t[i]) end table.sort(t, function(a, b) return "
    "a > b "
    "end) for i = 2, 400 do assert(t[i - 1] >= t[i]) end",
    "local s, n = ('hello world '):rep(50), 0 s = s:gsub('%w+', function(w) n = n + 1 return "
    "w:reverse() "
    "end) assert(n == 100 and s:sub(1, 11) == 'olleh dlrow')",
    "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end assert(f(15000) == "
    "15000) "
    "collectgarbage('step')",
    "local mt = { __index = function(_, k) return k .. '!' end, __add = function() return 7 end, "
    "__call "
    "= function() return 'c' end, __eq = function() return true end, __lt = function() return true "
    "end } "
    "local o = setmetatable({}, mt) for i = 1, 500 do assert(o.x == 'x!') assert(o + 1 == 7) "
    "assert(o("
    "'a') == 'c') assert(o < o) assert(o == setmetatable({}, mt)) end",
    "for i = 1, 300 do local ok, e = pcall(function() local t <close> = setmetatable({}, { __close "
    "= "
    "function() end }) error({ code = 1 }) end) assert(not ok and e.code == 1) local ok, m = "
    "xpcall(function() error('z') end, function(m) return debug.traceback(m) end) assert(not ok "
    "and "
    "m:find('z')) end",
    "for k = 1, 20 do local t = {} for i = 1, 200 do t[i] = { i, tostring(i), function() return i "
    "end } "
    "end for i = 1, 200 do assert(t[i][3]() == i and t[i][2] == tostring(i)) end end",
    "for i = 1, 50 do local f = load('local a, b, c = ... local t = {} for i = 1, 50 do t[i] = i * "
    "2 end "
    "return a + b + c + #t') assert(f(1, 2, 3) == 56) end",
    "local function gen(d) return coroutine.wrap(function() if d > 0 then for v in gen(d - 1) do "
    "coroutine.yield(v) end end coroutine.yield(d) end) end for k = 1, 20 do local s = 0 for v in "
    "gen(6) "
    "do s = s + v end assert(s == 21) end",
    "local t = setmetatable({}, { __mode = 'k' }) for i = 1, 300 do t[{}] = i end for i = 1, 100 "
    "do t[i] "
    "= string.format('%d %s %5.2f', i, 'x', i / 3) end assert(t[3] == '3 x  1.00')",
    "local t = {} for i = 1, 20000 do t[i] = i end local s = 0 for _, v in ipairs(t) do s = s + v "
    "end "
    "assert(s == 200010000) for k in pairs(t) do t[k] = nil end assert(next(t) == nil)",
    "for i = 1, 3000 do local x <close> = setmetatable({}, { __close = function() end }) if i % 3 "
    "== 0 "
    "then goto c end local y = i // 2 ::c:: end",
    "for i = 1, 20 do assert(not pcall(string.rep, 'x', 1e8)) end",
    "for w, n in ('a=1,b=2,'):rep(200):gmatch('(%w)=(%w)') do assert(n == (w == 'a' and '1' or "
    "'2')) end",
};

TEST(preemption_stress_test, signals_at_any_moment_change_no_result) {
  settings with;
  with.memory = 8u << 20;
  auto opened = state::open(with);
  ASSERT_TRUE(opened);
  auto& s = **opened;
  const auto self = pthread_self();
  std::atomic<bool> done{false};
  // Straight into the handler's work, as often as the system allows, not only when a turn is late.
  struct sigaction action {};
  action.sa_handler = [](int) {
    if (auto* what = running()) what->interrupt();
  };
  action.sa_flags = SA_RESTART;
  struct sigaction before {};
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  std::thread pest([&] {
    std::minstd_rand random(7);
    while (!done) {
      std::this_thread::sleep_for(std::chrono::microseconds(random() % 60));
      pthread_kill(self, SIGUSR1);
    }
  });
  long preempted = 0;
  for (int round = 0; round < 10; ++round) {
    for (const char* source : busy_work) {
      auto* co = s.take_thread();
      ASSERT_NE(co, nullptr);
      ASSERT_TRUE(s.load(co, source, "@work.lua")) << source;
      int n = 0;
      ran how;
      while ((how = s.resume(co, 0, n)) == ran::preempted)
        ++preempted;
      if (how != ran::done) {
        ADD_FAILURE() << source << ": " << s.failure_error(co).describe();
        break;
      }
      lua_settop(co, 0);
      s.give_thread(co);
    }
  }
  done = true;
  pest.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_GT(preempted, 50);
}

}  // namespace
}  // namespace troupe::script
