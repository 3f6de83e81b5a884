// SPDX-License-Identifier: Apache-2.0
//
// A plugin's agent that manages children: OTP's administration from C.
#include "support/team.hpp"

#include "fixture.hpp"

namespace troupe::test {
namespace {

namespace api = supervisor_api;

/// A supervisor `top`, and an agent of a plugin that asks it.
struct supervisor_from_c : team {
  void start(supervisor_spec spec) {
    top(std::move(spec));
    const auto folder = std::string(TROUPE_BUILD_FOLDER) + "/tests/abi/plugins/supervising";
    const auto added = plugins.add(folder);
    ASSERT_TRUE(added) << added.error().describe();
    auto actions = plugins.make_agent("supervising", "asker", value::map{});
    ASSERT_TRUE(actions) << actions.error().describe();
    ASSERT_TRUE(sim.add("asker", std::move(*actions)));
  }
  result<value> ask_from_c(std::string_view verb, value about = {}) {
    value::array args{value(verb)};
    if (!about.is_nil()) args.push_back(std::move(about));
    auto said = sim.call("asker", "ask", std::move(args));
    sim.settle();
    return said;
  }
  std::string code_from_c(std::string_view verb, value about = {}) {
    const auto said = ask_from_c(verb, std::move(about));
    return said ? "ok" : said.error().code;
  }
  ~supervisor_from_c() override { sim.exit(sim.lookup("asker"), errc::kill); }

  kept_log lines;
  system_clock time;
  logger log{lines, time, log_level::debug};
  catalog plugins{log, "0.1.0"};
};

TEST_F(supervisor_from_c, children_are_started_stopped_and_forgotten_by_hand) {
  start({});
  const auto first = *ask_from_c(api::start_child, spec_value("a"));
  EXPECT_EQ(address_from(first), at("top/a"));
  EXPECT_EQ(code_from_c(api::start_child, spec_value("a")), "running");
  EXPECT_EQ((*ask_from_c(api::which_child, "a"))["state"], value("running"));
  EXPECT_EQ((*ask_from_c(api::get_childspec, "a"))["restart"], value("permanent"));
  EXPECT_EQ(code_from_c(api::terminate_child, "a"), "ok");
  EXPECT_FALSE(at("top/a"));
  const auto anew = *ask_from_c(api::restart_child, "a");
  EXPECT_EQ(address_from(anew), at("top/a"));
  EXPECT_EQ(code_from_c(api::delete_child, "a"), "running");
  EXPECT_EQ(code_from_c(api::terminate_child, "a"), "ok");
  EXPECT_EQ(code_from_c(api::delete_child, "a"), "ok");
  EXPECT_EQ(code_from_c(api::which_child, "a"), "not_found");
  EXPECT_EQ((*ask_from_c(api::count_children))["specs"], value(0));
  EXPECT_EQ(ask_from_c(api::which_children)->as_array().size(), 0u);
  EXPECT_EQ(code_from_c(api::which_child, std::string(200, 'a')), "bad_argument");
  EXPECT_EQ(code_from_c(api::reload), "unsupported");
}

TEST_F(supervisor_from_c, children_of_a_template_are_named_by_address) {
  supervisor_spec spec;
  spec.strategy = strategy::simple_one_for_one;
  spec.children = {worker("a")};
  start(spec);
  const auto one = *ask_from_c(api::start_child, value::map{{"size", 3}});
  EXPECT_EQ(options_of["top/a-1"]["size"], value(3));
  EXPECT_EQ((*ask_from_c(api::which_child, one))["id"], value("a-1"));
  EXPECT_EQ(code_from_c(api::terminate_child, one), "ok");
  EXPECT_FALSE(at("top/a-1"));
}

TEST_F(supervisor_from_c, a_start_may_take_longer_than_a_call_does_otherwise) {
  start({});
  plans["top/a"].starts = {"hang"};
  auto spec = spec_value("a");
  spec.set("start_timeout", 100);
  const auto id =
      *sim.begin_call("asker", "ask", {api::start_child, spec}, {.timeout = duration::max()});
  sim.advance(99s);
  EXPECT_EQ(sim.answer_of(id), nullptr);
  sim.advance(1s);
  ASSERT_NE(sim.answer_of(id), nullptr);
  EXPECT_EQ(sim.answer_of(id)->error().code, "timeout");
}

}  // namespace
}  // namespace troupe::test
