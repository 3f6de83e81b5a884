// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, strategies: C-41 to C-55, and restarts that are tried again: C-67 to C-70.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_41_never_gives_up_over_restarts_slower_than_its_limit) {
  for (const auto how : all_strategies) {
    auto spec = abc(how, 1);
    spec.period = 1s;
    const auto sup = top(spec);
    for (int i = 0; i < 10; ++i) {
      end("top/a");
      sim.advance(2100ms);
    }
    EXPECT_EQ(at("top"), sup);
    stop();
  }
}

TEST_F(conformance, C_42_one_for_one_leaves_siblings_alone_until_it_gives_up) {
  const auto sup = top(abc(strategy::one_for_one, 2));
  const auto b = at("top/b");
  end("top/a");
  end("top/a");
  EXPECT_EQ(at("top/b"), b);
  EXPECT_EQ(state_of("a"), "running");
  end("top/a");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(reason(b), "shutdown");
}

TEST_F(conformance, C_43_one_for_one_ends_with_its_children_when_a_restart_keeps_failing) {
  const auto sup = top(abc());
  const auto b = at("top/b");
  plans["top/a"].starts = {"fail"};
  end("top/a");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(reason(b), "shutdown");
}

TEST_F(conformance, C_44_one_for_all_restarts_all_and_counts_one_for_each_event) {
  const auto sup = top(abc(strategy::one_for_all, 2));
  const auto a = at("top/a"), c = at("top/c");
  diary_now();
  end("top/b");
  EXPECT_THAT(diary_now(),
              ElementsAre("end top/b", "stop top/c", "stop top/a", "start top/a",
                          "top/a had ended: shutdown", "start top/b", "top/b had ended: crash",
                          "start top/c", "top/c had ended: shutdown"));
  EXPECT_NE(at("top/a"), a);
  EXPECT_NE(at("top/c"), c);
  end("top/a");
  EXPECT_EQ(reason(sup), "alive");
  end("top/c");
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_45_one_for_all_ends_with_its_children_when_a_restart_keeps_failing) {
  const auto sup = top(abc(strategy::one_for_all));
  plans["top/a"].starts = {"fail"};
  end("top/a");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(conformance, C_46_one_for_all_starts_over_when_another_child_fails_to_restart) {
  top(of({worker("a"), worker("b")}, strategy::one_for_all));
  plans["top/b"].starts = {"fail", "ready"};
  diary_now();
  end("top/b");
  EXPECT_THAT(diary_now(),
              ElementsAre("end top/b", "stop top/a", "start top/a", "top/a had ended: shutdown",
                          "start top/b", "top/b had ended: crash", "stop top/a", "start top/a",
                          "top/a had ended: shutdown", "start top/b", "top/b had ended: failed"));
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_EQ(state_of("b"), "running");
}

TEST_F(conformance, C_47_simple_one_for_one_restarts_only_the_child_that_ended) {
  const auto sup = top(simple(worker("a"), 2));
  const auto one = add(), other = add();
  end(one);
  EXPECT_EQ(reason(other), "alive");
  EXPECT_EQ(counted("active"), 2);
  EXPECT_NE(at("top/a-1"), one);
  end("top/a-1");
  end("top/a-1");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(reason(other), "shutdown");
}

TEST_F(conformance, C_48_stops_the_children_of_a_template_in_parallel_within_one_time) {
  const auto sup = top(simple(with_shutdown(worker("a"), 2s)));
  for (int i = 1; i <= 100; ++i) {
    plans["top/a-" + std::to_string(i)].obeys = false;
    add();
  }
  diary_now();
  stop();
  EXPECT_EQ(diary_now().size(), 100u) << "all are told at once";
  sim.advance(1999ms);
  EXPECT_EQ(reason(sup), "alive");
  sim.advance(1ms);
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_49_restarts_a_child_of_a_template_that_says_more_with_its_start) {
  top(simple(worker("a")));
  plans["top/a-1"].info = "hello";
  const auto started = *ask(api::start_child, {value(value::map{{"size", 3}})});
  EXPECT_EQ(started["info"], value("hello"));
  const auto before = address_from(started["address"]);
  EXPECT_EQ(options_of["top/a-1"]["size"], value(3));
  options_of.clear();
  end(before);
  EXPECT_TRUE(at("top/a-1"));
  EXPECT_NE(at("top/a-1"), before);
  EXPECT_EQ(options_of["top/a-1"]["size"], value(3)) << "with what it was started with";
}

TEST_F(conformance, C_50_simple_one_for_one_ends_when_a_restart_keeps_failing) {
  const auto sup = top(simple(worker("a")));
  const auto one = add(), other = add();
  plans["top/a-1"].starts = {"fail"};
  end(one);
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(reason(other), "shutdown");
}

TEST_F(conformance, C_51_a_temporary_child_of_a_template_retains_nothing_it_was_started_with) {
  top(simple(worker("a", restart_type::temporary)));
  const value big = value::map{{"text", std::string(1000, 'x')}};
  const auto one = add(big), other = add(big);
  EXPECT_EQ(options_of["top/a-2"]["text"].as_string().size(), 1000u);
  for (int i = 0; i < 2; ++i) {
    const auto spec = *ask(api::get_childspec, {to_value(other)});
    EXPECT_EQ(spec["options"].find("text"), nullptr);
    if (i == 0) end(one);
  }
}

TEST_F(conformance, C_52_drops_a_child_of_a_template_that_says_ignore_when_it_is_restarted) {
  const auto sup = top(simple(worker("a")));
  const auto one = add(), other = add();
  plans["top/a-1"].starts = {"ignore"};
  end(one);
  EXPECT_EQ(children(), 1u);
  EXPECT_EQ(reason(other), "alive");
  EXPECT_EQ(reason(sup), "alive");
  add();
  EXPECT_EQ(counted("active"), 2);
}

TEST_F(conformance, C_53_rest_for_one_restarts_those_behind) {
  const auto sup = top(abc(strategy::rest_for_one, 2));
  const auto a = at("top/a"), c = at("top/c");
  end("top/b");
  EXPECT_EQ(at("top/a"), a);
  EXPECT_NE(at("top/c"), c);
  end("top/c");
  EXPECT_EQ(at("top/a"), a);
  end("top/a");
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_54_rest_for_one_ends_with_its_children_when_a_restart_keeps_failing) {
  const auto sup = top(abc(strategy::rest_for_one));
  plans["top/a"].starts = {"fail"};
  end("top/a");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(conformance, C_55_rest_for_one_goes_on_with_the_child_that_failed_to_restart) {
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

/// A restart that fails again and again, without a pause: nothing ever settles.
struct restart_loop {
  restart_loop(simulation& s, plan& p, const target& child) : sim(s) {
    p.starts = {"fail"};
    EXPECT_TRUE(sim.begin_call(child, "end", {"crash"}));
    while (sim.population() > 0 && goes_round < 3) {
      const auto before = failed();
      EXPECT_TRUE(sim.step(sim.now()));
      goes_round += failed() > before;
    }
  }
  std::size_t failed() const { return sim.logs.size(); }
  /// The code of the error, or "ok".
  std::string code_of(std::string_view verb, value argument) {
    const auto said = ask(verb, {std::move(argument)});
    return said ? "ok" : said.error().code;
  }
  result<value> ask(std::string_view verb, value::array args = {}) {
    const auto before = failed();
    auto said = sim.call("top", verb, std::move(args), {.timeout = duration::max()});
    EXPECT_LT(failed() - before, 20u) << "it waits behind the attempts";
    return said;
  }
  std::string state_of(const std::string& id) {
    return std::string((*ask(api::which_child, {id}))["state"].as_string());
  }
  simulation& sim;
  int goes_round = 0;
};

TEST_F(conformance, C_67_stays_answerable_in_a_restart_that_never_succeeds) {
  for (const auto how : {strategy::one_for_one, strategy::one_for_all}) {
    const auto sup = top(abc(how, 1'000'000));
    restart_loop loop(sim, plans["top/b"], "top/b");
    EXPECT_EQ(loop.state_of("b"), "restarting");
    EXPECT_EQ(loop.state_of("a"), "running") << "those before it stay up until the next attempt";
    EXPECT_EQ(loop.state_of("c"), how == strategy::one_for_all ? "stopped" : "running");
    EXPECT_EQ(loop.code_of(api::start_child, spec_value("b")), "restarting");
    EXPECT_EQ(loop.code_of(api::restart_child, "b"), "restarting");
    EXPECT_EQ(loop.code_of(api::delete_child, "b"), "restarting");
    EXPECT_EQ(loop.code_of(api::terminate_child, "b"), "ok");
    sim.settle();
    EXPECT_EQ(state_of("b"), "stopped") << "the loop is over";
    plans["top/b"].starts = {};
    EXPECT_EQ(code_of(api::restart_child, {"b"}), "ok");
    restart_loop again(sim, plans["top/b"], "top/b");
    stop();
    EXPECT_EQ(reason(sup), "shutdown") << "it can be stopped amid the loop";
    EXPECT_EQ(sim.population(), 1u);
    plans.clear();
  }
}

TEST_F(conformance, C_68_stays_answerable_in_such_a_restart_with_rest_for_one) {
  const auto sup = top(abc(strategy::rest_for_one, 1'000'000));
  const auto a = at("top/a");
  restart_loop loop(sim, plans["top/b"], "top/b");
  EXPECT_EQ(loop.state_of("a"), "running");
  EXPECT_EQ(loop.state_of("b"), "restarting");
  EXPECT_EQ(loop.state_of("c"), "stopped");
  EXPECT_EQ(loop.code_of(api::restart_child, "b"), "restarting");
  EXPECT_EQ(loop.code_of(api::terminate_child, "b"), "ok");
  sim.settle();
  EXPECT_EQ(state_of("b"), "stopped");
  EXPECT_EQ(at("top/a"), a);
  plans["top/b"].starts = {};
  EXPECT_EQ(code_of(api::restart_child, {"b"}), "ok");
  EXPECT_EQ(code_of(api::restart_child, {"c"}), "ok");
  restart_loop again(sim, plans["top/b"], "top/b");
  stop();
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(conformance, C_69_stays_answerable_in_such_a_restart_of_a_child_of_a_template) {
  const auto sup = top(simple(worker("a"), 1'000'000));
  const auto one = add(), other = add();
  restart_loop loop(sim, plans["top/a-1"], one);
  EXPECT_EQ(loop.state_of("a-1"), "restarting");
  EXPECT_EQ(loop.state_of("a-2"), "running");
  const auto counted = *loop.ask(api::count_children);
  EXPECT_EQ(counted["active"], value(1));
  EXPECT_EQ(counted["workers"], value(2));
  EXPECT_EQ(loop.code_of(api::terminate_child, "a-1"), "ok");
  sim.settle();
  EXPECT_EQ(children(), 1u);
  restart_loop again(sim, plans["top/a-2"], other);
  stop();
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_EQ(sim.population(), 1u);
}

TEST_F(conformance, C_70_starts_in_order_and_stops_in_the_exact_reverse) {
  const auto stops = [&] {
    texts seen;
    for (const auto& line : diary_now())
      if (line.starts_with("stop ")) seen.push_back(line);
    return seen;
  };
  for (const auto how : {strategy::one_for_one, strategy::rest_for_one}) {
    diary_now();
    top(of({worker("a"), worker("b"), worker("c"), worker("d")}, how));
    EXPECT_THAT(diary_now(),
                ElementsAre("start top/a", "start top/b", "start top/c", "start top/d"));
    end("top/b");
    if (how == strategy::rest_for_one)
      EXPECT_THAT(stops(), ElementsAre("stop top/d", "stop top/c"));
    else
      EXPECT_THAT(stops(), IsEmpty());
    add(spec_value("e"));
    stop();
    EXPECT_THAT(stops(),
                ElementsAre("stop top/e", "stop top/d", "stop top/c", "stop top/b", "stop top/a"));
  }
}

}  // namespace
}  // namespace troupe::test
