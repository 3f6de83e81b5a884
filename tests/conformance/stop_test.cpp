// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, stop: C-16 to C-22.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_16_waits_without_limit_for_workers_and_supervisors_that_may_take_so_long) {
  const auto sup = top(of({with_shutdown(worker("a"), duration::max()), nested("sub", abc())}));
  const auto a = at("top/a"), sub = at("top/sub");
  plans["top/a"].obeys = false;
  stop();
  EXPECT_EQ(reason(sub), "shutdown");
  sim.advance(1000h);
  EXPECT_EQ(reason(sup), "alive");
  end(a, "shutdown");  // it takes no messages any more
  kill(a);
  EXPECT_EQ(reason(sup), "shutdown");
  plans["top/a"].obeys = true;
  top(of({with_shutdown(worker("a"), duration::max())}));
  const auto obedient = at("top/a");
  stop();
  EXPECT_EQ(reason(obedient), "shutdown");
}

TEST_F(conformance, C_17_kills_a_child_that_does_not_obey_in_time) {
  const auto sup = top(of({with_shutdown(worker("a"), 1s), with_shutdown(worker("b"), 1s)}));
  const auto a = at("top/a"), b = at("top/b");
  plans["top/b"].obeys = false;
  stop();
  sim.advance(999ms);
  EXPECT_EQ(reason(b), "alive");
  EXPECT_EQ(reason(a), "alive") << "b comes first, and is waited for";
  sim.advance(1ms);
  EXPECT_EQ(reason(b), "killed");
  EXPECT_EQ(reason(a), "shutdown");
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_18_kills_children_of_a_template_that_do_not_obey_in_time) {
  const auto sup = top(simple(with_shutdown(worker("a"), 1s)));
  const auto one = add(), other = add();
  plans["top/a-2"].obeys = false;
  stop();
  EXPECT_EQ(reason(one), "shutdown");
  EXPECT_EQ(reason(other), "alive");
  sim.advance(1s);
  EXPECT_EQ(reason(other), "killed");
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_19_kills_a_child_with_brutal_kill_at_once) {
  top(of({with_shutdown(worker("a"), 0s), worker("b")}));
  const auto a = at("top/a"), b = at("top/b");
  diary_now();
  stop();
  EXPECT_EQ(reason(a), "killed");
  EXPECT_EQ(reason(b), "shutdown");
  EXPECT_THAT(diary_now(), ElementsAre("stop top/b")) << "a has no chance to clean up";
}

TEST_F(conformance, C_20_kills_ten_children_of_a_template_with_brutal_kill) {
  const auto sup = top(simple(with_shutdown(worker("a"), 0s)));
  std::vector<address> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(add());
  stop();
  for (const auto& one : all)
    EXPECT_EQ(reason(one), "killed");
  EXPECT_EQ(reason(sup), "shutdown");
  EXPECT_THAT(sim.log_lines, IsEmpty());
}

TEST_F(conformance, C_21_is_not_disturbed_by_children_that_end_by_themselves_while_it_stops) {
  for (const auto type :
       {restart_type::permanent, restart_type::transient, restart_type::temporary})
    for (const char* code : {"normal", "shutdown", "crash"}) {
      const auto sup = top(of(
          {worker("a", type), worker("b", type), with_shutdown(worker("last"), duration::max())}));
      plans["top/last"].obeys = false;
      const auto a = at("top/a"), last = at("top/last");
      stop();
      sim.send(a, "end", {code, "with data"});
      EXPECT_EQ(reason(a), code) << "each keeps its own reason";
      kill(last);
      EXPECT_EQ(reason(sup), "shutdown");
      EXPECT_EQ(count(what::restarted), 0u);
      EXPECT_EQ(sim.population(), 1u);
    }
}

TEST_F(conformance, C_22_is_not_disturbed_by_children_of_a_template_that_end_while_it_stops) {
  for (const auto type :
       {restart_type::permanent, restart_type::transient, restart_type::temporary})
    for (const char* code : {"normal", "shutdown", "crash"}) {
      const auto sup = top(simple(with_shutdown(worker("a", type), duration::max())));
      const auto one = add(), slow = add();
      plans["top/a-2"].obeys = false;
      sim.send(one, "end", {code, "with data"});
      stop();
      kill(slow);
      EXPECT_EQ(reason(one), code);
      EXPECT_EQ(reason(sup), "shutdown");
      EXPECT_EQ(sim.population(), 1u);
      plans.clear();
    }
}

}  // namespace
}  // namespace troupe::test
