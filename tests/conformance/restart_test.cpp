// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, restart types: C-29 to C-40.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_29_says_nothing_of_a_start_by_hand_but_of_the_restart_after_it) {
  top({});
  add(spec_value("a"));
  EXPECT_EQ(count(what::restarted), 0u);
  EXPECT_THAT(sim.log_lines, IsEmpty());
  end("top/a");
  EXPECT_EQ(count(what::restarted), 1u);
}

TEST_F(conformance, C_30_restarts_a_permanent_child_that_ended_normally) {
  top(of({worker("a")}));
  const auto before = at("top/a");
  end("top/a", "normal");
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_NE(at("top/a"), before);
}

TEST_F(conformance, C_31_restarts_a_permanent_child_that_shut_itself_down) {
  top(of({worker("a")}));
  for (const value& data : {value(), value("with data")}) {
    const auto before = at("top/a");
    sim.send("top/a", "end", {"shutdown", data});
    EXPECT_EQ(state_of("a"), "running");
    EXPECT_NE(at("top/a"), before);
  }
}

TEST_F(conformance, C_32_restarts_a_permanent_child_that_failed) {
  top(of({worker("a")}));
  const auto before = at("top/a");
  end("top/a", "crash");
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_NE(at("top/a"), before);
}

TEST_F(conformance, C_33_keeps_a_transient_child_stopped_that_ended_normally) {
  top(of({worker("a", restart_type::transient)}));
  end("top/a", "normal");
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
}

TEST_F(conformance, C_34_keeps_a_transient_child_stopped_that_shut_itself_down) {
  top(of({worker("a", restart_type::transient)}));
  for (const value& data : {value(), value("with data")}) {
    sim.send("top/a", "end", {"shutdown", data});
    EXPECT_EQ(state_of("a"), "stopped");
    EXPECT_EQ(code_of(api::restart_child, {"a"}), "ok");
  }
}

TEST_F(conformance, C_35_restarts_a_transient_child_that_failed) {
  top(of({worker("a", restart_type::transient)}));
  const auto before = at("top/a");
  end("top/a", "crash");
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_NE(at("top/a"), before);
}

TEST_F(conformance, C_36_forgets_a_temporary_child_that_ended_normally) {
  top(of({worker("a", restart_type::temporary)}));
  end("top/a", "normal");
  EXPECT_EQ(state_of("a"), "gone");
  add(spec_value("a", "temporary"));
}

TEST_F(conformance, C_37_forgets_a_temporary_child_that_shut_itself_down) {
  top(of({worker("a", restart_type::temporary)}));
  for (const value& data : {value(), value("with data")}) {
    sim.send("top/a", "end", {"shutdown", data});
    EXPECT_EQ(state_of("a"), "gone");
    add(spec_value("a", "temporary"));
  }
}

TEST_F(conformance, C_38_forgets_a_temporary_child_that_failed_and_does_not_count_that) {
  top(of({worker("a", restart_type::temporary)}, strategy::one_for_one, 0));
  for (int i = 0; i < 5; ++i) {
    end("top/a", "crash");
    EXPECT_EQ(state_of("a"), "gone");
    add(spec_value("a", "temporary"));
  }
}

TEST_F(conformance, C_39_passes_the_failed_start_of_a_child_up_to_who_starts_the_app) {
  plans["top/app/b"].starts = {"fail"};
  const auto app = nested("app", of({worker("a"), worker("b")}));
  const auto failed = start_top(of({worker("service"), app}));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, "failed");
  EXPECT_EQ(failed.error().message, "top/app/b did not start: planned");
  EXPECT_EQ(sim.population(), 1u) << "nothing is left of it";
}

TEST_F(conformance, C_40_does_not_restart_a_temporary_bystander) {
  for (const auto how : {strategy::one_for_all, strategy::rest_for_one}) {
    const auto sup = top(of({worker("a"), worker("t", restart_type::temporary), worker("b")}, how));
    const auto t = at("top/t");
    end("top/a");
    EXPECT_EQ(reason(t), "shutdown");
    EXPECT_EQ(state_of("t"), "gone");
    EXPECT_EQ(state_of("a"), "running");
    EXPECT_EQ(state_of("b"), "running");
    EXPECT_EQ(at("top"), sup);
    stop();
  }
}

}  // namespace
}  // namespace troupe::test
