// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, the rest: trees, counts, what temporary children leave behind, names, reports.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_56_stops_a_child_that_has_untied_itself) {
  plans["top/a"].unlinks = true;
  top(of({with_shutdown(worker("a"), 1s)}));
  const auto a = at("top/a");
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(reason(a), "shutdown");
}

TEST_F(conformance, C_57_restarts_a_tree_only_as_far_up_as_it_must) {
  const auto branch = [&](const char* id) { return nested(id, abc(strategy::one_for_one, 1)); };
  top(of({branch("left"), branch("right")}, strategy::one_for_all));
  ASSERT_TRUE(ask_at("top/left", api::start_child, {spec_value("dynamic")}));
  const auto left = at("top/left"), right = at("top/right"), b = at("top/left/b");
  end("top/left/a");
  EXPECT_EQ(at("top/left"), left);
  EXPECT_EQ(at("top/left/b"), b) << "only the leaf that crashed comes anew";

  EXPECT_EQ(code_of(api::terminate_child, {"right"}), "ok");
  end("top/left/a");
  EXPECT_NE(at("top/left"), left);
  EXPECT_EQ(state_of("right"), "running") << "with all others, though it was stopped by hand";
  EXPECT_NE(at("top/right"), right);
  EXPECT_TRUE(at("top/left/a"));
  EXPECT_NE(at("top/left/b"), b);
  EXPECT_FALSE(at("top/left/dynamic")) << "what was added later is lost";
  EXPECT_THAT(counts("top/left"), ElementsAre(3, 3, 0, 3));
}

TEST_F(conformance, C_58_counts_its_children) {
  top(of({}));
  EXPECT_THAT(counts(), ElementsAre(0, 0, 0, 0));
  add(spec_value("a"));
  add(spec_value("b"));
  EXPECT_THAT(counts(), ElementsAre(2, 2, 0, 2));
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_THAT(counts(), ElementsAre(2, 1, 0, 2));
  EXPECT_EQ(code_of(api::delete_child, {"a"}), "ok");
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0, 1));
  kill("top/b");
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0, 1));
}

TEST_F(conformance, C_59_counts_two_thousand_children_of_a_template_and_supervisors_among_them) {
  const auto sup = top(simple(nested("a", of({}))));
  for (int i = 0; i < 2000; ++i)
    add();
  EXPECT_THAT(counts(), ElementsAre(1, 2000, 2000, 0));
  EXPECT_EQ(code_of(api::terminate_child, {"a-7"}), "ok");
  EXPECT_THAT(counts(), ElementsAre(1, 1999, 1999, 0));
  stop();
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_60_counts_a_child_that_is_restarting_as_a_worker_but_not_as_active) {
  for (const auto how : all_strategies) {
    top(abc(how, 1000));
    plans["top/c"].starts = {"hang"};
    end("top/c");
    EXPECT_THAT(counts(), ElementsAre(3, 2, 0, 3));
    stop();
    plans.clear();
  }
  top(simple(worker("a"), 1000));
  const auto one = add();
  add();
  plans["top/a-1"].starts = {"hang"};
  end(one);
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0, 2));
}

TEST_F(conformance, C_62_a_temporary_child_retains_nothing_it_was_started_with) {
  top({});
  for (const char* restart : {"permanent", "transient", "temporary"}) {
    auto spec = spec_value(restart, restart);
    spec.set("options", value::map{{"text", "big"}});
    add(spec);
    EXPECT_EQ(options_of[std::string("top/") + restart]["text"], value("big"));
    const auto kept = *ask(api::get_childspec, {restart});
    EXPECT_EQ(kept["options"].find("text") != nullptr, std::string(restart) != "temporary");
  }
}

TEST_F(conformance, C_63_retains_no_spec_of_a_temporary_child_that_is_gone) {
  const auto sup = top(of({}, strategy::one_for_one, 1000));
  const std::function<void()> ways[] = {
      [&] { kill("top/a"); },
      [&] { end("top/a", "normal"); },
      [&] { end("top/a", "crash"); },
      [&] { EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok"); },
  };
  for (const char* restart : {"permanent", "transient", "temporary"})
    for (std::size_t way = 0; way < std::size(ways); ++way) {
      add(spec_value("a", restart));
      ways[way]();
      const std::string type = restart;
      const bool by_hand = way == 3, normally = way == 1;
      const bool stays_stopped = by_hand || (type == "transient" && normally);
      const char* then = type == "temporary" ? "ok" : stays_stopped ? "exists" : "running";
      EXPECT_EQ(code_of(api::start_child, {spec_value("a", restart)}), then) << restart << way;
      EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
      EXPECT_EQ(code_of(api::delete_child, {"a"}), type == "temporary" ? "not_found" : "ok");
    }
  EXPECT_EQ(reason(sup), "alive");
}

TEST_F(conformance, C_66_gives_names_back_before_the_next_one_takes_them) {
  plans["top/sub/a"].registers = "the_worker";
  top(of({nested("sub", of({worker("a")}))}, strategy::one_for_one, 10));
  auto is_named_anew = [&, last = address()]() mutable {
    const auto now = at("the_worker");
    const bool is_new = now && now == at("top/sub/a") && !(now == last);
    last = now;
    return is_new;
  };
  EXPECT_TRUE(is_named_anew());
  kill("top/sub");
  EXPECT_TRUE(is_named_anew()) << "the supervisor was killed";
  kill("the_worker");
  EXPECT_TRUE(is_named_anew()) << "the worker was killed";
  end("the_worker", "normal");
  EXPECT_TRUE(is_named_anew()) << "the worker ended";
  ASSERT_TRUE(ask_at("top/sub", api::terminate_child, {"a"}));
  EXPECT_FALSE(at("the_worker"));
  ASSERT_TRUE(ask_at("top/sub", api::restart_child, {"a"}));
  EXPECT_TRUE(is_named_anew()) << "the worker was started by hand";
}

TEST_F(conformance, C_75_says_in_which_phase_whose_end_it_reports_and_why) {
  const auto last = [&](const char* context) {
    const auto& said = sim.logs.back();
    EXPECT_EQ(said.fields["context"], value(context));
    return said;
  };
  auto spec = of({with_shutdown(worker("a"), 1s)}, strategy::one_for_one, 2);
  top(spec);
  plans["top/a"].starts = {"fail", "ready"};
  end("top/a");
  const auto failed = last("start_error");
  EXPECT_EQ(failed.who, "top");
  EXPECT_EQ(failed.what, "a restart failed");
  EXPECT_EQ(failed.fields["child"], value("top/a"));
  EXPECT_THAT(failed.fields["reason"].as_string(), HasSubstr("planned"));
  EXPECT_EQ(sim.events.back().what, what::restarted) << "the end itself is told when it is healed";

  plans["top/a"].obeys = false;
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(last("shutdown_error").fields["child"], value("top/a"));
  EXPECT_THAT(sim.logs.back().fields["reason"].as_string(), HasSubstr("killed"));

  plans["top/a"].obeys = true;
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
  end("top/a");
  const auto gave_up = last("shutdown");
  EXPECT_EQ(gave_up.level, log_level::error);
  EXPECT_EQ(gave_up.fields["intensity"], value(2));
  EXPECT_EQ(gave_up.fields["period"], value(5.0));
}

TEST_F(conformance, C_76_says_it_in_one_short_line_and_groups_children_of_a_template) {
  top(of({worker("a")}, strategy::one_for_one, 0));
  sim.send("top/a", "end", {"crash", nullptr, "at length\n" + std::string(5000, 'x')});
  const auto reason = std::string(sim.logs.back().fields["reason"].as_string());
  EXPECT_LE(reason.size(), 500u);
  EXPECT_THAT(reason, HasSubstr("at length xxx"));
  EXPECT_THAT(reason, testing::EndsWith("..."));

  top(simple(with_shutdown(worker("a"), 1s)));
  for (int i = 1; i <= 20; ++i) {
    plans["top/a-" + std::to_string(i)].obeys = i > 15;
    add();
  }
  sim.logs.clear();
  stop();
  sim.advance(1s);
  ASSERT_EQ(sim.logs.size(), 1u);
  EXPECT_EQ(sim.logs[0].fields["children"], value(15));
  EXPECT_EQ(sim.logs[0].fields["child"], value("top/a"));
}

}  // namespace
}  // namespace troupe::test
