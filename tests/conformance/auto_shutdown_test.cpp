// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, significant children: C-80 to C-86. How the mode changes is in upgrade_test.cpp.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

constexpr auto any = auto_shutdown::any_significant;
constexpr auto all = auto_shutdown::all_significant;

child_spec significant(child_spec spec) {
  spec.significant = true;
  return spec;
}

supervisor_spec until(auto_shutdown when, supervisor_spec spec) {
  spec.auto_shutdown = when;
  return spec;
}

TEST_F(conformance, C_80_outlives_temporary_children_that_are_not_significant) {
  for (const auto when : {auto_shutdown::never, any, all}) {
    const auto sup = top(
        until(when, of({worker("a", restart_type::temporary), worker("b", restart_type::temporary),
                        worker("c", restart_type::temporary)})));
    kill("top/a");
    end("top/b", "crash");
    end("top/c", "normal");
    EXPECT_EQ(children(), 0u);
    EXPECT_EQ(reason(sup), "alive");
    stop();
  }
}

TEST_F(conformance, C_81_outlives_transient_children_that_are_not_significant) {
  for (const auto when : {auto_shutdown::never, any, all}) {
    const auto sup = top(until(when, of({worker("a", restart_type::transient)})));
    kill("top/a");
    end("top/a", "crash");
    EXPECT_EQ(state_of("a"), "running");
    end("top/a", "normal");
    EXPECT_EQ(state_of("a"), "stopped");
    EXPECT_EQ(reason(sup), "alive");
    stop();
  }
}

TEST_F(conformance, C_82_ends_with_the_first_or_the_last_significant_temporary_child) {
  const auto spec = of({significant(worker("a", restart_type::temporary)),
                        significant(worker("b", restart_type::temporary)), worker("c")});
  for (const char* way : {"kill", "crash", "normal"}) {
    const auto ends = [&](const char* path) {
      std::string(way) == "kill" ? kill(path) : end(path, way);
    };
    auto sup = top(until(any, spec));
    const auto c = at("top/c");
    ends("top/a");
    EXPECT_EQ(reason(sup), "shutdown") << way;
    EXPECT_EQ(reason(c), "shutdown") << "in order";
    EXPECT_THAT(sim.reason_of(sup)->message, HasSubstr("the significant child top/a has ended"));
    sup = top(until(all, spec));
    ends("top/a");
    EXPECT_EQ(reason(sup), "alive") << way;
    ends("top/b");
    EXPECT_EQ(reason(sup), "shutdown") << way;
  }
  for (const auto when : {any, all}) {
    const auto sup = top(until(when, spec));
    for (const char* id : {"a", "b"})
      EXPECT_EQ(code_of(api::terminate_child, {id}), "ok");
    EXPECT_EQ(reason(sup), "alive") << "an end by hand is none by itself";
    stop();
  }
}

TEST_F(conformance, C_83_ends_with_the_first_or_the_last_significant_transient_child) {
  const auto spec = of({significant(worker("a", restart_type::transient)),
                        significant(worker("b", restart_type::transient)), worker("c")});
  for (const auto when : {any, all}) {
    const auto sup = top(until(when, spec));
    kill("top/a");
    end("top/a", "crash");
    EXPECT_EQ(state_of("a"), "running") << "after a failure it comes back";
    EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
    EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
    end("top/a", "normal");
    EXPECT_EQ(reason(sup), when == any ? "shutdown" : "alive");
    if (when == any) continue;
    end("top/b", "shutdown");
    EXPECT_EQ(reason(sup), "shutdown");
  }
}

TEST_F(conformance, C_84_refuses_significant_children_of_a_template) {
  for (const char* restart : {"permanent", "transient", "temporary"})
    for (const char* when : {"never", "any_significant", "all_significant"}) {
      auto child = spec_value("a", restart);
      child.set("significant", true);
      auto tree = tree_of("simple_one_for_one", {child});
      tree.set("auto_shutdown", when);
      EXPECT_EQ(supervisor_spec_from(tree, "").error().code, "config") << restart << when;
    }
}

TEST_F(conformance, C_85_outlives_significant_children_that_its_strategy_stops) {
  for (const auto how : all_strategies)
    for (const auto when : {any, all}) {
      const auto sup =
          top(until(when, of({worker("a"), significant(worker("b", restart_type::temporary)),
                              significant(worker("c", restart_type::transient))},
                             how)));
      end("top/a", "crash");
      EXPECT_EQ(reason(sup), "alive");
      EXPECT_EQ(state_of("c"), "running");
      EXPECT_EQ(state_of("b"), how == strategy::one_for_one ? "running" : "gone");
      stop();
    }
}

TEST_F(conformance, C_86_passes_the_end_on_only_if_the_supervisor_below_is_significant_itself) {
  for (const bool is_significant : {false, true}) {
    auto sub = nested("sub", until(any, of({significant(worker("a", restart_type::transient))})));
    sub.restart = restart_type::transient;
    sub.significant = is_significant;
    const auto sup = top(until(any, of({sub, worker("b")})));
    end("top/sub/a", "normal");
    EXPECT_FALSE(at("top/sub"));
    EXPECT_EQ(reason(sup), is_significant ? "shutdown" : "alive");
    if (!is_significant) stop();
  }
}

}  // namespace
}  // namespace troupe::test
