// SPDX-License-Identifier: Apache-2.0
//
// How a node comes to rest, whatever its agents do.
#include <algorithm>
#include <latch>
#include <semaphore>

#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

/// Counts those that live.
class counted final : public behaviour {
 public:
  counted(std::atomic<int>& alive, std::function<progress(context&, envelope&)> f)
      : alive_(alive), f_(std::move(f)) {
    ++alive_;
  }
  ~counted() override { --alive_; }
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
      ctx.done(e->cause);
      return progress::idle;
    }
    return f_(ctx, *e);
  }
  progress resume(context&) override { return progress::preempted; }

 private:
  std::atomic<int>& alive_;
  std::function<progress(context&, envelope&)> f_;
};

class shutdown_test : public node_test {
 protected:
  std::atomic<int> alive{0};
  address add_counted(std::string path, std::function<progress(context&, envelope&)> f) {
    return add(agent(std::move(path), std::make_unique<counted>(alive, std::move(f))));
  }
};

TEST_F(shutdown_test, an_empty_node_shuts_down_at_once) {
  gate.reset();
  EXPECT_TRUE(node->wait_until_empty(std::chrono::hours(1)));
  const auto report = node->shutdown(std::chrono::hours(1));
  EXPECT_EQ(report.killed, 0u);
  EXPECT_TRUE(report.stuck.empty());
}

TEST_F(shutdown_test, waits_for_agents_that_end_in_order) {
  const auto a = add_counted("tidy", [](context& ctx, envelope& e) {
    if (e.kind == kind::stop) ctx.exit({errc::shutdown, "tidied up"});
    return progress::idle;
  });
  gate->exit(a, error(errc::shutdown, "the end"));
  gate.reset();
  EXPECT_EQ(node->shutdown(std::chrono::hours(1)).killed, 0u);
  EXPECT_EQ(alive, 0);
}

TEST_F(shutdown_test, kills_those_that_sleep_compute_or_talk_without_end) {
  for (int i = 0; i < 10; ++i) {
    const auto n = std::to_string(i);
    add_counted("asleep" + n, [](context&, envelope&) { return progress::idle; });
    gate->send(add_counted("busy" + n, [](context&, envelope&) { return progress::preempted; }),
               "go", {});
    gate->send(add_counted("talks" + n,
                           [](context& ctx, envelope& e) {
                             ctx.send(no_cause, ctx.self(), "more", {});
                             ctx.done(e.cause);
                             return progress::idle;
                           }),
               "go", {});
  }
  EXPECT_EQ(alive, 30);
  const auto report = node->shutdown(std::chrono::milliseconds(5));
  EXPECT_EQ(report.killed, 31u) << "with the gateway's own";
  EXPECT_TRUE(report.stuck.empty());
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(node->population(), 0u);
  for (const auto& e : events.of(runtime_event::what::ended))
    EXPECT_TRUE(e.reason.is(errc::shutdown)) << e.reason.describe();
}

TEST_F(shutdown_test, starts_nobody_afterwards) {
  node->shutdown(duration::zero());
  const auto made = node->start(agent("late", doing([](context&, envelope&) {})));
  ASSERT_FALSE(made);
  EXPECT_TRUE(made.error().is(errc::shutdown)) << made.error().describe();
  EXPECT_EQ(node->population(), 0u);
}

TEST_F(shutdown_test, answers_who_waits_outside) {
  const auto mute = add_counted("mute", [](context&, envelope&) { return progress::idle; });
  std::binary_semaphore answered(0);
  gate->begin_call(mute, "ask", packed(0), {.timeout = std::chrono::hours(1)},
                   [&](result<bytes> r) {
                     EXPECT_FALSE(r);
                     answered.release();
                   });
  node->shutdown(duration::zero());
  answered.acquire();
  EXPECT_FALSE(ask(mute)) << "and who comes later";
  EXPECT_TRUE(gate->wait_end(mute));
  close();
}

TEST_F(shutdown_test, leaves_a_turn_behind_that_does_not_end) {
  // What stays behind outlives the test, so it may not refer to it.
  static std::binary_semaphore in_turn(0), go_on(0), went_on(0);
  const auto a = add("stuck", [](context& ctx, envelope& e) {
    in_turn.release();
    go_on.acquire();
    ctx.log(log_level::info, "still here", {});
    ctx.send(no_cause, e.from, "late", {});
    went_on.release();
  });
  add_echo("well");
  gate->send(a, "go", {});
  in_turn.acquire();
  const auto report = node->shutdown(duration::zero());
  EXPECT_EQ(report.stuck, std::vector<std::string>{"stuck"});
  EXPECT_EQ(report.killed, 3u);
  close();  // comes back
  go_on.release();
  went_on.acquire();  // what it still does is harmless
}

TEST_F(shutdown_test, does_not_wait_for_those_that_are_known_to_be_stuck) {
  static std::counting_semaphore<2> in_turn(0), go_on(0), went_on(0);
  open({.threads = 2, .spare_threads = 1});
  for (const char* path : {"a", "b"})
    gate->send(add(path,
                   [](context&, envelope&) {
                     in_turn.release();
                     go_on.acquire();
                     went_on.release();
                   }),
               "go", {});
  for (int i = 0; i < 2; ++i)
    in_turn.acquire();
  gate.reset();
  auto report = node->shutdown(std::chrono::hours(24));
  std::sort(report.stuck.begin(), report.stuck.end());
  EXPECT_EQ(report.stuck, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(report.killed, 2u);
  close();
  go_on.release(2);
  for (int i = 0; i < 2; ++i)
    went_on.acquire();
}

TEST_F(shutdown_test, nodes_may_come_and_go_side_by_side) {
  for (int i = 0; i < 20; ++i) {
    node_carrier one({.threads = 2, .spare_threads = 1}), two({.threads = 1, .spare_threads = 0});
    auto gate_one = *gateway::open(one, "one");
    auto gate_two = *gateway::open(two, "two");
    const auto a = *gate_one->start(agent("a", doing([](context& ctx, envelope& e) {
                                            if (e.kind == kind::call) ctx.reply(e.cause, {});
                                          })));
    EXPECT_TRUE(gate_one->call(a, "ask", {}));
    EXPECT_FALSE(gate_two->call(a, "ask", {})) << "another node";
  }
}

}  // namespace
}  // namespace troupe::test
