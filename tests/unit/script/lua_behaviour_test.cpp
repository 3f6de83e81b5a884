// SPDX-License-Identifier: Apache-2.0
//
// What a Lua agent does with messages and how it ends, in the simulation.
#include "unit/script/lua_agents.hpp"

#include "base/msgpack.hpp"

namespace troupe::script {
namespace {

class lua_behaviour_test : public lua_agents {};

TEST_F(lua_behaviour_test, answers_a_call_with_the_first_result) {
  auto a = add("a", "function agent.on.add(self, x, y) return x + y, nil, 'more' end");
  EXPECT_EQ(call(a, "add", {1, 2}), "3");
  EXPECT_EQ(call(a, "add", {1.5, 2}), "3.5");
}

TEST_F(lua_behaviour_test, passes_nil_arguments_in_their_places) {
  auto a = add("a", "function agent.on.count(self, ...) return select('#', ...) end");
  EXPECT_EQ(call(a, "count", {nullptr, 1, nullptr}), "3");
  EXPECT_EQ(call(a, "count"), "0");
}

TEST_F(lua_behaviour_test, answers_nil_and_an_error_with_the_error) {
  auto a = add("a", R"(
    function agent.on.text() return nil, "no luck" end
    function agent.on.record() return nil, troupe.error("busy", "later", { n = 1 }) end
    function agent.on.nothing() return nil end
    function agent.on.no() return false, "not an error" end
  )");
  EXPECT_EQ(call(a, "text"), "failed: no luck (a)");
  auto answer = world.call(a, "record");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "busy");
  EXPECT_EQ(answer.error().data["n"], value(1));
  EXPECT_EQ(call(a, "nothing"), "null");
  EXPECT_EQ(call(a, "no"), "false");
}

TEST_F(lua_behaviour_test, names_an_unknown_verb) {
  auto a = add("a", "function agent.own.mine() end");
  EXPECT_EQ(call(a, "say"), "unknown_verb: a has no verb say (a)");
  EXPECT_EQ(call(a, "mine"), "unknown_verb: a has no verb mine (a)");
  EXPECT_TRUE(world.alive(a));
}

TEST_F(lua_behaviour_test, lets_an_agent_send_to_verbs_of_its_own) {
  auto a = add("a", R"(
    function agent.own.note(self, x) self.state.seen = x end
    function agent.on.go(self) troupe.send(troupe.self(), "note", 7) end
    function agent.on.seen(self) return self.state.seen end
  )");
  call(a, "go");
  EXPECT_EQ(call(a, "seen"), "7");
}

TEST_F(lua_behaviour_test, calls_another_agent_by_address_and_by_name) {
  auto b = add("desk/b", "function agent.on.double(self, x) return 2 * x end");
  auto a = add("desk/a", R"(
    function agent.on.by_path(self, x) return troupe.call("desk/b", "double", x) end
    function agent.on.by_sibling(self, x) return troupe.call("./b", "double", x) end
    function agent.on.by_address(self, to, x) return troupe.call(to, "double", x) end
    function agent.on.found(self) return troupe.find("desk/b") end
  )");
  EXPECT_EQ(call(a, "by_path", {4}), "8");
  EXPECT_EQ(call(a, "by_sibling", {4}), "8");
  EXPECT_EQ(call(a, "by_address", {to_value(b), 4}), "8");
  auto found = world.call(a, "found");
  ASSERT_TRUE(found);
  EXPECT_EQ(address_from(*found), b);
}

TEST_F(lua_behaviour_test, sees_the_error_of_a_failed_call_as_a_value) {
  auto a = add("a", R"(
    function agent.on.try(self)
      local value, err = troupe.call("nobody", "x")
      return { value = value, code = err.code, text = tostring(err) }
    end
  )");
  EXPECT_EQ(call(a, "try"),
            R"({"code":"no_such_agent","text":"no_such_agent: no agent is called nobody"})");
}

TEST_F(lua_behaviour_test, crashes_with_file_line_and_traceback_when_a_handler_raises) {
  auto a = add("a", "function agent.on.go(self) return self.missing.field end");
  auto answer = world.call(a, "go");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "down");
  ASSERT_TRUE(answer.error().cause);
  EXPECT_EQ(answer.error().cause->code, "crash");
  EXPECT_THAT(answer.error().cause->message, testing::StartsWith("agent.lua:3: attempt to index"));
  EXPECT_THAT(answer.error().cause->traceback, testing::HasSubstr("agent.lua:3: in"));
  EXPECT_FALSE(world.alive(a));
}

TEST_F(lua_behaviour_test, keeps_a_raised_record_as_the_cause_of_the_crash) {
  auto a = add("a", "function agent.on.go() error(troupe.error('bad_line', 'line 8')) end");
  call(a, "go");
  EXPECT_EQ(reason_of(a), "crash: raised at agent.lua:3 (a); because bad_line: line 8");
}

TEST_F(lua_behaviour_test, serves_one_message_at_a_time_even_while_it_waits) {
  add("slow", R"(
    local async = require("troupe.async")
    function agent.on.wait() async.sleep(1) return true end
  )");
  auto a = add("a", R"(
    function agent.on_start(self) self.log = {} end
    function agent.on.go(self, n)
      table.insert(self.log, "begin " .. n)
      troupe.call("slow", "wait")
      table.insert(self.log, "end " .. n)
    end
    function agent.on.log(self) return self.log end
  )");
  world.send(a, "go", {1});
  world.send(a, "go", {2});
  EXPECT_EQ(call(a, "log"), R"(["begin 1","end 1","begin 2","end 2"])");
}

TEST_F(lua_behaviour_test, serves_more_where_the_agent_says_so) {
  auto made = world.add("a", lua(R"(
    local troupe, async = require("troupe"), require("troupe.async")
    local agent = troupe.agent { concurrent = { "status" } }
    function agent.on.go(self) self.state.busy = true async.sleep(10) self.state.busy = false end
    function agent.on.status(self) return self.state.busy end
    return agent
  )"));
  ASSERT_TRUE(made) << made.error().describe();
  world.send(*made, "go");
  EXPECT_EQ(call(*made, "status"), "true");
  world.advance(std::chrono::seconds(11));
  EXPECT_EQ(call(*made, "status"), "false");
}

TEST_F(lua_behaviour_test, tells_what_it_serves) {
  auto a = add("a", R"(
    function agent.on.who(self)
      local now = troupe.current()
      return { now.verb, now.kind, now.deadline, now.from ~= nil, now.trace ~= nil }
    end
  )");
  EXPECT_EQ(call(a, "who"), R"(["who","call",30.0,true,true])");
}

TEST_F(lua_behaviour_test, ends_a_coroutine_whose_caller_gave_up_and_closes_its_variables) {
  auto a = add("a", R"(
    local async = require("troupe.async")
    function agent.on_start(self) self.log = {} end
    local function note(self, text)
      return setmetatable({}, { __close = function() table.insert(self.log, text) end })
    end
    function agent.on.go(self)
      local outer <close> = note(self, "outer")
      local ok = pcall(function()
        local inner <close> = note(self, "inner")
        async.sleep(100)
      end)
      table.insert(self.log, "went on")
    end
    function agent.on.log(self) return self.log end
  )");
  auto answer = world.call(a, "go", {}, {.timeout = std::chrono::seconds(5)});
  EXPECT_EQ(answer.error().code, "timeout");
  EXPECT_EQ(call(a, "log"), R"(["inner","outer"])");
}

TEST_F(lua_behaviour_test, lets_a_detached_handler_go_on_without_its_caller) {
  auto a = add("a", R"(
    local async = require("troupe.async")
    function agent.on.go(self)
      troupe.detach()
      async.sleep(100)
      self.state.done = true
    end
    function agent.on.done(self) return self.state.done end
  )");
  EXPECT_FALSE(world.call(a, "go", {}, {.timeout = std::chrono::seconds(5)}));
  world.advance(std::chrono::seconds(200));
  EXPECT_EQ(call(a, "done"), "true");
}

TEST_F(lua_behaviour_test, answers_later_through_a_handle) {
  add("a", R"(
    function agent.on.wait(self) self.later = troupe.defer() return "ignored" end
    function agent.on.release(self, x) self.later:reply(x) return true end
    function agent.on.refuse(self) self.later:fail("no") return true end
  )");
  add("b", "function agent.on.ask() return troupe.call('a', 'wait') end");
  add("c", R"(
    local async = require("troupe.async")
    function agent.on.go(self, how)
      local asked = async.run(troupe.call, "b", "ask")
      async.sleep(1)
      troupe.call("a", how, 42)
      local value, err = asked:wait()
      return value or err.code
    end
  )");
  EXPECT_EQ(call("c", "go", {"release"}), "42");
  EXPECT_EQ(call("c", "go", {"refuse"}), "\"failed\"");
}

TEST_F(lua_behaviour_test, streams_parts_under_credit) {
  add("source", R"(
    function agent.on.count(self, n)
      for i = 1, n do
        if not troupe.part(i) then self.state.unread = i break end
      end
      return "end"
    end
    function agent.on.unread(self) return self.state.unread end
  )");
  add("reader", R"(
    function agent.on.sum(self, n)
      local s <close> = troupe.stream("source", "count", n)
      local sum = 0
      for part in s:parts() do sum = sum + part end
      return { sum, s:result(), (s:result()) }
    end
    function agent.on.skip(self, n)
      local s <close> = troupe.stream("source", "count", n)
      return s:result()
    end
    function agent.on.leave(self, n)
      local s <close> = troupe.stream("source", "count", n)
      for part in s:parts() do if part == 3 then return part end end
    end
  )");
  EXPECT_EQ(call("reader", "sum", {1000}), R"([500500,"end","end"])");
  EXPECT_EQ(call("reader", "skip", {1000}), R"("end")");
  EXPECT_EQ(call("reader", "leave", {1000}), "3");
  EXPECT_EQ(call("source", "count", {5}), R"("end")") << "a caller that wants no parts";
  EXPECT_EQ(call("source", "unread"), "1");
}

TEST_F(lua_behaviour_test, ends_a_writer_that_computes_while_its_reader_leaves) {
  add("source", R"(
    function agent.on.flood(self)
      local _ <close> = setmetatable({}, { __close = function() self.ended = true end })
      while true do
        for _ = 1, 3000 do end
        troupe.part(1)
      end
    end
    function agent.on.ended(self) return self.ended end
  )");
  add("reader", R"(
    function agent.on.leave(self)
      local s <close> = troupe.stream("source", "flood")
      for _ in s:parts() do return "left" end
    end
  )");
  EXPECT_EQ(call("reader", "leave"), R"("left")");
  for (int i = 0; i < 10'000 && world.step(world.now()); ++i) {
  }
  ASSERT_FALSE(world.step(world.now())) << "it still writes";
  EXPECT_EQ(call("source", "ended"), "true");
}

TEST_F(lua_behaviour_test, forgets_a_stream_whose_reader_is_ended) {
  add("source", R"(
    local async = require("troupe.async")
    function agent.on.slow(self)
      troupe.detach()
      for i = 1, 5 do async.sleep(4) troupe.part(i) end
      return "end"
    end
    function agent.on.wait(self) require("troupe.async").sleep(20) return "waited" end
  )");
  auto reader = add("reader", R"(
    function agent.on.read(self)
      local s = troupe.stream("source", "slow")  -- not closed by itself
      for part in s:parts() do end
    end
    function agent.on.other(self) return troupe.call("peer", "wait") end
  )");
  add("peer", R"(
    function agent.on.wait(self) require("troupe.async").sleep(20) return "waited" end
  )");
  auto gone = world.call(reader, "read", {}, {.timeout = std::chrono::seconds(2)});
  EXPECT_EQ(gone.error().code, "timeout");
  EXPECT_EQ(call(reader, "other"), R"("waited")") << "a part must not wake who reads no more";
}

TEST_F(lua_behaviour_test, forgets_the_credit_that_an_ended_task_waited_for) {
  add("peer", R"(
    function agent.on.wait(self) require("troupe.async").sleep(5) return "waited" end
  )");
  auto source = add("source", R"(
    function agent.on.flood() for i = 1, 100 do troupe.part(i) end end
    function agent.on.mixed()
      for i = 1, 10 do troupe.part(i) end
      return troupe.call("peer", "wait")  -- credit comes meanwhile
    end
  )");
  add("reader", R"(
    function agent.on.leave() local s <close> = troupe.stream("source", "flood") return s:parts()() end
    function agent.on.read()
      local s <close> = troupe.stream("source", "mixed")
      for part in s:parts() do end
      return s:result()
    end
  )");
  EXPECT_EQ(call("reader", "leave"), "1");
  EXPECT_EQ(call("reader", "read"), R"("waited")");
  EXPECT_TRUE(world.alive(source)) << reason_of(source);
}

TEST_F(lua_behaviour_test, refuses_a_call_that_waits_for_itself) {
  auto a = add("a", R"(
    function agent.on.go(self) local v, err = troupe.call("a", "go") return err.code end
    function agent.on.around(self) local v, err = troupe.call("b", "back") return err.code end
  )");
  add("b", "function agent.on.back() return troupe.call('a', 'go') end");
  EXPECT_EQ(call(a, "go"), R"("deadlock")");
  EXPECT_EQ(call(a, "around"), R"("deadlock")");
}

TEST_F(lua_behaviour_test, crashes_when_a_handler_yields_to_nobody) {
  auto a = add("a", "function agent.on.go() coroutine.yield(1) end");
  call(a, "go");
  EXPECT_EQ(world.reason_of(a)->code, "crash");
  EXPECT_THAT(world.reason_of(a)->message, testing::HasSubstr("agent.lua:3: "));
}

TEST_F(lua_behaviour_test, waits_inside_coroutines_of_the_script) {
  auto a = add("a", R"(
    function agent.on.echo(self, x) return x end
    function agent.on.go(self)
      local each = coroutine.wrap(function()
        for i = 1, 3 do coroutine.yield((troupe.call("b", "double", i))) end
      end)
      return { each(), each(), each() }
    end
  )");
  add("b", "function agent.on.double(self, x) return 2 * x end");
  EXPECT_EQ(call(a, "go"), "[2,4,6]");
}

TEST_F(lua_behaviour_test, runs_hooks_for_monitors_links_and_stop) {
  auto watcher = add("watcher", R"(
    function agent.on_start(self) self.log = {} end
    function agent.on.watch(self, whom) self.monitor = troupe.monitor(whom) end
    function agent.on.tie(self, whom) troupe.link(whom) end
    function agent.on_down(self, monitor, reason)
      table.insert(self.log, { monitor == self.monitor, reason.code })
    end
    function agent.on_exit(self, from, reason) table.insert(self.log, { tostring(from) ~= "", reason.code }) end
    function agent.on.log(self) return self.log end
  )");
  add("a", "function agent.on.go() error('x') end");
  add("b", "function agent.on.go() troupe.exit('shutdown') end");
  call(watcher, "watch", {"a"});
  call(watcher, "tie", {"b"});
  world.send("a", "go");
  world.send("b", "go");
  world.settle();
  EXPECT_EQ(call(watcher, "log"), R"([[true,"crash"],[true,"shutdown"]])");
}

TEST_F(lua_behaviour_test, ends_with_the_reason_that_exit_names) {
  auto a = add("a", "function agent.on.go() troupe.exit() error('not reached') end");
  world.send(a, "go");
  world.settle();
  EXPECT_EQ(world.reason_of(a)->code, "normal");
  auto b = add("b", "function agent.on.go() troupe.exit(troupe.error('tired', 'enough')) end");
  world.send(b, "go");
  world.settle();
  EXPECT_EQ(reason_of(b), "tired: enough (b)");
}

TEST_F(lua_behaviour_test, gives_a_name_and_finds_it_taken) {
  auto a = add("a", "function agent.on.go() return troupe.register('clerk') end");
  auto b = add(
      "b",
      "function agent.on.go() local ok, err = troupe.register('clerk') return ok or err.code end");
  EXPECT_EQ(call(a, "go"), "true");
  EXPECT_EQ(call(b, "go"), "\"exists\"");
  EXPECT_EQ(call("clerk", "go"), "true") << "it is its own already";
}

TEST_F(lua_behaviour_test, raises_where_it_is_used_wrongly) {
  auto a = add("a", R"(
    function agent.on.try(self, code)
      local ok, why = pcall(load(code, "=code", "t", setmetatable({ troupe = troupe }, { __index = _G })))
      return ok and "accepted" or tostring(why)
    end
  )");
  const auto refused = [&](const std::string& code) { return call(a, "try", {code}); };
  EXPECT_THAT(refused("troupe.call()"), testing::HasSubstr("address or name expected"));
  EXPECT_THAT(refused("troupe.call({}, 'x')"),
              testing::HasSubstr("address or name expected, got table"));
  EXPECT_THAT(refused("troupe.call('a')"), testing::HasSubstr("verb expected"));
  EXPECT_THAT(refused("troupe.call('a', '@start')"), testing::HasSubstr("belong to the runtime"));
  EXPECT_THAT(refused("troupe.send('a', 'x', print)"),
              testing::HasSubstr("a function is no plain data (at argument 1)"));
  EXPECT_THAT(refused("troupe.error()"), testing::HasSubstr("string expected"));
  EXPECT_THAT(refused("troupe.part(print)"), testing::HasSubstr("a function is no plain data"));
  EXPECT_THAT(refused("troupe.part(('x'):rep(1 << 20))"), testing::HasSubstr("64 KiB"));
  EXPECT_THAT(refused("require('troupe.async').sleep(-1)"), testing::HasSubstr("below zero"));
  EXPECT_THAT(refused("require('troupe.async').sleep(0/0)"), testing::HasSubstr("not a number"));
  EXPECT_THAT(refused("require('troupe.asink')"),
              testing::HasSubstr("did you mean \\\"troupe.async\\\""));
  EXPECT_THAT(refused("require('troupe._schema')"), testing::HasSubstr("unknown module"));
  EXPECT_THAT(refused("require('../x')"), testing::HasSubstr("beside the script"));
  EXPECT_TRUE(world.alive(a));
}

TEST_F(lua_behaviour_test, refuses_a_body_that_does_not_fit_and_lives_on) {
  auto a = add("a", R"(
    function agent.on.size(self, x) return #x end
    function agent.on.fetch(self) local v, err = troupe.call("big", "get") return v and #v or err.code end
  )");
  ASSERT_TRUE(world.add("big", [](context& ctx, envelope& e) {
    if (e.kind == kind::call) ctx.reply(e.cause, *pack(std::string(10u << 20, 'x')));
  }));
  EXPECT_EQ(call(a, "size", {std::string(1u << 20, 'x')}), "1048576");
  EXPECT_THAT(call(a, "size", {std::string(10u << 20, 'x')}), testing::StartsWith("too_big"));
  EXPECT_EQ(call(a, "fetch"), "\"too_big\"");
  EXPECT_EQ(call(a, "size", {"abc"}), "3");
}

TEST_F(lua_behaviour_test, dies_alone_of_its_memory_limit) {
  auto a = add("a",
               "function agent.on.go() local t = {} while true do t[#t + 1] = ('x'):rep(1000) .. "
               "#t end end");
  call(a, "go");
  EXPECT_EQ(world.reason_of(a)->code, "limit");
  EXPECT_EQ(world.reason_of(a)->data["what"], value("memory"));
}

TEST_F(lua_behaviour_test, can_be_killed_in_an_endless_loop) {
  auto a = add("a", "function agent.on.go() while true do end end");
  auto b = add("b", R"(
    local function loop() while true do end end
    function agent.on.go() xpcall(loop, loop) end
  )");
  add("c", R"(
    function agent.on.start_them() troupe.send("a", "go") troupe.send("b", "go") end
    function agent.on.add(self, x) return x + 1 end
  )");
  ASSERT_TRUE(world.add("killer", [&](context& ctx, envelope& e) {
    if (e.kind != kind::call) return;
    ctx.exit(a, error(errc::kill, "enough"));
    ctx.exit(b, error(errc::kill, "enough"));
    ctx.reply(e.cause, *pack(true));
  }));
  call("c", "start_them");
  for (int i = 0; i < 200; ++i)
    world.step(world.now());
  EXPECT_EQ(call("c", "add", {1}), "2") << "others go on";
  EXPECT_TRUE(world.alive(a));
  call("killer", "go");
  world.settle();
  EXPECT_EQ(world.reason_of(a)->code, "killed");
  EXPECT_EQ(world.reason_of(b)->code, "killed");
}

// -- what the runtime holds for a script counts as its memory

TEST_F(lua_behaviour_test, timers_and_streams_count_as_the_scripts_memory_until_they_are_over) {
  memory = 2u << 20;
  const auto mute = add("mute", R"(
    local async = require("troupe.async")
    function agent.on.never() async.sleep(1e6) end
  )");
  const auto a = add("a", R"(
    local timer = require("troupe.timer")
    local text = ("x"):rep(1000)
    function agent.own.tick() end
    function agent.on.again_and_again(self, mute)
      for i = 1, 20000 do
        timer.after(1000, "tick", text):cancel()
        troupe.stream(mute, "never"):close()
      end
      return "fine"
    end
    function agent.on.ticks() for i = 1, 1000 do timer.after(0, "tick") end return true end
    function agent.on.timers() while true do timer.after(1000, "tick", text) end end
  )");
  EXPECT_EQ(call(a, "again_and_again", {to_value(mute)}), "\"fine\"");
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(call(a, "ticks"), "true") << i;
  for (const char* verb : {"timers", "streams"}) {
    const auto b = verb[0] == 't' ? a : add("b", R"(
      function agent.on.streams(self, mute)
        local all = {}
        while true do all[#all + 1] = troupe.stream(mute, "never") end
      end
    )");
    world.send(b, verb, {to_value(mute)});
    world.settle();
    ASSERT_NE(world.reason_of(b), nullptr) << verb;
    EXPECT_TRUE(world.reason_of(b)->is(errc::limit)) << reason_of(b);
    EXPECT_EQ(*world.reason_of(b)->data.find("what"), value("memory"));
  }
}

}  // namespace
}  // namespace troupe::script
