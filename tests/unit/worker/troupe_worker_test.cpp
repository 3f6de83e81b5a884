// SPDX-License-Identifier: Apache-2.0
//
// troupe_worker itself: scripts and plugins behave in it as they do in the node.
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "unit/worker/worker_world.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class troupe_worker : public worker_world {
 protected:
  troupe_worker() : worker_world(TROUPE_WORKER) {
    std::string name = testing::TempDir() + "troupe_worker_XXXXXX";
    folder = ::mkdtemp(name.data());
    spec.base_folder = folder;
  }
  ~troupe_worker() override { std::filesystem::remove_all(folder); }

  address run_script(const std::string& text) {
    std::ofstream(folder / "agent.lua") << text;
    return run(spec);
  }
  std::filesystem::path folder;
};

TEST_F(troupe_worker, hosts_a_lua_script) {
  const auto a = run_script(R"(
    local troupe = require("troupe")
    local agent = troupe.agent { options = { greeting = "Hello" } }
    function agent.on.greet(self, name) return self.options.greeting .. ", " .. name .. "!" end
    return agent)");
  EXPECT_EQ(ask(a, "greet", {"world"}), value("Hello, world!"));
  EXPECT_TRUE(call(a, "shout").error().is(errc::unknown_verb));
}

TEST_F(troupe_worker, gives_a_script_its_options_and_the_files_beside_it) {
  std::ofstream(folder / "lib.lua") << "return { twice = function(x) return x * 2 end }";
  spec.options.set("base", 20);
  const auto a = run_script(R"(
    local troupe, lib = require("troupe"), require("lib")
    local agent = troupe.agent { options = { base = 1 } }
    function agent.on.compute(self, x) return lib.twice(self.options.base + x) end
    return agent)");
  EXPECT_EQ(ask(a, "compute", {1}), value(42));
}

TEST_F(troupe_worker, lets_a_script_call_and_stream) {
  ASSERT_TRUE(sim->add("adder", [](context& ctx, envelope& e) {
    const auto args = *unpack(e.body.view());
    ctx.reply(e.cause, *pack(args.as_array().at(0).as_int() + args.as_array().at(1).as_int()));
  }));
  const auto a = run_script(R"(
    local troupe = require("troupe")
    local agent = troupe.agent {}
    function agent.on.add(self, ...) return troupe.call("adder", "add", ...) end
    function agent.on.count(self, n) for i = 1, n do troupe.part(i) end return "done" end
    return agent)");
  EXPECT_EQ(ask(a, "add", {2, 3}), value(5));
  auto& got = answer_to(begin_call(a, "count", {3}, {.timeout = 1h, .credit = 1}));
  EXPECT_THAT(got.parts, ElementsAre(1, 2, 3));
  EXPECT_EQ(got.data(), value("done"));
}

TEST_F(troupe_worker, reports_a_raise_with_file_line_and_traceback) {
  const auto a = run_script(R"(local troupe = require("troupe")
    local agent = troupe.agent {}
    function agent.on.crash(self) error("no luck") end
    return agent)");
  begin_call(a, "crash");
  const auto& why = reason_of(a);
  EXPECT_TRUE(why.is(errc::crash)) << why.describe();
  EXPECT_THAT(why.message, HasSubstr("agent.lua:3: no luck"));
  EXPECT_THAT(why.traceback, HasSubstr("agent.lua:3"));
}

TEST_F(troupe_worker, kills_a_script_that_computes_for_ever_and_reads_on_until_then) {
  const auto a = run_script(R"(
    local troupe = require("troupe")
    local agent = troupe.agent { concurrent = { "take" } }
    function agent.on.spin(self) while true do end end
    function agent.on.take(self) end
    return agent)");
  begin_call(a, "spin");
  sim->send(a, "take", {std::string(4u << 20, 'x')});  // more than a socket holds
  until([&] { return (*sim->call(a, inspect_verb))["behaviour"]["bytes_waiting"] == value(0); });
  sim->exit(a, errc::kill);
  EXPECT_TRUE(reason_of(a).is(errc::killed));
}

TEST_F(troupe_worker, ends_a_script_that_allocates_without_end_by_its_limit) {
  auto made = make_worker_behaviour(host, spec, value::map{{"memory", 8 << 20}});
  ASSERT_TRUE(made);
  std::ofstream(folder / "agent.lua") << R"(
    local troupe = require("troupe")
    local agent = troupe.agent {}
    function agent.on.hoard(self) local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end
    return agent)";
  process_init init;
  init.path = "hoarder";
  init.parent = probe_;
  init.actions = std::move(*made);
  const auto a = *sim->start(std::move(init));
  ASSERT_TRUE(answer_to(begin_call(a, std::string(start_verb))).got);
  begin_call(a, "hoard");
  EXPECT_TRUE(reason_of(a).is(errc::limit)) << reason_of(a).describe();
  EXPECT_EQ(reason_of(a).data["what"], value("memory"));
}

TEST_F(troupe_worker, refuses_a_script_that_is_missing_or_broken) {
  begin(spec);
  EXPECT_TRUE(answer_to(start_).got.error().is(errc::not_found))
      << answer_to(start_).data().as_string();
  std::ofstream(folder / "agent.lua") << "local = 1";
  begin(spec);
  EXPECT_TRUE(answer_to(start_).got.error().is(errc::syntax))
      << answer_to(start_).data().as_string();
}

TEST_F(troupe_worker, hosts_an_agent_of_a_plugin) {
  spec.start = start_plugin{"hello_c", "greeter"};
  spec.options.set("greeting", "Moin");
  auto made = make_worker_behaviour(host, spec, value::map{{"plugin_folder", PLUGINS "/hello_c"}});
  ASSERT_TRUE(made);
  process_init init;
  init.path = "greeter";
  init.parent = probe_;
  init.actions = std::move(*made);
  const auto a = *sim->start(std::move(init));
  auto& started = answer_to(begin_call(a, std::string(start_verb)));
  ASSERT_TRUE(started.got) << started.data().as_string();
  EXPECT_EQ(ask(a, "greet", {"world"}), value("Moin, world!"));
  EXPECT_EQ(ask(a, "count"), value(1));
  stop(a);
  EXPECT_TRUE(is_normal_exit(reason_of(a))) << reason_of(a).describe();
}

}  // namespace
}  // namespace troupe::test
