// SPDX-License-Identifier: Apache-2.0
//
// troupe.async and troupe.timer: several things at once inside one agent, and later.
#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

class async_test : public lua_agents {
 protected:
  /// What `code` returns inside a handler; `log` notes what happened when.
  std::string run(const std::string& code) {
    const auto path = "agent" + std::to_string(++count_);
    auto made = world.add(path, lua(R"(
      local troupe, async = require("troupe"), require("troupe.async")
      local time = require("troupe.time")
      local agent = troupe.agent { concurrent = { "log", "poke" } }
      local log, began = {}, 0
      local function note(...) log[#log + 1] = table.concat({ ... }, " ") end
      local function seconds() return math.floor(time.monotonic() - began + 0.5) end
      local function after(s, ...) async.sleep(s) return ... end
      function agent.on.go(self) began = time.monotonic() )" +
                                    code + R"( end
      function agent.on.log() return log end
      return agent
    )"));
    EXPECT_TRUE(made) << made.error().describe();
    path_ = path;
    auto answer = world.call(path, "go", {}, {.timeout = std::chrono::hours(1)});
    return answer ? show(*answer) : answer.error().describe();
  }
  std::string log() { return call(path_, "log"); }

 private:
  int count_ = 0;
  std::string path_;
};

TEST_F(async_test, sleeps) {
  EXPECT_EQ(run("local ok = async.sleep(2.5) return { ok, seconds() }"), "[true,3]");
  EXPECT_EQ(run("async.sleep(0) return seconds()"), "0");
}

TEST_F(async_test, runs_all_at_once_and_keeps_their_order) {
  EXPECT_EQ(run(R"(
    local r = async.all { function() return after(3, "a") end, function() return after(1, "b") end }
    return { r[1], r[2], seconds() })"),
            R"(["a","b",3])");
  EXPECT_EQ(run("return async.all {}"), "[]");
}

TEST_F(async_test, ends_all_at_the_first_failure) {
  EXPECT_EQ(run(R"(
    local function slow()
      local _ <close> = setmetatable({}, { __close = function() note("ended at", seconds()) end })
      async.sleep(100)
      note("went on")
    end
    local r, err = async.all { slow, function() return after(1, nil, "no") end }
    return { tostring(r), err, seconds() })"),
            R"(["nil","no",1])");
  EXPECT_EQ(log(), R"(["ended at 1"])");
}

TEST_F(async_test, raises_in_the_caller_what_a_task_raises) {
  EXPECT_EQ(run(R"(
    local ok, err = pcall(async.all, { function() async.sleep(1) error("oh") end, function() async.sleep(9) end })
    return { ok, err, seconds() })"),
            R"([false,"agent.lua:10: oh",1])");
}

TEST_F(async_test, takes_the_first_that_succeeds) {
  EXPECT_EQ(run(R"(
    return { async.first {
      function() return after(3, "slow") end,
      function() return after(1, nil, "failed") end,
      function() return after(2, "fast") end,
    }, seconds() })"),
            R"(["fast",2])");
  EXPECT_EQ(run(R"(
    local v, err = async.first { function() return nil, "a" end, function() return after(1, nil, "b") end }
    return err)"),
            R"("b")");
}

TEST_F(async_test, maps_a_list_with_a_limit) {
  EXPECT_EQ(run(R"(
    local open, most, sum = 0, 0, 0
    for item, value, err in async.map({ 1, 2, 3, 4, 5, 6, 7 }, function(n)
      open = open + 1
      most = math.max(most, open)
      async.sleep(1)
      open = open - 1
      return n * n
    end, { limit = 3 }) do sum = sum + value end
    return { sum, most, seconds() })"),
            "[140,3,3]");
}

TEST_F(async_test, maps_in_order_if_asked_to) {
  EXPECT_EQ(run(R"(
    local got = {}
    for item, value in async.map({ 3, 1, 2 }, function(n) return after(n, n * 10) end, { ordered = true }) do
      got[#got + 1] = value
    end
    return got)"),
            "[30,10,20]");
  EXPECT_EQ(run(R"(
    local got = {}
    for item, value in async.map({ 3, 1, 2 }, function(n) return after(n, n * 10) end) do
      got[#got + 1] = value
    end
    return got)"),
            "[10,20,30]");
}

TEST_F(async_test, maps_an_iterator_and_hands_out_failures) {
  EXPECT_EQ(run(R"(
    local i, got = 0, {}
    local function source() i = i + 1 async.sleep(1) if i <= 3 then return i end end
    for item, value, err in async.map(source, function(n)
      if n == 2 then return nil, "odd one" end
      return n
    end) do got[#got + 1] = item .. ":" .. (err or value) end
    return got)"),
            R"(["1:1","2:odd one","3:3"])");
}

TEST_F(async_test, ends_what_is_left_of_a_map_when_the_loop_is_left) {
  EXPECT_EQ(run(R"(
    for item, value in async.map({ 1, 50, 60 }, function(n)
      local _ <close> = setmetatable({}, { __close = function() note("closed", n, seconds()) end })
      return after(n, n)
    end) do break end
    async.sleep(100)
    return seconds())"),
            "101");
  EXPECT_EQ(log(), R"(["closed 1 1","closed 50 1","closed 60 1"])");
}

TEST_F(async_test, bounds_a_call_in_time) {
  EXPECT_EQ(run(R"(
    local v, err = async.timeout(2, after, 10, "late")
    return { tostring(v), err.code, err.message, seconds() })"),
            R"(["nil","timeout","it took longer than 2 s",2])");
  EXPECT_EQ(run("return { async.timeout(20, after, 10, 'a', 'b') }"), R"(["a","b"])");
  EXPECT_EQ(run("return { pcall(async.timeout, 5, error, 'oh', 0) }"), R"([false,"oh"])");
}

TEST_F(async_test, gives_a_call_more_time_than_usual) {
  add("slow", R"(
    local async = require("troupe.async")
    function agent.on.work(self, s) async.sleep(s) return "done" end
  )");
  EXPECT_EQ(run("local v, err = troupe.call('slow', 'work', 60) return err.code"), R"("timeout")");
  EXPECT_EQ(run("return async.timeout(100, troupe.call, 'slow', 'work', 60)"), R"("done")");
  EXPECT_EQ(run(R"(
    local v, err = async.timeout(100, async.timeout, 5, troupe.call, 'slow', 'work', 60)
    return { err.code, seconds() })"),
            R"(["timeout",5])");
}

TEST_F(async_test, tries_again_what_may_succeed_later) {
  EXPECT_EQ(run(R"(
    local n = 0
    local v = async.retry({ tries = 5, backoff = { 1, 4 }, jitter = 0 }, function()
      n = n + 1
      if n < 5 then return nil, troupe.error("overloaded", "later") end
      return "got it"
    end)
    return { v, n, seconds() })"),
            R"(["got it",5,11])")
      << "1 + 2 + 4 + 4 seconds";
  EXPECT_EQ(run(R"(
    local n = 0
    local v, err = async.retry({ tries = 5 }, function() n = n + 1 return nil, troupe.error("denied", "no") end)
    return { n, err.code })"),
            R"([1,"denied"])");
  EXPECT_EQ(run(R"(
    local n = 0
    local v, err = async.retry({ tries = 2, on = { "mine" }, jitter = 0 }, function()
      n = n + 1
      local err = troupe.error("mine", "wait")
      err.retry_after = 7
      return nil, err
    end)
    return { n, seconds() })"),
            "[2,7]");
}

TEST_F(async_test, lets_one_at_a_time_behind_a_lock) {
  EXPECT_EQ(run(R"(
    local lock = async.lock()
    local function work(name)
      return function()
        local held <close> = lock:acquire()
        note(name, "in", seconds())
        async.sleep(1)
        return true
      end
    end
    async.all { work("a"), work("b"), work("c") }
    async.timeout(0.5, function() async.all { work("d"), work("e") } end)
    async.all { work("f") }
    return seconds())"),
            "5");
  EXPECT_EQ(log(), R"(["a in 0","b in 1","c in 2","d in 3","f in 4"])")
      << "e was ended while it waited and must not keep the lock";
}

TEST_F(async_test, runs_beside_the_handler) {
  EXPECT_EQ(run(R"(
    local t = async.run(function(x) async.sleep(2) return x, "more" end, "x")
    note("started", seconds())
    return { t:wait() })"),
            R"(["x","more"])");
  EXPECT_EQ(run(R"(
    local t = async.run(async.sleep, 100)
    local u = async.run(function() async.sleep(1) t:cancel() end)
    local v, err = t:wait()
    return { err.code, seconds() })"),
            R"(["cancelled",1])");
}

TEST_F(async_test, goes_on_in_the_background_after_the_handler) {
  auto a = add("a", R"(
    local async = require("troupe.async")
    function agent.on.go(self)
      async.run(function() for i = 1, 3 do async.sleep(1) self.state.n = i end end)
      return "answered"
    end
    function agent.on.n(self) return self.state.n end
  )");
  EXPECT_EQ(call(a, "go"), R"("answered")");
  world.advance(std::chrono::seconds(10));
  EXPECT_EQ(call(a, "n"), "3");
}

TEST_F(async_test, crashes_when_nobody_waits_for_what_a_task_raises) {
  auto a = add("a", R"(
    local async = require("troupe.async")
    function agent.on.go() async.run(function() error("oh") end) return true end
  )");
  call(a, "go");
  world.settle();
  EXPECT_EQ(reason_of(a), "crash: agent.lua:5: oh (a)");
}

TEST_F(async_test, refuses_wrong_arguments) {
  for (const auto* code :
       {"async.all(1)", "async.all({ 1 })", "async.first({})", "async.map(1, print)",
        "async.map({}, print, { limits = 3 })", "async.map({}, print, { limit = 0 })",
        "async.timeout(-1, print)", "async.timeout(0/0, print)", "async.timeout(1)",
        "async.retry({ trys = 1 }, print)", "async.retry({}, 1)", "async.run(1)"}) {
    EXPECT_THAT(run("return pcall(function() return " + std::string(code) + " end)"), "false")
        << code;
  }
}

TEST_F(async_test, timers_call_own_verbs) {
  auto a = add("a", R"(
    local timer = require("troupe.timer")
    local time = require("troupe.time")
    function agent.on_start(self)
      self.log, self.began = {}, time.monotonic()
      timer.after(2, "note", "after", 2)
      self.every = timer.every(3, "note", { args = { "every" } })
      timer.at(time.now() + 5, "note", "at")
    end
    function agent.own.note(self, ...)
      self.log[#self.log + 1] = table.concat({ ... }, " ") .. " " .. math.floor(time.monotonic() - self.began + 0.5)
    end
    function agent.on.stop_it(self) return self.every:cancel() end
    function agent.on.log(self) return self.log end
  )");
  world.advance(std::chrono::seconds(7));
  EXPECT_EQ(call(a, "log"), R"(["after 2 2","every 3","at 5","every 6"])");
  EXPECT_EQ(call(a, "stop_it"), "true");
  EXPECT_EQ(call(a, "stop_it"), "false");
  world.advance(std::chrono::seconds(20));
  EXPECT_EQ(call(a, "log"), R"(["after 2 2","every 3","at 5","every 6"])");
}

TEST_F(async_test, late_ticks_are_one_and_none_overlaps) {
  auto a = add("a", R"(
    local timer, async, time = require("troupe.timer"), require("troupe.async"), require("troupe.time")
    function agent.on_start(self)
      self.log, self.began = {}, time.monotonic()
      timer.every(1, "slow")
    end
    function agent.own.slow(self)
      self.log[#self.log + 1] = math.floor(time.monotonic() - self.began + 0.5)
      if #self.log == 1 then async.sleep(3.5) end
    end
    function agent.on.log(self) return self.log end
  )");
  world.advance(std::chrono::milliseconds(6500));
  EXPECT_EQ(call(a, "log"), "[1,5,6]");
}

TEST_F(async_test, refuses_timers_of_verbs_that_are_not_there) {
  auto a = add("a", R"(
    local timer = require("troupe.timer")
    function agent.on.try(self, ...) local ok, err = pcall(...) return err end
    function agent.on.go(self, s, verb)
      local ok, err = pcall(timer.after, s, verb)
      return tostring(err)
    end
    function agent.own.tick() end
  )");
  EXPECT_THAT(call(a, "go", {1, "tock"}), testing::HasSubstr("there is no agent.own.tock"));
  EXPECT_THAT(call(a, "go", {-1, "tick"}), testing::HasSubstr("below zero"));
  EXPECT_THAT(call(a, "go", {1, "go"}), testing::HasSubstr("there is no agent.own.go"));
}

}  // namespace
}  // namespace troupe::script
