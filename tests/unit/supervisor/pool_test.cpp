// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor/pool.hpp"

#include <gmock/gmock.h>

#include <set>

#include "support/team.hpp"

namespace troupe::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace api = supervisor_api;
using what = enum runtime_event::what;

struct pool_test : team {
  /// A supervisor `top` with one pool, `top/p`.
  address start_pool(pool_spec shape, restart_type restart = restart_type::permanent) {
    auto spec = worker("p", restart);
    shape.intensity = 5;
    spec.pool = shape;
    top({strategy::one_for_one, 5, 5s, {spec}});
    diary_now();
    return at("top/p");
  }
  result<value> call(std::string_view verb, value::array args = {}) {
    return sim.call("top/p", verb, std::move(args));
  }
  /// Calls from an agent of its own, and keeps what becomes of it: "" while it is open.
  std::shared_ptr<std::string> open(std::string verb, value::array args = {},
                                    call_options options = {}) {
    auto outcome = std::make_shared<std::string>();
    const auto who = agent("caller" + std::to_string(++callers), [=](context& ctx, envelope& e) {
      if (e.kind == kind::send) ctx.call(no_cause, 1, "top/p", verb, *pack(value(args)), options);
      if (e.kind == kind::reply) *outcome = unpack(e.body.view())->as_string("other");
      if (e.kind == kind::error) *outcome = unpack_error(e.body).code;
    });
    sim.send(who, "go");
    return outcome;
  }
  void let_go(const std::string& member) {
    sim.outlet_to(at(member)).post("let_go", {});
    sim.settle();
  }
  int callers = 0;
};

TEST_F(pool_test, starts_its_members_as_numbered_children) {
  start_pool({.size = 3});
  EXPECT_TRUE(at("top/p/1"));
  EXPECT_TRUE(at("top/p/3"));
  EXPECT_FALSE(at("top/p/4"));
  EXPECT_EQ(call(api::which_children)->as_array().size(), 3u);
  EXPECT_EQ((*call(api::count_children))["workers"], value(3));
  EXPECT_EQ((*ask(api::count_children))["supervisors"], value(1));
}

TEST_F(pool_test, takes_a_new_size_of_its_spec_while_it_runs) {
  const auto before = start_pool({.size = 2});
  const auto first = at("top/p/1");
  const auto upgrade = [&](std::uint32_t size, std::uint32_t queue) {
    auto spec = worker("p");
    spec.pool = pool_spec{.size = size, .queue = queue, .intensity = 5};
    value tree;
    tree.set("strategy", "one_for_one").set("intensity", 5).set("period", 5);
    tree.set("children", value::array{spec.to_value()});
    const auto said = ask(api::upgrade, {tree});
    sim.settle();
    return said ? (*said)["changed"] : value(said.error().describe());
  };
  EXPECT_EQ(upgrade(4, 10'000), value(value::array{"p"}));
  EXPECT_EQ(call(api::which_children)->as_array().size(), 4u);
  EXPECT_EQ(at("top/p/1"), first);
  EXPECT_EQ(upgrade(1, 10'000), value(value::array{"p"}));
  EXPECT_EQ(call(api::which_children)->as_array().size(), 1u);
  EXPECT_EQ(upgrade(3, 7), value(value::array{"p"}));
  EXPECT_EQ(call(api::which_children)->as_array().size(), 1u) << "the queue needs a new pool";
  EXPECT_EQ(at("top/p"), before);
  sim.exit(before, errc::kill);
  EXPECT_EQ(call(api::which_children)->as_array().size(), 3u) << "which has both";
}

TEST_F(pool_test, tells_the_last_ends_of_a_member) {
  start_pool({.size = 2});
  end("top/p/2");
  const auto member = *call(api::which_child, {"2"});
  EXPECT_EQ(member["exits"].as_array().at(0)["reason"]["code"], value("crash"));
  EXPECT_EQ(member["state"], value("running"));
}

TEST_F(pool_test, finishes_what_waits_in_line_before_it_stops_if_it_drains) {
  auto spec = worker("p");
  spec.drain = 10s;
  spec.pool = pool_spec{.size = 1};
  supervisor_spec tree;
  tree.children = {spec};
  top(tree);
  const auto served = open("hold"), waits = open("who");
  sim.exit(at("top"), errc::shutdown);
  EXPECT_EQ(*open("who"), "down") << "it takes nothing new";
  EXPECT_EQ(*waits, "");
  let_go("top/p/1");
  EXPECT_EQ(*served, "held");
  EXPECT_EQ(*waits, "top/p/1");
  EXPECT_FALSE(at("top"));
}

TEST_F(pool_test, answers_with_what_a_member_answers) {
  start_pool({.size = 2});
  EXPECT_EQ(*call("echo", {42}), value(42));
  EXPECT_EQ(*call("start_child", {"x"}), value("x")) << "members may have such verbs of their own";
}

TEST_F(pool_test, hands_each_call_to_a_free_member_and_lets_the_rest_wait) {
  start_pool({.size = 2});
  auto a = open("hold"), b = open("hold"), c = open("who");
  EXPECT_THAT(diary_now(), UnorderedElementsAre("hold top/p/1", "hold top/p/2"));
  EXPECT_EQ(*c, "");
  let_go("top/p/2");
  EXPECT_EQ(*c, "top/p/2");
  EXPECT_EQ((*a == "held") + (*b == "held"), 1);
}

TEST_F(pool_test, grows_while_it_runs_and_gives_what_waits_to_new_members) {
  start_pool({.size = 1});
  auto a = open("hold"), b = open("who"), c = open("who");
  EXPECT_EQ(*b, "");
  EXPECT_EQ(call(api::resize_pool, {3})->as_int(), 3);
  sim.settle();
  EXPECT_TRUE(at("top/p/3"));
  EXPECT_THAT(*b, testing::AnyOf("top/p/2", "top/p/3"));
  EXPECT_THAT(*c, testing::AnyOf("top/p/2", "top/p/3"));
  EXPECT_EQ((*sim.call("top/p", inspect_verb))["behaviour"]["size"], value(3));
}

TEST_F(pool_test, shrinks_while_it_runs_but_lets_members_finish_what_they_serve) {
  start_pool({.size = 3});
  auto a = open("hold"), b = open("hold"), c = open("hold");
  EXPECT_EQ(call(api::resize_pool, {1})->as_int(), 1);
  sim.settle();
  EXPECT_TRUE(at("top/p/3"));
  auto next = open("who");
  let_go("top/p/3");
  sim.settle();
  EXPECT_FALSE(at("top/p/3"));
  EXPECT_EQ(*next, "") << "only the first member takes anything new";
  let_go("top/p/2");
  let_go("top/p/1");
  sim.settle();
  EXPECT_EQ(*next, "top/p/1");
  for (const auto& held : {a, b, c})
    EXPECT_EQ(*held, "held");
  EXPECT_EQ((*call(api::count_children))["specs"], value(1));
}

TEST_F(pool_test, takes_back_a_member_that_was_to_end_when_it_grows_again) {
  start_pool({.size = 2});
  auto a = open("hold"), b = open("hold");
  ASSERT_TRUE(call(api::resize_pool, {1}));
  ASSERT_TRUE(call(api::resize_pool, {2}));
  let_go("top/p/2");
  sim.settle();
  EXPECT_TRUE(at("top/p/2"));
  EXPECT_EQ(call("who")->as_string(), "top/p/2");
}

TEST_F(pool_test, gives_keys_to_the_members_there_are_after_a_resize) {
  start_pool({.size = 1, .by_key = true});
  auto held = open("hold", {"ant"});
  std::vector<std::shared_ptr<std::string>> waiting;
  for (const char* key : {"ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"})
    waiting.push_back(open("who", {key}));
  ASSERT_TRUE(call(api::resize_pool, {4}));
  let_go("top/p/1");
  sim.settle();
  std::set<std::string> members;
  for (const auto& w : waiting)
    members.insert(*w);
  EXPECT_GT(members.size(), 1u);
  EXPECT_FALSE(members.contains(""));
  ASSERT_TRUE(call(api::resize_pool, {1}));
  sim.settle();
  EXPECT_EQ(call("who", {"hen"})->as_string(), "top/p/1");
}

TEST_F(pool_test, refuses_a_size_that_makes_no_sense) {
  start_pool({.size = 1});
  EXPECT_EQ(call(api::resize_pool, {0}).error().code, "bad_argument");
  EXPECT_EQ(call(api::resize_pool, {"many"}).error().code, "bad_argument");
  EXPECT_EQ(call(api::resize_pool, {1'000'000}).error().code, "bad_argument");
}

TEST_F(pool_test, uses_all_its_members_in_turn) {
  start_pool({.size = 3});
  std::set<std::string> seen;
  for (int i = 0; i < 3; ++i)
    seen.emplace(call("who")->as_string());
  EXPECT_EQ(seen.size(), 3u);
}

TEST_F(pool_test, says_overloaded_when_too_many_wait) {
  start_pool({.size = 1, .queue = 2});
  auto first = open("hold");
  auto second = open("who"), third = open("who");
  EXPECT_EQ(*open("who"), "overloaded");
  sim.send("top/p", "echo");
  EXPECT_EQ(count(what::dead_letter), 1u) << "a send beyond the limit is reported";
  let_go("top/p/1");
  EXPECT_EQ(*second, "top/p/1");
  EXPECT_EQ(*third, "top/p/1");
}

TEST_F(pool_test, picks_the_same_member_for_the_same_key) {
  start_pool({.size = 4, .by_key = true});
  std::set<std::string> members;
  for (const char* key : {"ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen"}) {
    const auto member = *call("who", {key, 1});
    EXPECT_EQ(*call("who", {key, 2}), member);
    members.emplace(member.as_string());
  }
  EXPECT_GT(members.size(), 1u);
  EXPECT_TRUE(call("who")) << "no argument is a key like any other";
}

TEST_F(pool_test, lets_a_key_wait_for_its_member_although_others_are_free) {
  start_pool({.size = 4, .by_key = true});
  const std::string member(call("who", {"ant"})->as_string());
  auto held = open("hold", {"ant"}), next = open("who", {"ant"});
  EXPECT_EQ(*next, "");
  let_go(member);
  EXPECT_EQ(*held, "held");
  EXPECT_EQ(*next, member);
}

TEST_F(pool_test, fails_the_calls_of_a_member_that_crashes_and_keeps_those_that_wait) {
  start_pool({.size = 1});
  auto at_work = open("end", {"crash"});
  EXPECT_EQ(*at_work, "down");
  EXPECT_EQ(call("who")->as_string(), "top/p/1") << "restarted";

  auto held = open("hold"), waits = open("who");
  sim.exit(at("top/p/1"), errc::kill);
  EXPECT_EQ(*held, "down");
  EXPECT_EQ(*waits, "top/p/1");
}

TEST_F(pool_test, goes_on_with_a_member_that_answers_down_but_lives) {
  start_pool({.size = 1});
  plans["top/p/1"].fails_with = "down";
  auto failed = open("anything"), next = open("who");
  EXPECT_EQ(*failed, "down");
  EXPECT_EQ(*next, "down");
  plans["top/p/1"].fails_with.clear();
  EXPECT_EQ(call("who")->as_string(), "top/p/1");
}

TEST_F(pool_test, lets_calls_wait_while_its_members_are_restarted) {
  start_pool({.size = 1});
  plans["top/p/1"].starts = {"fail", "hang", "ready"};
  end("top/p/1");
  auto waits = open("who");
  EXPECT_EQ(*waits, "");
  sim.advance(30s);
  EXPECT_EQ(*waits, "timeout") << "its own deadline still counts";
  EXPECT_EQ(call("who")->as_string(), "top/p/1");
}

TEST_F(pool_test, reports_the_restart_of_a_member) {
  start_pool({.size = 3});
  end("top/p/3");
  const auto& last = sim.events.back();
  EXPECT_EQ(last.what, what::restarted);
  EXPECT_EQ(last.path, "top/p/3");
  EXPECT_EQ(last.data["intensity"], value(5));
}

TEST_F(pool_test, gives_up_as_a_supervisor_does_and_comes_back_whole) {
  const auto before = start_pool({.size = 2});
  for (int i = 0; i < 6; ++i)
    end("top/p/1");
  EXPECT_FALSE(sim.alive(before));
  EXPECT_TRUE(at("top/p/1"));
  EXPECT_TRUE(at("top/p/2"));
  EXPECT_EQ(*call("echo", {1}), value(1));
}

TEST_F(pool_test, passes_parts_and_credit_through) {
  start_pool({.size = 1});
  std::vector<value> parts;
  const auto last = sim.call_streaming("top/p", "parts", {"end"}, parts);
  EXPECT_EQ(*last, value("end"));
  EXPECT_THAT(parts, ElementsAre(value("part")));
}

TEST_F(pool_test, keeps_the_credit_of_a_call_that_waits) {
  start_pool({.size = 1});
  auto held = open("hold");
  int parts = 0;
  const auto reader = agent("reader", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send)
      ctx.call(no_cause, 1, "top/p", "parts", *pack(value::array{1}), {.credit = 1});
    if (e.kind == kind::event) ctx.grant(1, 2);
    if (e.kind == kind::part) ++parts;
  });
  sim.send(reader, "go");
  sim.outlet_to(reader).post("more", {});
  sim.settle();
  EXPECT_EQ(parts, 0);
  let_go("top/p/1");
  EXPECT_EQ(parts, 3);
}

TEST_F(pool_test, passes_a_cancel_on_and_serves_the_next) {
  start_pool({.size = 1});
  auto held = open("hold", {}, {.timeout = 1s});
  auto waits = open("hold", {}, {.timeout = 1s});
  auto last = open("who");
  sim.advance(1s);
  EXPECT_EQ(*held, "timeout");
  EXPECT_EQ(*waits, "timeout");
  EXPECT_EQ(*last, "top/p/1");
  EXPECT_THAT(diary_now(), ElementsAre("hold top/p/1", "cancel top/p/1", "who top/p/1"))
      << "the one that waited never reached a member";
}

TEST_F(pool_test, spreads_sends_and_lets_them_wait_when_all_are_busy) {
  start_pool({.size = 2});
  sim.send("top/p", "one");
  sim.send("top/p", "two");
  EXPECT_THAT(diary_now(), UnorderedElementsAre("one top/p/1", "two top/p/2"));
  auto a = open("hold"), b = open("hold");
  diary_now();
  sim.send("top/p", "three");
  EXPECT_THAT(diary_now(), IsEmpty());
  let_go("top/p/1");
  EXPECT_THAT(diary_now(), ElementsAre("three top/p/1"));
}

TEST_F(pool_test, says_down_when_no_member_will_come_back) {
  start_pool({.size = 1}, restart_type::transient);
  auto held = open("hold"), waits = open("who");
  sim.send("top/p/1", "end", {"normal"});
  let_go("top/p/1");
  EXPECT_EQ(*held, "held");
  EXPECT_EQ(*waits, "down");
  EXPECT_EQ(*open("who"), "down");
}

TEST_F(pool_test, stops_its_members_in_reverse_and_answers_all_who_wait) {
  start_pool({.size = 2});
  auto a = open("hold"), b = open("hold"), c = open("who");
  diary_now();
  ASSERT_TRUE(ask(api::terminate_child, {"p"}));
  EXPECT_THAT(diary_now(), testing::IsSupersetOf({"stop top/p/2", "stop top/p/1"}));
  EXPECT_EQ(*a, "down");
  EXPECT_EQ(*b, "down");
  EXPECT_EQ(*c, "down");
}

TEST_F(pool_test, waits_for_members_that_each_use_their_time_to_stop) {
  auto spec = worker("p");
  spec.shutdown = 1s;
  spec.pool = pool_spec{.size = 3};
  const auto sup = top({strategy::one_for_one, 5, 5s, {spec}});
  for (const char* member : {"top/p/1", "top/p/2", "top/p/3"})
    plans[member].obeys = false;
  sim.exit(sup, errc::shutdown);
  sim.advance(2999ms);
  EXPECT_TRUE(sim.alive(sup)) << "each member has its second";
  sim.advance(1ms);
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(pool_test, shows_itself_to_inspect) {
  start_pool({.size = 1});
  auto a = open("hold"), b = open("who");
  const auto seen = *sim.call("top/p", inspect_verb);
  EXPECT_EQ(seen["behaviour"]["waiting"], value(1));
  EXPECT_EQ(seen["behaviour"]["open"], value(1));
}

}  // namespace
}  // namespace troupe::test
