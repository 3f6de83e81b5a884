// SPDX-License-Identifier: Apache-2.0
//
// OTP's semantics, case by case: start, stop, restart types, strategies, administration.
#include "actors/supervisor/supervisor.hpp"

#include <gmock/gmock.h>

#include "unit/supervisor/team.hpp"

namespace troupe::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace api = supervisor_api;
using what = enum runtime_event::what;

struct supervisor_test : team {
  static supervisor_spec of(std::vector<child_spec> children, strategy how = strategy::one_for_one,
                            std::uint32_t intensity = 3) {
    return {how, intensity, 5s, std::move(children)};
  }
  static supervisor_spec abc(strategy how = strategy::one_for_one, std::uint32_t intensity = 3) {
    return of({worker("a"), worker("b"), worker("c")}, how, intensity);
  }
};

// -- start

TEST_F(supervisor_test, starts_without_children_and_stops_with_shutdown) {
  const auto sup = top({});
  sim.exit(sup, errc::shutdown);
  EXPECT_EQ(sim.reason_of(sup)->code, "shutdown");
}

TEST_F(supervisor_test, starts_children_one_after_the_other_each_when_the_one_before_is_ready) {
  plans["top/b"].starts = {"hang"};
  auto spec = abc();
  spec.children[1].start_timeout = 2s;
  const auto failed = start_top(spec);
  ASSERT_FALSE(failed);
  EXPECT_THAT(diary_now(), ElementsAre("start top/a", "start top/b", "stop top/a"))
      << "c must not start before b is ready";
}

TEST_F(supervisor_test, stops_what_it_has_started_in_reverse_if_its_own_start_fails) {
  plans["top/c"].starts = {"fail"};
  const auto failed = start_top(abc());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "failed");
  EXPECT_EQ(failed.error().message, "top/c did not start: planned");
  EXPECT_THAT(diary_now(),
              ElementsAre("start top/a", "start top/b", "start top/c", "stop top/b", "stop top/a"));
  EXPECT_FALSE(at("top/a"));
  EXPECT_FALSE(at("top"));
}

TEST_F(supervisor_test, names_a_child_that_takes_too_long_to_start) {
  plans["top/a"].starts = {"hang"};
  auto spec = of({worker("a")});
  spec.children[0].start_timeout = 1500ms;
  const auto failed = start_top(spec);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "timeout");
  EXPECT_EQ(failed.error().message, "top/a did not start within 1.5 s");
  EXPECT_FALSE(at("top/a"));
}

TEST_F(supervisor_test, a_start_that_takes_too_long_is_told_of_the_child_that_it_is_about) {
  plans["top/sub/a"].starts = {"hang"};
  auto spec = of({nested("sub", of({worker("a")}))});
  std::get<supervisor_spec>(spec.children[0].start).children[0].start_timeout = 1500ms;
  const auto failed = start_top(spec);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "timeout");
  EXPECT_EQ(failed.error().message, "top/sub/a did not start within 1.5 s");
}

TEST_F(supervisor_test, fails_its_start_with_the_reason_of_a_child_that_crashes_in_its_own) {
  plans["top/a"].starts = {"crash"};
  const auto failed = start_top(of({worker("a")}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "crash");
  EXPECT_EQ(failed.error().from, "top/a");
}

TEST_F(supervisor_test, fails_its_start_if_a_child_can_not_be_prepared) {
  refuses = "b";
  const auto failed = start_top(abc());
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().describe(), "denied: b needs what nobody grants (top)");
  EXPECT_THAT(diary_now(), ElementsAre("start top/a", "stop top/a"));
}

TEST_F(supervisor_test, refuses_two_children_of_one_id) {
  EXPECT_EQ(start_top(of({worker("a"), worker("a")})).error().code, "config");
}

TEST_F(supervisor_test, keeps_the_spec_of_a_child_that_says_ignore) {
  plans["top/a"].starts = {"ignore"};
  top(of({worker("a"), worker("b")}));
  const auto counts = *ask(api::count_children);
  EXPECT_EQ(counts["specs"], value(2));
  EXPECT_EQ(counts["active"], value(1));
  EXPECT_EQ(counts["workers"], value(2));
  EXPECT_EQ(state_of("a"), "stopped");
}

TEST_F(supervisor_test, forgets_a_temporary_child_that_says_ignore) {
  plans["top/a"].starts = plans["top/b"].starts = {"ignore"};
  top(of({worker("a", restart_type::temporary)}));
  EXPECT_EQ(state_of("a"), "gone");
  const auto said = ask(api::start_child, {spec_value("b", "temporary")});
  ASSERT_TRUE(said);
  EXPECT_EQ(*said, value());
  EXPECT_EQ(state_of("b"), "gone");
}

// -- stop

TEST_F(supervisor_test, stops_children_in_reverse_order) {
  const auto sup = top(abc());
  diary_now();
  sim.exit(sup, errc::shutdown);
  EXPECT_THAT(diary_now(), ElementsAre("stop top/c", "stop top/b", "stop top/a"));
  EXPECT_FALSE(sim.alive(sup));
}

TEST_F(supervisor_test, stops_in_reverse_of_the_start_order_also_after_a_restart) {
  const auto sup = top(abc());
  end("top/a");
  diary_now();
  sim.exit(sup, errc::shutdown);
  EXPECT_THAT(diary_now(), ElementsAre("stop top/c", "stop top/b", "stop top/a"));
}

TEST_F(supervisor_test, kills_a_child_that_does_not_stop_in_time) {
  auto spec = of({worker("a"), worker("b")});
  spec.children[1].shutdown = 1s;
  plans["top/b"].obeys = false;
  const auto sup = top(spec);
  const auto a = at("top/a"), b = at("top/b");
  sim.exit(sup, errc::shutdown);
  sim.advance(999ms);
  EXPECT_TRUE(sim.alive(b));
  EXPECT_TRUE(sim.alive(a)) << "it waits for b before it stops a";
  sim.advance(1ms);
  EXPECT_EQ(sim.reason_of(b)->code, "killed");
  EXPECT_EQ(sim.reason_of(a)->code, "shutdown");
  EXPECT_FALSE(sim.alive(sup));
  EXPECT_THAT(sim.log_lines, testing::Contains(HasSubstr("did not end as it was told to")));
}

TEST_F(supervisor_test, waits_without_limit_for_a_child_with_infinite_shutdown) {
  auto spec = of({worker("a")});
  spec.children[0].shutdown = duration::max();
  plans["top/a"].obeys = false;
  const auto sup = top(spec);
  sim.exit(sup, errc::shutdown);
  sim.advance(1000h);
  EXPECT_TRUE(sim.alive(sup));
  sim.exit(at("top/a"), errc::kill);
  EXPECT_FALSE(sim.alive(sup));
}

TEST_F(supervisor_test, kills_a_child_with_brutal_kill_at_once) {
  auto spec = of({worker("a")});
  spec.children[0].shutdown = 0s;
  const auto sup = top(spec);
  const auto a = at("top/a");
  diary_now();
  sim.exit(sup, errc::shutdown);
  EXPECT_EQ(sim.reason_of(a)->code, "killed");
  EXPECT_THAT(diary_now(), IsEmpty()) << "it has no chance to clean up";
  EXPECT_THAT(sim.log_lines, IsEmpty());
}

TEST_F(supervisor_test, is_not_disturbed_by_children_that_end_by_themselves_while_it_stops) {
  auto spec = abc();
  spec.children[2].shutdown = duration::max();
  plans["top/c"].obeys = false;
  const auto sup = top(spec);
  const auto a = at("top/a"), b = at("top/b");
  sim.exit(sup, errc::shutdown);
  end("top/a", "crash");
  end("top/b", "normal");
  sim.exit(at("top/c"), errc::kill);
  EXPECT_FALSE(sim.alive(sup));
  EXPECT_EQ(sim.reason_of(a)->code, "crash");
  EXPECT_EQ(sim.reason_of(b)->code, "normal");
  EXPECT_EQ(count(what::restarted), 0u);
}

TEST_F(supervisor_test, stops_in_order_in_the_middle_of_a_start) {
  const auto sup = top(abc());
  plans["top/d"].starts = {"hang"};
  std::optional<result<value>> said;
  agent("asker", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send)
      ctx.call(no_cause, 1, "top", api::start_child, *pack(value::array{spec_value("d")}), {});
    if (e.kind == kind::error) said = result<value>(unpack_error(e.body));
  });
  sim.send("asker", "go");
  ASSERT_THAT(diary_now(), testing::Contains("start top/d"));
  sim.exit(sup, errc::shutdown);
  EXPECT_THAT(diary_now(), ElementsAre("stop top/c", "stop top/b", "stop top/a"));
  EXPECT_EQ(sim.population(), 2u) << "only the outside and the asker are left";
  ASSERT_TRUE(said);
  EXPECT_EQ(said->error().code, "down");
}

TEST_F(supervisor_test, takes_its_children_along_in_order_when_its_parent_is_killed) {
  top(of({nested("sub", abc())}));
  diary_now();
  sim.exit(at("top"), errc::kill);
  EXPECT_THAT(diary_now(), ElementsAre("stop top/sub/c", "stop top/sub/b", "stop top/sub/a"));
  EXPECT_EQ(sim.population(), 1u);
}

// -- restart types

TEST_F(supervisor_test, restarts_a_permanent_child_whatever_the_reason) {
  top(of({worker("a")}));
  for (const char* code : {"normal", "shutdown", "crash"}) {
    const auto before = at("top/a");
    end("top/a", code);
    EXPECT_TRUE(at("top/a"));
    EXPECT_NE(at("top/a"), before);
  }
  EXPECT_EQ(count(what::restarted), 3u);
}

TEST_F(supervisor_test, restarts_a_transient_child_only_after_a_failure) {
  top(of({worker("a", restart_type::transient)}));
  end("top/a", "crash");
  EXPECT_EQ(state_of("a"), "running");
  for (const char* code : {"normal", "shutdown"}) {
    end("top/a", code);
    EXPECT_EQ(state_of("a"), "stopped");
    EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
  }
}

TEST_F(supervisor_test, forgets_a_temporary_child_that_ends) {
  top(of({}));
  for (const char* code : {"normal", "shutdown", "crash"}) {
    EXPECT_EQ(code_of(api::start_child, {spec_value("a", "temporary")}), "ok");
    end("top/a", code);
    EXPECT_EQ(state_of("a"), "gone");
  }
  EXPECT_TRUE(at("top")) << "the end of a temporary child never counts";
}

TEST_F(supervisor_test, does_not_restart_a_temporary_bystander) {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    const auto sup = top(of({worker("a"), worker("t", restart_type::temporary), worker("b")}, how));
    diary_now();
    end("top/a");
    EXPECT_THAT(diary_now(),
                ElementsAre("end top/a", "stop top/b", "stop top/t", "start top/a",
                            "top/a had ended: crash", "start top/b", "top/b had ended: shutdown"));
    EXPECT_EQ(state_of("t"), "gone");
    sim.exit(sup, errc::shutdown);
  }
}

// -- strategies

TEST_F(supervisor_test, one_for_one_leaves_the_siblings_alone) {
  top(abc());
  const auto b = at("top/b");
  diary_now();
  end("top/a");
  EXPECT_THAT(diary_now(), ElementsAre("end top/a", "start top/a", "top/a had ended: crash"));
  EXPECT_EQ(at("top/b"), b);
}

TEST_F(supervisor_test, one_for_all_restarts_all_in_order) {
  top(abc(strategy::one_for_all));
  diary_now();
  end("top/b");
  EXPECT_THAT(diary_now(),
              ElementsAre("end top/b", "stop top/c", "stop top/a", "start top/a",
                          "top/a had ended: shutdown", "start top/b", "top/b had ended: crash",
                          "start top/c", "top/c had ended: shutdown"));
  EXPECT_EQ(count(what::restarted), 1u) << "one event, one restart";
}

TEST_F(supervisor_test, rest_for_one_restarts_those_behind) {
  top(abc(strategy::rest_for_one));
  const auto a = at("top/a");
  diary_now();
  end("top/b");
  EXPECT_THAT(diary_now(),
              ElementsAre("end top/b", "stop top/c", "start top/b", "top/b had ended: crash",
                          "start top/c", "top/c had ended: shutdown"));
  EXPECT_EQ(at("top/a"), a);
}

TEST_F(supervisor_test, one_for_all_starts_over_when_another_child_fails_to_restart) {
  top(abc(strategy::one_for_all));
  plans["top/b"].starts = {"fail", "ready"};
  diary_now();
  end("top/c");
  EXPECT_THAT(diary_now(),
              testing::IsSupersetOf({"start top/a", "start top/b", "stop top/a", "start top/c"}));
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_EQ(state_of("b"), "running");
  EXPECT_EQ(state_of("c"), "running");
}

TEST_F(supervisor_test, rest_for_one_goes_on_where_a_restart_failed) {
  top(abc(strategy::rest_for_one));
  plans["top/b"].starts = {"fail", "ready"};
  diary_now();
  end("top/a");
  EXPECT_THAT(
      diary_now(),
      ElementsAre("end top/a", "stop top/c", "stop top/b", "start top/a", "top/a had ended: crash",
                  "start top/b", "top/b had ended: shutdown", "start top/b",
                  "top/b had ended: failed", "start top/c", "top/c had ended: shutdown"))
      << "a is not restarted again";
}

TEST_F(supervisor_test, gives_up_after_too_many_restarts_and_stops_the_others_first) {
  const auto sup = top(abc(strategy::one_for_one, 2));
  end("top/a");
  end("top/a");
  EXPECT_TRUE(sim.alive(sup));
  diary_now();
  end("top/a");
  EXPECT_THAT(diary_now(), ElementsAre("end top/a", "stop top/c", "stop top/b"));
  ASSERT_FALSE(sim.alive(sup));
  EXPECT_EQ(sim.reason_of(sup)->code, "shutdown");
  EXPECT_EQ(sim.reason_of(sup)->message, "more than 2 restarts in 5 s; the last of top/a");
  EXPECT_EQ(sim.reason_of(sup)->cause->code, "crash");
  EXPECT_EQ(count(what::given_up), 1u);
}

TEST_F(supervisor_test, never_gives_up_over_restarts_slower_than_the_limit) {
  const auto sup = top(abc(strategy::one_for_one, 1));
  for (int i = 0; i < 20; ++i) {
    end("top/a");
    sim.advance(5001ms);
  }
  EXPECT_TRUE(sim.alive(sup));
}

TEST_F(supervisor_test, gives_up_at_the_first_crash_with_intensity_zero) {
  const auto sup = top(abc(strategy::one_for_one, 0));
  end("top/a");
  EXPECT_FALSE(sim.alive(sup));
}

TEST_F(supervisor_test, gives_up_when_a_restart_keeps_failing) {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    plans["top/a"].starts = {};
    const auto sup = top(abc(how));
    plans["top/a"].starts = {"fail"};
    end("top/a");
    EXPECT_FALSE(sim.alive(sup));
    EXPECT_EQ(sim.population(), 1u);
  }
}

TEST_F(supervisor_test, counts_attempts_that_can_not_even_be_prepared) {
  const auto sup = top(abc());
  refuses = "a";
  end("top/a");
  EXPECT_FALSE(sim.alive(sup));
  EXPECT_EQ(sim.reason_of(sup)->cause->code, "denied");
}

TEST_F(supervisor_test, restarts_a_tree_only_as_far_up_as_it_must) {
  top(of({nested("left", abc(strategy::one_for_one, 1)), nested("right", abc())},
         strategy::one_for_one));
  const auto left = at("top/left"), right = at("top/right"), b = at("top/left/b");
  end("top/left/a");
  EXPECT_EQ(at("top/left"), left);
  EXPECT_EQ(at("top/left/b"), b);
  end("top/left/a");
  EXPECT_NE(at("top/left"), left) << "left has given up and is restarted by top";
  EXPECT_TRUE(at("top/left/b"));
  EXPECT_NE(at("top/left/b"), b);
  EXPECT_EQ(at("top/right"), right);
}

TEST_F(supervisor_test, does_not_restart_a_transient_supervisor_that_gave_up) {
  auto sub = nested("sub", abc(strategy::one_for_one, 0));
  sub.restart = restart_type::transient;
  top(of({sub}));
  end("top/sub/a");
  EXPECT_EQ(state_of("sub"), "stopped");
}

TEST_F(supervisor_test, loses_dynamic_children_when_it_is_restarted_itself) {
  top(of({nested("sub", of({worker("a")}, strategy::one_for_one, 0))}));
  ASSERT_TRUE(sim.call("top/sub", api::start_child, {spec_value("dynamic")}));
  end("top/sub/a");
  EXPECT_TRUE(at("top/sub/a"));
  EXPECT_FALSE(at("top/sub/dynamic"));
}

// -- a restart that is tried again

struct restart_loop : supervisor_test {};

TEST_F(restart_loop, answers_between_two_attempts_and_can_be_ended_by_hand) {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one}) {
    plans["top/b"].starts = {};
    auto spec = abc(how, 1000);
    top(spec);
    plans["top/b"].starts = {"hang"};
    end("top/b");
    EXPECT_EQ(code_of(api::start_child, {spec_value("b")}), "restarting");
    EXPECT_EQ(code_of(api::restart_child, {"b"}), "restarting");
    EXPECT_EQ(code_of(api::delete_child, {"b"}), "restarting");
    EXPECT_EQ(code_of(api::terminate_child, {"b"}), "ok");
    EXPECT_EQ(state_of("b"), "stopped");
    diary_now();
    sim.advance(100s);
    EXPECT_THAT(diary_now(), IsEmpty()) << "the loop is over";
    plans["top/b"].starts = {};
    EXPECT_EQ(code_of(api::restart_child, {"b"}), "ok");
    sim.exit(at("top"), errc::shutdown);
    EXPECT_EQ(sim.population(), 1u);
  }
}

TEST_F(restart_loop, counts_a_child_in_it_among_the_workers_but_not_as_active) {
  top(abc(strategy::one_for_one, 1000));
  plans["top/b"].starts = {"hang"};
  end("top/b");
  const auto counts = *ask(api::count_children);
  EXPECT_EQ(counts["specs"], value(3));
  EXPECT_EQ(counts["active"], value(2));
  EXPECT_EQ(counts["workers"], value(3));
}

TEST_F(restart_loop, can_be_left_by_a_stop) {
  const auto sup = top(abc(strategy::one_for_one, 1000));
  plans["top/b"].starts = {"hang"};
  end("top/b");
  sim.exit(sup, errc::shutdown);
  EXPECT_EQ(sim.population(), 1u);
}

// -- administration

TEST_F(supervisor_test, answers_as_otp_does_when_children_are_managed_by_hand) {
  top(of({}));
  const auto started = ask(api::start_child, {spec_value("a")});
  ASSERT_TRUE(started);
  EXPECT_EQ(address_from(*started), at("top/a"));

  const auto again = ask(api::start_child, {spec_value("a")});
  EXPECT_EQ(again.error().code, "running");
  EXPECT_EQ(address_from(again.error().data["address"]), at("top/a"));
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "running");
  EXPECT_EQ(code_of(api::delete_child, {"a"}), "running");

  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok") << "stopped already";
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_EQ(code_of(api::start_child, {spec_value("a")}), "exists");

  const auto back = ask(api::restart_child, {"a"});
  ASSERT_TRUE(back);
  EXPECT_EQ(address_from(*back), at("top/a"));
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(code_of(api::delete_child, {"a"}), "ok");
  EXPECT_EQ(state_of("a"), "gone");
  for (const auto verb :
       {api::restart_child, api::delete_child, api::terminate_child, api::get_childspec})
    EXPECT_EQ(code_of(verb, {"a"}), "not_found");
}

TEST_F(supervisor_test, keeps_nothing_of_a_child_that_does_not_start) {
  top(of({}));
  for (const char* how : {"fail", "crash"}) {
    plans["top/a"].starts = {how};
    EXPECT_NE(code_of(api::start_child, {spec_value("a")}), "ok");
    EXPECT_EQ(state_of("a"), "gone");
    EXPECT_FALSE(at("top/a"));
  }
}

TEST_F(supervisor_test, keeps_a_child_stopped_that_does_not_start_again) {
  top(of({worker("a")}));
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  plans["top/a"].starts = {"fail"};
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "failed");
  EXPECT_EQ(state_of("a"), "stopped");
}

TEST_F(supervisor_test, tells_the_spec_of_a_child) {
  top(of({worker("a")}));
  const auto spec = *ask(api::get_childspec, {"a"});
  EXPECT_EQ(spec["restart"], value("permanent"));
  EXPECT_EQ(spec["shutdown"], value(5.0));
  EXPECT_EQ(spec["start"], value("member.lua"));
}

TEST_F(supervisor_test, lists_its_children_newest_first) {
  top(of({worker("a"), nested("sub", of({})), worker("c")}));
  const auto list = *ask(api::which_children);
  ASSERT_EQ(list.as_array().size(), 3u);
  const auto newest = api::child_info_from(list.as_array()[0]);
  EXPECT_EQ(newest.id, "c");
  EXPECT_EQ(newest.state, "running");
  EXPECT_EQ(newest.at, at("top/c"));
  EXPECT_FALSE(newest.is_supervisor);
  EXPECT_TRUE(api::child_info_from(list.as_array()[1]).is_supervisor);
  const auto counts = *ask(api::count_children);
  EXPECT_EQ(counts["supervisors"], value(1));
  EXPECT_EQ(counts["workers"], value(2));
  EXPECT_EQ(counts["active"], value(3));
}

TEST_F(supervisor_test, starts_a_whole_tree_as_a_dynamic_child) {
  top(of({}));
  value tree = value::map{};
  tree.set("children", value::array{spec_value("a")});
  value v = value::map{};
  v.set("id", "sub").set("start", tree);
  EXPECT_EQ(code_of(api::start_child, {v}), "ok");
  EXPECT_TRUE(at("top/sub/a"));
  diary_now();
  EXPECT_EQ(code_of(api::terminate_child, {"sub"}), "ok");
  EXPECT_THAT(diary_now(), ElementsAre("stop top/sub/a"));
}

TEST_F(supervisor_test, refuses_what_makes_no_sense) {
  top(of({worker("a")}));
  EXPECT_EQ(ask("start_chld").error().message,
            "unknown verb \"start_chld\": did you mean \"start_child\"?");
  EXPECT_EQ(code_of(api::start_child), "config");
  EXPECT_EQ(code_of(api::start_child, {"a.lua"}), "config");
  EXPECT_EQ(code_of(api::restart_child), "bad_argument");
  EXPECT_EQ(code_of(api::restart_child, {7}), "bad_argument");
  EXPECT_EQ(code_of(api::restart_child, {"a", "b"}), "bad_argument");
  sim.send("top", api::terminate_child, {"a"});
  EXPECT_TRUE(at("top/a")) << "a send has no answer, so it is no way to ask";
  EXPECT_EQ(count(what::dead_letter), 1u);
}

TEST_F(supervisor_test, does_one_thing_after_the_other_while_a_child_starts) {
  top(of({worker("a")}));
  plans["top/slow"].starts = {"hang"};
  texts answers;
  agent("asker",
        [&](context& ctx, envelope& e) {
          if (e.kind == kind::send) {
            auto slow = spec_value("slow");
            slow.set("start_timeout", 2);
            ctx.call(no_cause, 1, "top", api::start_child, *pack(value::array{slow}), {});
            ctx.call(no_cause, 2, "top", api::terminate_child, *pack(value::array{"a"}), {});
            ctx.call(no_cause, 3, "top", api::which_children, *pack(value::array{}), {});
          }
          if (e.kind == kind::reply || e.kind == kind::error)
            answers.push_back(std::to_string(e.id) + " " + std::string(to_string(e.kind)));
        },
        {.slots = concurrency::unlimited});
  sim.send("asker", "go");
  EXPECT_THAT(answers, IsEmpty());
  EXPECT_TRUE(at("top/a"));
  sim.advance(2s);
  EXPECT_THAT(answers, ElementsAre("1 error", "2 reply", "3 reply"));
}

TEST_F(supervisor_test, heals_a_child_that_ended_while_another_was_starting) {
  top(of({worker("a")}));
  plans["top/slow"].starts = {"hang"};
  agent("asker", [&](context& ctx, envelope& e) {
    if (e.kind != kind::send) return;
    ctx.call(no_cause, 1, "top", api::start_child, *pack(value::array{spec_value("slow")}), {});
  });
  sim.send("asker", "go");
  end("top/a");
  EXPECT_FALSE(at("top/a"));
  sim.advance(30s);
  EXPECT_TRUE(at("top/a"));
}

TEST_F(supervisor_test, takes_a_start_back_when_its_caller_gives_up) {
  top(of({}));
  plans["top/slow"].starts = {"hang"};
  const auto said = sim.call("top", api::start_child, {spec_value("slow")}, {.timeout = 1s});
  EXPECT_EQ(said.error().code, "timeout");
  sim.settle();
  EXPECT_EQ(state_of("slow"), "gone");
  EXPECT_FALSE(at("top/slow"));
}

TEST_F(supervisor_test, refuses_a_child_that_waits_for_it_in_its_own_start) {
  top(of({}));
  std::optional<error> refused;
  plans["top/a"].asks_in_start = [&](error e) { refused = std::move(e); };
  EXPECT_EQ(code_of(api::start_child, {spec_value("a")}), "ok");
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->code, "deadlock");
}

// -- who may ask

struct supervisor_rights : supervisor_test {
  authority_ptr granted(const char* kind, const char* glob) {
    value v = value::map{};
    v.set(kind, value::array{glob});
    return std::make_shared<authority>(authority{*grants::from(v), "asker", {}});
  }
  /// Asks top as an agent with these rights would.
  std::string asked_with(authority_ptr rights, std::string_view verb, value argument) {
    std::string code;
    process_init init;
    init.path = "asker";
    init.rights = std::move(rights);
    init.actions = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
      if (e.kind == kind::send) ctx.call(no_cause, 1, sup, verb, *pack(value::array{argument}), {});
      if (e.kind == kind::reply) code = "ok";
      if (e.kind == kind::error) code = unpack_error(e.body).code;
    });
    const auto asker = *sim.add(std::move(init));
    sim.send(asker, "go");
    sim.exit(asker, errc::kill);
    return code;
  }
  supervisor_rights() {
    top_rights = std::make_shared<authority>(authority{grants::all(), "top", {}});
    sup = top(of({worker("a")}));
  }
  address sup;
};

TEST_F(supervisor_rights, answers_those_who_are_granted_its_path_or_the_verb) {
  EXPECT_EQ(asked_with(granted("call", "other"), api::terminate_child, "a"), "denied");
  EXPECT_EQ(asked_with(granted("call", "top.which_children"), api::terminate_child, "a"), "denied");
  EXPECT_TRUE(at("top/a"));
  EXPECT_EQ(asked_with(granted("call", "top.terminate_child"), api::terminate_child, "a"), "ok");
  EXPECT_EQ(asked_with(granted("call", "top"), api::restart_child, "a"), "ok");
}

TEST_F(supervisor_rights, gives_a_child_no_more_than_who_asked_for_it_has) {
  EXPECT_EQ(asked_with(granted("call", "top"), api::start_child, spec_value("b")), "ok");
  ASSERT_TRUE(rights_of["top/b"]);
  EXPECT_TRUE(rights_of["top/b"]->grants.allows("call", "top"));
  EXPECT_FALSE(rights_of["top/b"]->grants.allows("tools", "file.read"));
}

// -- what an agent spawns

struct spawning : supervisor_test {
  /// Spawns a child for each send; keeps the answers.
  address owner(std::int64_t limit, texts& answers) {
    value v = value::map{};
    v.set("spawn", limit);
    process_init init;
    init.path = "boss";
    init.rights = std::make_shared<authority>(authority{*grants::from(v), "boss", {}});
    init.actions = std::make_unique<lambda_behaviour>(
        [&](context& ctx, envelope& e) {
          if (e.kind == kind::send && e.verb == "spawn")
            ctx.spawn(no_cause, ++last, unpack(e.body.view())->as_array().front());
          if (e.kind == kind::send && e.verb == "end") ctx.exit(error(errc::normal, "done"));
          if (e.kind == kind::reply) answers.push_back("ok");
          if (e.kind == kind::error) answers.push_back(unpack_error(e.body).code);
          if (e.kind == kind::stop) ctx.exit(unpack_error(e.body));
        },
        concurrency{.slots = concurrency::unlimited});
    return *sim.add(std::move(init));
  }
  static value unnamed() {
    value v = value::map{};
    v.set("start", "helpers/sub.reader.lua");
    return v;
  }
  call_id last = 0;
};

TEST_F(spawning, puts_children_below_the_owner_and_gives_them_ids) {
  texts answers;
  owner(10, answers);
  sim.send("boss", "spawn", {unnamed()});
  sim.send("boss", "spawn", {unnamed()});
  sim.send("boss", "spawn", {spec_value("named")});
  EXPECT_THAT(answers, ElementsAre("ok", "ok", "ok"));
  EXPECT_TRUE(at("boss/sub-1"));
  EXPECT_TRUE(at("boss/sub-2"));
  EXPECT_TRUE(at("boss/named"));
}

TEST_F(spawning, makes_temporary_children_unless_told_otherwise) {
  texts answers;
  owner(10, answers);
  sim.send("boss", "spawn", {unnamed()});
  sim.send("boss", "spawn", {spec_value("named", "permanent")});
  end("boss/sub-1");
  end("boss/named");
  EXPECT_FALSE(at("boss/sub-1"));
  EXPECT_TRUE(at("boss/named"));
}

TEST_F(spawning, ends_with_the_owner_in_order) {
  texts answers;
  owner(10, answers);
  sim.send("boss", "spawn", {spec_value("a")});
  sim.send("boss", "spawn", {spec_value("b")});
  diary_now();
  sim.send("boss", "end");
  EXPECT_THAT(diary_now(), ElementsAre("stop boss/b", "stop boss/a"));
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(spawning, takes_the_owner_along_when_its_children_crash_too_often) {
  texts answers;
  const auto boss = owner(10, answers);
  sim.send("boss", "spawn", {spec_value("a", "permanent")});
  end("boss/a");
  EXPECT_TRUE(sim.alive(boss));
  end("boss/a");
  EXPECT_FALSE(sim.alive(boss));
}

TEST_F(spawning, is_bounded_by_the_grant) {
  texts answers;
  owner(1, answers);
  sim.send("boss", "spawn", {unnamed()});
  sim.send("boss", "spawn", {unnamed()});
  EXPECT_THAT(answers, ElementsAre("ok", "denied"));
}

// -- what operators see

TEST_F(supervisor_test, reports_each_restart_with_reason_time_and_count) {
  top(of({worker("a")}, strategy::one_for_one, 5));
  end("top/a");
  end("top/a");
  std::vector<runtime_event> restarts;
  for (const auto& e : sim.events)
    if (e.what == what::restarted) restarts.push_back(e);
  ASSERT_EQ(restarts.size(), 2u);
  EXPECT_EQ(restarts[1].path, "top/a");
  EXPECT_EQ(restarts[1].agent, at("top/a"));
  EXPECT_EQ(restarts[1].reason.describe(), "crash: told to (top/a)");
  EXPECT_EQ(restarts[1].data["count"], value(2));
  EXPECT_EQ(restarts[1].data["intensity"], value(5));
  EXPECT_EQ(restarts[1].data["ms"], value(0.0));
}

TEST_F(supervisor_test, measures_how_long_a_restart_took_with_its_failed_attempts) {
  auto spec = of({worker("a")});
  spec.children[0].start_timeout = 2s;
  top(spec);
  plans["top/a"].starts = {"hang", "ready"};
  end("top/a");
  sim.advance(10s);
  const auto& last = sim.events.back();
  ASSERT_EQ(last.what, what::restarted);
  EXPECT_EQ(last.data["ms"], value(2000.0));
  EXPECT_EQ(last.data["count"], value(2));
}

TEST_F(supervisor_test, shows_itself_to_inspect) {
  top(abc(strategy::rest_for_one));
  const auto seen = *sim.call("top", inspect_verb);
  EXPECT_EQ(seen["behaviour"]["strategy"], value("rest_for_one"));
  EXPECT_EQ(seen["behaviour"]["children"], value(3));
}

/// The same whatever order agents run in.
TEST(supervisor_seeds, hold_order_and_population_for_many_seeds) {
  struct seeded : team {
    explicit seeded(std::uint64_t seed) : team(seed) {}
    void TestBody() override {
      supervisor_spec spec{
          strategy::rest_for_one, 1000, 5s, {worker("a"), worker("b"), worker("c")}};
      const auto sup = top(spec);
      for (const char* path : {"top/b", "top/a", "top/c", "top/a"})
        sim.send(path, "end", {"crash"});
      EXPECT_EQ(sim.population(), 5u);
      diary.clear();
      sim.exit(sup, errc::shutdown);
      EXPECT_THAT(diary, ElementsAre("stop top/c", "stop top/b", "stop top/a"));
      EXPECT_EQ(sim.population(), 1u);
    }
  };
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    seeded one(seed);
    one.TestBody();
  }
}

}  // namespace
}  // namespace troupe::test
