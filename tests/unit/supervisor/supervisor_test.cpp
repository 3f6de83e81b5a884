// SPDX-License-Identifier: Apache-2.0
//
// What OTP's list (tests/conformance) does not ask for: reasons that name the thing, what goes on
// at the same time, who may ask, what agents spawn, and what we have beyond OTP.
#include "actors/supervisor/supervisor.hpp"

#include <gmock/gmock.h>

#include <set>

#include "support/team.hpp"

namespace troupe::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace api = supervisor_api;
using what = enum runtime_event::what;

struct supervisor_test : team {};

// -- start

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

// -- stop

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

// -- strategies

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

TEST_F(supervisor_test, gives_up_at_the_first_crash_with_intensity_zero) {
  const auto sup = top(abc(strategy::one_for_one, 0));
  end("top/a");
  EXPECT_FALSE(sim.alive(sup));
}

TEST_F(supervisor_test, counts_attempts_that_can_not_even_be_prepared) {
  const auto sup = top(abc());
  refuses = "a";
  end("top/a");
  EXPECT_FALSE(sim.alive(sup));
  EXPECT_EQ(sim.reason_of(sup)->cause->code, "denied");
}

TEST_F(supervisor_test, does_not_restart_a_transient_supervisor_that_gave_up) {
  auto sub = nested("sub", abc(strategy::one_for_one, 0));
  sub.restart = restart_type::transient;
  top(of({sub}));
  end("top/sub/a");
  EXPECT_EQ(state_of("sub"), "stopped");
}

// -- beyond OTP: waits between restarts

struct waiting : supervisor_test {
  /// Without chance, unless a test asks for it.
  static child_spec slow(child_spec spec, duration least, duration most, double jitter = 0) {
    spec.backoff = {least, most, jitter};
    return spec;
  }
  /// How long until `path` is there again.
  duration time_until(const std::string& path) {
    const auto began = sim.now();
    while (!at(path) && sim.step(never)) {
    }
    return sim.now() - began;
  }
};

TEST_F(waiting, doubles_the_wait_with_each_restart_up_to_the_most) {
  top(of({slow(worker("a"), 1s, 5s), worker("b")}, strategy::one_for_one, 100));
  for (const auto expected : {1s, 2s, 4s, 5s, 5s}) {
    end("top/a");
    EXPECT_EQ(state_of("a"), "restarting");
    EXPECT_EQ(time_until("top/a"), expected);
    sim.settle();
  }
}

TEST_F(waiting, begins_anew_once_the_child_has_run_as_long_as_the_longest_wait) {
  top(of({slow(worker("a"), 1s, 5s)}, strategy::one_for_one, 100));
  for (int i = 0; i < 3; ++i) {
    end("top/a");
    sim.advance(10s);  // it waits 1, 2 and 4 seconds of these
    if (i < 2) {
      end("top/a");
      EXPECT_EQ(time_until("top/a"), 1s);
      sim.settle();
      sim.advance(6s);
    }
  }
}

TEST_F(waiting, waits_after_a_failed_attempt_too) {
  top(of({slow(worker("a"), 1s, 60s)}, strategy::one_for_one, 100));
  plans["top/a"].starts = {"fail", "fail", "ready"};
  end("top/a");
  sim.advance(6999ms);
  EXPECT_EQ(state_of("a"), "restarting") << "it waits 1, 2 and 4 seconds";
  sim.advance(1ms);
  EXPECT_EQ(state_of("a"), "running");
}

TEST_F(waiting, leaves_a_part_of_the_wait_to_chance) {
  std::set<duration> waits;
  top(of({slow(worker("a"), 10s, 10s, 0.5)}, strategy::one_for_one, 100));
  for (int i = 0; i < 20; ++i) {
    end("top/a");
    const auto took = time_until("top/a");
    EXPECT_GE(took, 5s);
    EXPECT_LE(took, 10s);
    waits.insert(took);
    sim.settle();
  }
  EXPECT_GT(waits.size(), 15u);
}

TEST_F(waiting, stops_those_who_are_restarted_with_it_before_the_wait) {
  auto spec = abc(strategy::rest_for_one);
  spec.children[1] = slow(worker("b"), 1s, 1s);
  top(spec);
  const auto a = at("top/a");
  diary_now();
  end("top/b");
  EXPECT_THAT(diary_now(), ElementsAre("end top/b", "stop top/c"));
  sim.advance(1s);
  EXPECT_THAT(diary_now(), ElementsAre("start top/b", "top/b had ended: crash", "start top/c",
                                       "top/c had ended: shutdown"));
  EXPECT_EQ(at("top/a"), a);
}

TEST_F(waiting, answers_and_can_be_ended_or_hurried_by_hand) {
  top(of({slow(worker("a"), 60s, 60s)}));
  end("top/a");
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "restarting");
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
  const auto by_hand = at("top/a");
  sim.advance(100s);
  EXPECT_EQ(at("top/a"), by_hand) << "the old wait means nothing any more";
}

// -- beyond OTP: what remains to be done at a stop

struct draining : supervisor_test {
  static supervisor_spec one(duration drain, duration shutdown = 5s) {
    auto spec = worker("a");
    spec.drain = drain;
    spec.shutdown = shutdown;
    return of({spec});
  }
  call_id begin(std::string_view verb) {
    const auto id = *sim.begin_call("top/a", verb, {"x"}, {.timeout = duration::max()});
    sim.settle();
    return id;
  }
  std::string outcome(call_id id) {
    const auto* said = sim.answer_of(id);
    if (said == nullptr) return "open";
    return *said ? std::string((*said)->as_string()) : said->error().code;
  }
  address sup;
};

TEST_F(draining, finishes_what_it_serves_and_what_waits_and_takes_nothing_new) {
  sup = top(one(10s));
  const auto served = begin("hold"), waits = begin("echo");
  sim.exit(sup, errc::shutdown);
  const auto late = begin("echo");
  EXPECT_EQ(outcome(late), "down");
  EXPECT_EQ(outcome(served), "open");
  EXPECT_TRUE(sim.alive(at("top/a")));
  EXPECT_EQ((*sim.call("top/a", inspect_verb))["phase"], value("draining"));
  sim.outlet_to(at("top/a")).post("release", {});
  sim.settle();
  EXPECT_EQ(outcome(served), "held");
  EXPECT_EQ(outcome(waits), "x");
  EXPECT_EQ(sim.reason_of(sup)->code, "shutdown") << "as soon as nothing was left to do";
}

TEST_F(draining, ends_when_its_time_is_over_and_then_stops_within_shutdown) {
  sup = top(one(10s, 2s));
  const auto a = at("top/a");
  plans["top/a"].obeys = false;
  const auto served = begin("hold");
  sim.exit(sup, errc::shutdown);
  diary_now();
  sim.advance(9999ms);
  EXPECT_THAT(diary_now(), IsEmpty());
  sim.advance(1ms);
  EXPECT_THAT(diary_now(), testing::Contains("stop top/a"));
  EXPECT_EQ(outcome(served), "down");
  sim.advance(2s);
  EXPECT_EQ(sim.reason_of(a)->code, "killed");
  EXPECT_FALSE(sim.alive(sup));
}

TEST_F(draining, stops_at_once_what_is_idle_or_has_no_such_time) {
  for (const auto drain : {duration(10s), duration(0)}) {
    sup = top(one(drain));
    if (drain == 0s) begin("hold");
    sim.exit(sup, errc::shutdown);
    EXPECT_FALSE(sim.alive(sup));
  }
}

TEST_F(draining, goes_before_a_brutal_kill) {
  sup = top(one(10s, 0s));
  const auto a = at("top/a");
  begin("hold");
  sim.exit(sup, errc::shutdown);
  sim.advance(9s);
  EXPECT_TRUE(sim.alive(a));
  sim.advance(1s);
  EXPECT_EQ(sim.reason_of(a)->code, "killed");
}

TEST_F(draining, lets_all_children_of_a_template_finish_at_the_same_time) {
  auto spec = one(10s);
  spec.strategy = strategy::simple_one_for_one;
  sup = top(spec);
  for (const char* path : {"top/a-1", "top/a-2"}) {
    EXPECT_EQ(code_of(api::start_child), "ok");
    EXPECT_TRUE(sim.begin_call(path, "hold", {}, {.timeout = duration::max()}));
  }
  sim.settle();
  sim.exit(sup, errc::shutdown);
  sim.outlet_to(at("top/a-1")).post("release", {});
  sim.settle();
  EXPECT_FALSE(at("top/a-1"));
  EXPECT_TRUE(at("top/a-2"));
  sim.advance(10s);
  EXPECT_FALSE(sim.alive(sup));
}

// -- beyond OTP: what is remembered of a child

TEST_F(supervisor_test, remembers_the_last_ten_ends_of_a_child_newest_first) {
  top(of({worker("a")}, strategy::one_for_one, 100));
  for (int i = 0; i < 12; ++i) {
    sim.advance(std::chrono::seconds(i));
    end("top/a", i == 11 ? "limit" : "crash");
  }
  const auto child = *ask(api::which_child, {"a"});
  const auto& exits = child["exits"].as_array();
  ASSERT_EQ(exits.size(), 10u);
  EXPECT_EQ(exits[0]["reason"]["code"], value("limit"));
  EXPECT_EQ(exits[0]["lived"], value(11.0));
  EXPECT_EQ(exits[9]["reason"]["code"], value("crash"));
  EXPECT_EQ(exits[9]["lived"], value(2.0));
  EXPECT_GT(exits[0]["at"].as_double(), exits[1]["at"].as_double());
}

TEST_F(supervisor_test, keeps_what_it_remembers_small) {
  top(of({worker("a")}));
  const std::string long_text(100'000, 'x');
  sim.send("top/a", "end", {"crash", long_text, long_text});
  const auto child = *ask(api::which_child, {"a"});
  EXPECT_LT(pack(child)->size(), 1000u);
}

// -- specs that change

TEST_F(supervisor_test, merges_a_whole_tree_down_to_the_supervisors_that_run) {
  const auto branch = [](duration shutdown, std::vector<child_spec> more) {
    auto leaf = worker("a");
    leaf.shutdown = shutdown;
    more.insert(more.begin(), leaf);
    return of({nested("left", of(std::move(more))), nested("right", of({worker("r")}))});
  };
  const auto tree = [](supervisor_spec s) { return nested("x", std::move(s)).to_value()["start"]; };
  top(branch(5s, {worker("old")}));
  const auto a = at("top/left/a");
  const auto said = *ask(api::upgrade, {tree(branch(1s, {worker("new")}))});
  EXPECT_EQ(said["added"], value(value::array{"left/new"}));
  EXPECT_EQ(said["changed"], value(value::array{"left", "left/a"}));
  EXPECT_EQ(said["kept"], value(value::array{"left/old"}));
  EXPECT_EQ((*sim.call("top/left", api::get_childspec, {"a"}))["shutdown"], value(1.0));
  EXPECT_EQ(at("top/left/a"), a);
  EXPECT_TRUE(sim.call("top/left", api::restart_child, {"new"}));
  sim.settle();
  sim.exit(at("top/left"), errc::kill);
  EXPECT_TRUE(at("top/left/new")) << "a supervisor that comes anew has the new tree";
  EXPECT_FALSE(at("top/left/old"));
}

TEST_F(supervisor_test, changes_nothing_anywhere_if_a_part_of_the_tree_can_not_be_taken) {
  const auto tree = [](supervisor_spec s) { return nested("x", std::move(s)).to_value()["start"]; };
  top(of({worker("a"), nested("sub", of({worker("b")}))}));
  auto a = worker("a");
  a.shutdown = 1s;
  const auto said =
      ask(api::upgrade,
          {tree(of({a, nested("sub", of({worker("b")}, strategy::simple_one_for_one))}))});
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().message,
            "top/sub: strategy: it can't change from or to simple_one_for_one while the supervisor "
            "runs");
  EXPECT_EQ((*ask(api::get_childspec, {"a"}))["shutdown"], value(5.0));
}

TEST_F(supervisor_test, keeps_a_wait_for_a_restart_through_a_change_of_specs) {
  const auto tree = [](supervisor_spec s) { return nested("x", std::move(s)).to_value()["start"]; };
  auto a = worker("a");
  a.backoff = {10s, 10s, 0};
  top(of({a, worker("b")}));
  end("top/a");
  EXPECT_EQ(code_of(api::upgrade, {tree(of({worker("b"), a}))}), "ok");
  sim.advance(10s);
  EXPECT_EQ(state_of("a"), "running");
}

TEST_F(supervisor_test, reads_its_tree_again_only_where_it_has_a_file) {
  top(abc());
  EXPECT_EQ(ask(api::reload).error().describe(),
            "unsupported: top has no file of its own to be read again (top)");
}

// -- administration

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

TEST_F(supervisor_rights, lets_nobody_change_its_specs_who_has_less_than_itself) {
  value tree = value::map{};
  EXPECT_EQ(asked_with(granted("call", "top"), api::upgrade, tree), "denied");
  const auto all = std::make_shared<authority>(authority{grants::all(), "asker", {}});
  EXPECT_EQ(asked_with(all, api::upgrade, tree), "ok");
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
