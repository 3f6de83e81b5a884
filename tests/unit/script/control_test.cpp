// SPDX-License-Identifier: Apache-2.0
//
// What is asked of a Lua agent beside its messages: its inside, another state, other code.
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "agent/control.hpp"
#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

class control_test : public lua_agents {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder); }
  void TearDown() override { std::filesystem::remove_all(folder); }

  void write(const std::string& name, const std::string& source) {
    std::ofstream(folder / name) << source;
  }
  /// The agent's file: what stands between `troupe.agent { form }` and `return agent`.
  void write_agent(const std::string& form, const std::string& body) {
    write("agent.lua", "local troupe = require('troupe')\nlocal agent = troupe.agent { " + form +
                           " }\n" + body + "\nreturn agent");
  }
  address start(value options = value::map{}, authority_ptr rights = nullptr) {
    lua_settings settings;
    settings.shared = &shared;
    settings.script = *read_program("agent.lua", folder);
    settings.options = std::move(options);
    settings.memory = memory;
    process_init init;
    init.path = "a";
    init.actions = std::make_unique<lua_behaviour>(std::move(settings));
    init.rights = std::move(rights);
    auto made = world.add(std::move(init));
    EXPECT_TRUE(made) << made.error().describe();
    return made ? *made : address{};
  }
  std::string reload() { return call("a", upgrade_verb); }

  const std::filesystem::path folder =
      std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + "_control_test");
};

constexpr const char* counter = R"(
  function agent.on_start(self) self.state.count = 0 end
  function agent.on.add(self) self.state.count = self.state.count + 1 return self.state.count end
)";

TEST_F(control_test, a_reload_runs_the_new_code_on_the_state_there_is) {
  write_agent("", counter);
  start();
  EXPECT_EQ(call("a", "add"), "1");
  write_agent("",
              "function agent.on.add(self) self.state.count = self.state.count + 10 "
              "return self.state.count end function agent.on.fresh() return 'new' end");
  EXPECT_EQ(reload(), R"({"from":1,"slots":1,"version":1,"overlapping":[]})");
  EXPECT_EQ(call("a", "add"), "11");
  EXPECT_EQ(call("a", "fresh"), "\"new\"");
}

TEST_F(control_test, a_file_that_does_not_load_changes_nothing_and_is_named_with_its_line) {
  write_agent("", counter);
  start();
  EXPECT_EQ(call("a", "add"), "1");
  write_agent("", "function agent.on.add( end");
  EXPECT_THAT(reload(), testing::StartsWith("syntax: agent.lua:3: "));
  write("agent.lua", "\nerror('oh')");
  EXPECT_THAT(reload(), testing::StartsWith("crash: agent.lua:2: oh"));
  write("agent.lua", "return {}");
  EXPECT_THAT(reload(), testing::HasSubstr("agent.lua returned a table instead of an agent"));
  std::filesystem::remove(folder / "agent.lua");
  EXPECT_THAT(reload(), testing::StartsWith("not_found: agent.lua: "));
  EXPECT_EQ(call("a", "add"), "2");
}

TEST_F(control_test, files_that_are_required_are_read_anew_and_taken_back_after_a_failure) {
  const std::string body =
      "local lib = require('lib') function agent.on.lib() return lib.name end "
      "function agent.on.late() return require('lib').name end ";
  write_agent("", body);
  write("lib.lua", "return { name = 'old' }");
  start();
  write("lib.lua", "return { name = 'new' }");
  write_agent("", body + "error('no')");
  EXPECT_THAT(reload(), testing::HasSubstr("no"));
  EXPECT_EQ(call("a", "lib") + call("a", "late"), R"("old""old")");
  write_agent("", body);
  reload();
  EXPECT_EQ(call("a", "lib") + call("a", "late"), R"("new""new")");
}

TEST_F(control_test, options_are_checked_against_the_new_file) {
  write_agent("options = { size = 1 }", counter);
  start(value::map{{"size", 5}});
  write_agent("options = { length = 1 }", counter);
  EXPECT_THAT(reload(), testing::HasSubstr("unknown option \"size\""));
  write_agent("options = { size = 1, more = 'x' }",
              "function agent.on.options(self) return self.options end");
  reload();
  EXPECT_EQ(call("a", "options"), R"({"more":"x","size":5})");
}

TEST_F(control_test, a_reload_gives_no_more_than_the_agent_was_started_with) {
  write_agent("", counter);
  auto rights = std::make_shared<authority>();
  rights->path = "a";
  start(value::map{}, rights);
  write_agent("needs = { net = { 'example.org:443' } }", counter);
  EXPECT_EQ(reload(),
            "denied: a was started without net example.org:443, which its new code needs: start it "
            "anew (a)");
}

TEST_F(control_test, a_new_version_needs_a_migration_where_there_is_a_state) {
  write_agent("version = 3", counter);
  start();
  write_agent("version = 4", counter);
  EXPECT_THAT(reload(), testing::HasSubstr("is version 4 now and has no on_upgrade for a state of "
                                           "version 3"));
  write_agent("version = 4", std::string(counter) +
                                 "function agent.on_upgrade(self, from) self.state.from = from end "
                                 "function agent.on.from(self) return self.state.from end");
  EXPECT_THAT(reload(), testing::HasSubstr(R"("from":3)"));
  EXPECT_EQ(call("a", "from"), "3");
}

TEST_F(control_test, new_code_may_serve_more_messages_at_once) {
  const std::string body =
      "local async = require('troupe.async') function agent.on.slow() async.sleep(1000) end "
      "function agent.on.quick() return 'at once' end";
  write_agent("", body);
  start();
  world.send("a", "slow");
  const auto waits = *world.begin_call("a", "quick", {});
  world.settle();
  EXPECT_EQ(world.answer_of(waits), nullptr);
  write_agent("concurrent = { 'quick' }", body);
  reload();
  world.settle();
  ASSERT_NE(world.answer_of(waits), nullptr);
  EXPECT_EQ(call("a", "quick"), "\"at once\"");
  write_agent("concurrent = 20", body);
  reload();
  for (int i = 0; i < 15; ++i)
    world.send("a", "slow");
  EXPECT_EQ(call("a", "quick"), "\"at once\"");
}

TEST_F(control_test, a_reload_waits_until_nothing_stands_in_the_middle_of_computing) {
  write_agent("",
              "function agent.on.sum(self, n) local s = 0 for i = 1, n do s = s + i end "
              "self.state.sum = s return s end");
  start();
  const auto sum = *world.begin_call("a", "sum", {1'000'000});
  for (int i = 0; i < 20; ++i)
    world.step(world.now());
  const auto done = *world.begin_call("a", upgrade_verb, {});
  write_agent("",
              "function agent.on_upgrade(self) self.state.seen = self.state.sum end "
              "function agent.on.seen(self) return self.state.seen end");
  world.settle();
  ASSERT_NE(world.answer_of(sum), nullptr);
  ASSERT_NE(world.answer_of(done), nullptr);
  EXPECT_TRUE(*world.answer_of(done)) << world.answer_of(done)->error().describe();
  EXPECT_EQ(call("a", "seen"), "500000500000");
}

TEST_F(control_test, a_suspended_agent_is_not_upgraded) {
  write_agent("", counter);
  start();
  EXPECT_EQ(call("a", suspend_verb), "true");
  EXPECT_EQ(reload(), "failed: a is suspended: resume it first");
  EXPECT_EQ(call("a", resume_verb), "true");
  EXPECT_THAT(reload(), testing::HasSubstr("version"));
}

TEST_F(control_test, timers_go_on_into_the_new_code) {
  write_agent("",
              "local timer = require('troupe.timer') "
              "function agent.on_start(self) timer.every(1, 'tick') end "
              "function agent.own.tick(self) self.state.ticked = 'old' end");
  start();
  write_agent("",
              "function agent.own.tick(self) self.state.ticked = 'new' end "
              "function agent.on.ticked(self) return self.state.ticked end");
  reload();
  world.advance(std::chrono::milliseconds(1500));
  EXPECT_EQ(call("a", "ticked"), "\"new\"");
}

TEST_F(control_test, a_state_that_is_no_plain_data_is_refused_where_it_has_to_be_copied) {
  write_agent("",
              "function agent.on_start(self) self.state.f = print end "
              "function agent.on_upgrade() end");
  start();
  EXPECT_THAT(reload(), testing::HasSubstr("self.state: "));
  EXPECT_THAT(call("a", state_verb), testing::HasSubstr("self.state: "));
  EXPECT_EQ(call("a", replace_state_verb, {value(value::map{{"x", 1}})}), "true");
  EXPECT_EQ(call("a", state_verb), R"({"x":1})");
}

TEST_F(control_test, an_inspection_is_cut_to_size) {
  write_agent("", R"(
    function agent.on_start(self)
      self.state.deep = {}
      local at = self.state.deep
      for i = 1, 100 do at.x = {} at = at.x end
      self.state.wide = {}
      for i = 1, 10000 do self.state.wide[i] = ("x"):rep(200) end
      self.state.self = self.state
      self.state.f = print
    end)");
  start();
  auto seen = *world.call("a", inspect_verb, {true});
  EXPECT_LT(pack(seen)->size(), 40'000u);
  const auto& state = seen["behaviour"]["state"];
  EXPECT_EQ(state["f"], value("(function)"));
  EXPECT_EQ(state["wide"]["..."], value("9980 more"));
}

}  // namespace
}  // namespace troupe::script
