// SPDX-License-Identifier: Apache-2.0
//
// Timers and deadlines on real time: order and completeness, never how fast.
#include <atomic>
#include <latch>
#include <semaphore>

#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

using std::chrono::milliseconds;

class wake_test : public node_test {};

TEST_F(wake_test, timers_ring_in_the_order_of_their_times) {
  std::vector<timer_id> order;
  std::latch done(3);
  const auto a = add("clock", [&](context& ctx, envelope& e) {
    if (e.kind == kind::timer) {
      order.push_back(e.id);
      return done.count_down();
    }
    ctx.set_timer(3, milliseconds(30));
    ctx.set_timer(1, milliseconds(2));
    ctx.set_timer(2, milliseconds(15));
  });
  gate->send(a, "go", {});
  done.wait();
  EXPECT_EQ(order, (std::vector<timer_id>{1, 2, 3}));
  close();
}

TEST_F(wake_test, an_earlier_wish_replaces_a_later_one) {
  std::binary_semaphore rang(0);
  const auto a = add("clock", [&](context& ctx, envelope& e) {
    if (e.kind == kind::timer) return rang.release();
    ctx.set_timer(1, std::chrono::hours(1));
    ctx.set_timer(2, milliseconds(2));
  });
  gate->send(a, "go", {});
  rang.acquire();
  close();
}

TEST_F(wake_test, a_wish_made_in_a_later_turn_replaces_the_earlier_one) {
  std::binary_semaphore rang(0);
  const auto a = add("clock", [&](context& ctx, envelope& e) {
    if (e.kind == kind::timer) return rang.release();
    ctx.set_timer(1, e.verb == "far" ? duration(std::chrono::hours(1)) : milliseconds(2));
    if (e.kind == kind::call) ctx.reply(e.cause, {});
  });
  ASSERT_TRUE(ask(a, "far"));
  ASSERT_TRUE(ask(a, "near"));
  rang.acquire();
  close();
}

TEST_F(wake_test, a_timer_rings_while_its_agent_is_busy_with_messages) {
  std::atomic<bool> rang{false};
  std::latch done(1);
  const auto a = add("busy", [&](context& ctx, envelope& e) {
    if (e.kind == kind::timer) {
      rang = true;
      return done.count_down();
    }
    if (e.verb == "go") ctx.set_timer(1, milliseconds(5));
    if (!rang) ctx.send(no_cause, ctx.self(), "more", {});
  });
  gate->send(a, "go", {});
  done.wait();
  close();
}

TEST_F(wake_test, a_call_without_an_answer_ends_by_its_deadline) {
  const auto a = add("mute", [](context&, envelope&) {});
  const auto answer = ask(a, "ask", 0, milliseconds(10));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::timeout)) << answer.error().describe();
}

TEST_F(wake_test, thousands_of_wishes_all_come_true_and_none_early) {
  constexpr int agents = 1000, each = 5;
  std::latch done(agents * each);
  std::atomic<int> early{0};
  for (int i = 0; i < agents; ++i) {
    const auto a = add("a" + std::to_string(i), [&, i](context& ctx, envelope& e) {
      if (e.kind == kind::timer) {
        // The id says when it was wished for, in microseconds.
        if (ctx.now().time_since_epoch() < std::chrono::microseconds(e.id)) ++early;
        return done.count_down();
      }
      for (int k = 0; k < each; ++k) {
        const auto delay = std::chrono::microseconds(37 * ((i * 7 + k * 131) % 1000) + k);
        const auto due = std::chrono::duration_cast<std::chrono::microseconds>(
            (ctx.now() + delay).time_since_epoch());
        ctx.set_timer(static_cast<timer_id>(due.count()), delay);
      }
    });
    gate->send(a, "go", {});
  }
  done.wait();
  EXPECT_EQ(early, 0);
  close();
}

TEST_F(wake_test, an_agent_that_ended_is_not_woken_in_its_successor) {
  for (int i = 0; i < 100; ++i) {
    const auto a = add("brief", [](context& ctx, envelope& e) {
      ctx.set_timer(1, std::chrono::microseconds(300));
      if (e.kind == kind::call) ctx.reply(e.cause, {});
    });
    EXPECT_TRUE(ask(a));
    end(a);
    const auto b = add("heir", [](context& ctx, envelope& e) {
      if (e.kind == kind::timer) ctx.exit({errc::crash, "woken for somebody else"});
      if (e.kind == kind::call) ctx.reply(e.cause, {});
    });
    EXPECT_TRUE(ask(b));
    EXPECT_TRUE(end(b).is(errc::killed));
  }
}

}  // namespace
}  // namespace troupe::test
