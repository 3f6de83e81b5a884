// SPDX-License-Identifier: Apache-2.0
//
// Every binding with every allocation of it failing: the agent may die of it, by its memory limit,
// or see it as an error; nothing leaks (AddressSanitizer looks), hangs or dies beside it.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>

#include "support/failing_memory.hpp"
#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

struct scenario {
  const char* name;
  const char* code;
};

/// Together they use every function of the modules written in C++; see uses_every_binding.
const scenario scenarios[] = {
    {"call", "return troupe.call('peer', 'echo', { 1, 'two', { three = 3.5 } }, 'text').three"},
    {"call_fails", "local v, err = troupe.call('nobody', 'x') return tostring(err)"},
    {"call_raises", "return pcall(troupe.call, 'peer', 'echo', { f = print })"},
    {"send",
     "troupe.send('peer', 'echo', { a = { b = 1 } }) return troupe.send(troupe.self(), 'echo')"},
    {"part", "return troupe.part({ 1, 2, 3 })"},
    {"stream",
     "local s <close> = troupe.stream('peer', 'count', 20) local n = 0 "
     "for p in s:parts() do n = n + #p end return { n, s:result() }"},
    {"stream_closed",
     "local s = troupe.stream('peer', 'count', 20) s:close() return pcall(s.result, s)"},
    {"defer", "local later = troupe.defer() later:reply({ 1, 2 }) return nil"},
    {"defer_fail",
     "local later = troupe.defer() later:fail(troupe.error('no', 'text', { 1 })) return nil"},
    {"detach", "troupe.detach() return troupe.call('peer', 'echo', 1)"},
    {"spawn", "local a, err = troupe.spawn { id = 'x', start = 'x.lua' } return err"},
    {"cron",
     "local t = require('troupe.timer').cron('0 0 * * mon', 'tick', { zone = '+01:00', args = { 1 "
     "} "
     "}) return t:cancel()"},
    {"sys",
     "local sys = require('troupe.sys') local me = troupe.self() self.state = { a = { 'b', 1.5 } } "
     "sys.suspend('mortal') sys.resume('mortal') sys.replace_state(me, sys.state(me)) "
     "return sys.inspect(me).path"},
    {"reload", "self.state = { a = {} } return require('troupe.sys').reload(troupe.self())"},
    {"find", "return troupe.find('peer') == troupe.find('peer')"},
    {"register", "return troupe.register('clerk')"},
    {"monitor", "local m = troupe.monitor('peer') troupe.demonitor(m) return m"},
    {"monitor_down",
     "troupe.monitor('mortal') troupe.send('mortal', 'end') return troupe.call('peer', 'echo', 1)"},
    {"link", "troupe.link('peer') troupe.unlink('peer') return true"},
    {"exit", "troupe.exit(troupe.error('tired', 'text'))"},
    {"current", "return troupe.current()"},
    {"progress", "troupe.progress(0.5, 'half')"},
    {"fail", "return nil, troupe.error('code', 'message', { deep = { data = 1 } })"},
    {"raise", "error(troupe.error('code', 'message'))"},
    {"unsendable", "return print"},
    {"supervisor", "local v, err = troupe.supervisor('peer'):which_children() return err"},
    {"json",
     "local json = require('troupe.json') "
     "return { json.decode(json.encode({ a = { 1, 2 }, n = json.null, o = json.object(), l = "
     "json.array() })), "
     "json.decode('{') == nil, json.encode(print) == nil, json.schema { a = 'string[]' } }"},
    {"log",
     "local log = require('troupe.log') log.debug('a') log.info('b', { c = 1 }) log.warning('d') "
     "log.error('e') print('line') return pcall(log.info, 'x', { f = print })"},
    {"time",
     "local time = require('troupe.time') return { time.now(), time.monotonic(), "
     "time.format(time.now()) }"},
    {"timer",
     "local timer = require('troupe.timer') timer.after(100, 'tick', { 1 }) "
     "timer.at(1e9, 'tick') local t = timer.every(1, 'tick', { args = { 'x' } }) return "
     "t:cancel()"},
    {"timer_ticks",
     "require('troupe.timer').after(0, 'tick', 'x') return troupe.call('peer', 'echo', 2)"},
    {"async",
     "local async = require('troupe.async') local t = async.run(function() async.sleep(1) return 5 "
     "end) "
     "local r = async.all { function() return 1 end, function() return troupe.call('peer', 'echo', "
     "2) end } "
     "for _, v in async.map({ 1, 2, 3 }, function(x) return x end, { limit = 2 }) do r[#r + 1] = v "
     "end "
     "r[#r + 1] = async.timeout(1, async.sleep, 5) == nil local held <close> = "
     "async.lock():acquire() "
     "r[#r + 1] = async.retry({ tries = 2, jitter = 1 }, function() return nil, "
     "troupe.error('down', 'x') end) == nil "
     "r[#r + 1] = t:wait() return r"},
    {"tool",
     "local tool, json = require('troupe.tool'), require('troupe.json') "
     "local t = tool.define { 'x', params = json.schema { a = 'string' }, run = function() return "
     "1 end } "
     "return { t.serve(self, { a = 'x' }), t.serve(self, {}) == nil, pcall(tool.define, { 'x', run "
     "= print, params = { type = 1 } }) }"},
    {"group",
     "local group = require('troupe.group') local v, err = group.call_all('x', 'y') return err"},
};

class failing_memory_test : public lua_agents {
 protected:
  std::unique_ptr<behaviour> failing(const std::string& code) {
    lua_settings settings;
    settings.shared = &shared;
    settings.script = text(R"(
      local troupe = require("troupe")
      local agent = troupe.agent { options = { size = 1, name = troupe.required("string") } }
      function agent.own.tick(self, x) self.state.x = x end
      function agent.own.echo() end
      function agent.on_down(self, monitor, reason) self.state.reason = reason end
      function agent.on_upgrade(self) self.state.b = {} self.other = 1 end
      function agent.on_exit(self, from, reason) self.state.from = from end
      function agent.on_stop(self, reason) self.state.reason = reason end
      function agent.on_start(self, start) self.state.first = start.first end
      function agent.on.go(self) )" +
                           code + R"( end
      return agent)");
    settings.options = value::map{{"name", "x"}};
    const auto folder = std::filesystem::path(testing::TempDir()) / "failing_memory";
    std::filesystem::create_directories(folder);
    std::ofstream(folder / "agent.lua") << settings.script->source;
    auto on_disk = std::make_shared<program>(*settings.script);
    on_disk->folder = folder;
    settings.script = std::move(on_disk);
    memory_.install(settings);
    return std::make_unique<lua_behaviour>(std::move(settings));
  }

  void add_peers(test::simulation& w) {
    const auto plain = [&](const std::string& body) { return agent(body); };
    ASSERT_TRUE(w.add("peer", plain(R"(
      function agent.on.echo(self, x) return x end
      function agent.on.count(self, n) for i = 1, n do troupe.part("part " .. i) end return n end
    )")));
    ASSERT_TRUE(w.add("mortal", plain("agent.on['end'] = function() troupe.exit() end")));
  }

  /// One run with growth refused after `n`; true if nothing was refused.
  bool attempt(const scenario& s, int n, bool from_start) {
    memory_.stop_failing();
    test::simulation w;
    add_peers(w);
    if (from_start) memory_.fail_after(n);
    auto made = w.add("subject", failing(s.code));
    if (made) {
      if (!from_start) memory_.fail_after(n);
      auto answer = w.call("subject", "go");
      w.advance(std::chrono::seconds(2));
      w.exit("subject", errc::shutdown);
    } else if (!memory_.refused()) {
      ADD_FAILURE() << s.name << ": " << made.error().describe();
    }
    const bool refused = memory_.refused();
    memory_.stop_failing();
    // Whatever became of it, the others live.
    auto alive = w.call("peer", "echo", {1});
    EXPECT_TRUE(alive) << s.name << " at " << n;
    return !refused;
  }

  test::failing_memory memory_;
};

TEST_F(failing_memory_test, survives_every_failing_allocation_of_a_start) {
  const auto tries = test::fail_each_allocation(
      [&](int n) {
        return attempt({"start", "return 1"}, n, true);
      },
      5000);
  EXPECT_GT(tries, 50);
}

class each_binding : public failing_memory_test, public testing::WithParamInterface<scenario> {};

TEST_P(each_binding, survives_every_failing_allocation) {
  const auto tries =
      test::fail_each_allocation([&](int n) { return attempt(GetParam(), n, false); }, 5000);
  EXPECT_GT(tries, 0);
}

INSTANTIATE_TEST_SUITE_P(each, each_binding, testing::ValuesIn(scenarios),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(failing_memory_test, uses_every_binding) {
  std::string all;
  for (const auto& s : scenarios)
    all += s.code;
  all += " agent( required( ";  // in the script around each
  auto a = add("lister", R"(
    function agent.on.names()
      local names = {}
      for _, module in ipairs { "troupe", "troupe.timer", "troupe.json", "troupe.log", "troupe.time" } do
        for name, f in pairs(require(module)) do
          if type(f) == "function" then names[#names + 1] = name end
        end
      end
      return names
    end
  )");
  auto names = world.call(a, "names");
  ASSERT_TRUE(names);
  EXPECT_GT(names->as_array().size(), 25u);
  for (const auto& name : names->as_array())
    EXPECT_THAT(all, testing::ContainsRegex(std::string(name.as_string()) + "[ ({,)]"))
        << "no scenario uses it";
}

}  // namespace
}  // namespace troupe::script
