// SPDX-License-Identifier: Apache-2.0
//
// That nobody is starved: counted in messages and turns, never in time.
#include <latch>
#include <semaphore>
#include <thread>

#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

/// Never has enough: every turn ends preempted.
class endless final : public behaviour {
 public:
  explicit endless(std::atomic<std::uint64_t>& turns) : turns_(turns) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
      ctx.done(e->cause);
      return progress::idle;
    }
    return progress::preempted;
  }
  progress resume(context&) override {
    ++turns_;
    return progress::preempted;
  }

 private:
  std::atomic<std::uint64_t>& turns_;
};

class fairness_test : public node_test {
 protected:
  /// Two agents that send one message to and fro for ever; counts the messages.
  void add_chatty_pair(int number, std::atomic<std::uint64_t>& count) {
    const auto name = "pair" + std::to_string(number);
    const auto back = add(name + "a", [&count](context& ctx, envelope& e) {
      ++count;
      ctx.send(no_cause, e.from, "to", {});
    });
    const auto forth = add(name + "b", [&count, back](context& ctx, envelope&) {
      ++count;
      ctx.send(no_cause, back, "fro", {});
    });
    gate->send(forth, "go", {});
  }
};

TEST_F(fairness_test, two_chatty_pairs_do_not_starve_a_hundred_quiet_agents) {
  std::atomic<std::uint64_t> chatter{0};
  add_chatty_pair(1, chatter);
  add_chatty_pair(2, chatter);
  constexpr int quiet = 100, each = 30;
  std::vector<address> all;
  for (int i = 0; i < quiet; ++i)
    all.push_back(add_echo("quiet" + std::to_string(i)));
  std::latch answered(quiet * each);
  std::atomic<int> failed{0};
  for (int k = 0; k < each; ++k)
    for (const auto& a : all)
      gate->begin_call(a, "ask", packed(k), {.timeout = std::chrono::hours(1)},
                       [&](result<bytes> r) {
                         if (!r) ++failed;
                         answered.count_down();
                       });
  answered.wait();
  EXPECT_EQ(failed, 0);
  const auto before = chatter.load();
  while (chatter == before)
    std::this_thread::yield();  // and the pairs still talk
  close();
}

TEST_F(fairness_test, a_message_is_handled_within_one_round_of_the_others) {
  open({.threads = 1, .spare_threads = 0});
  // On one thread turns can be counted: a chatty agent asks a quiet one and counts how many
  // messages the chatty ones handle until the answer is there.
  constexpr int pairs = 2, rounds = 500;
  std::uint64_t handled = 0, longest = 0;  // one thread: no race
  const auto quiet = add_echo("quiet");
  std::latch done(1);
  for (int p = 0; p < pairs; ++p) {
    const auto back = add("back" + std::to_string(p), [&](context& ctx, envelope& e) {
      ++handled;
      ctx.send(no_cause, e.from, "to", {});
    });
    const bool asks = p == 0;
    const auto forth =
        add("forth" + std::to_string(p), [&, back, asks, left = rounds, asked = std::uint64_t{0}](
                                             context& ctx, envelope& e) mutable {
          if (e.kind == kind::reply) {
            longest = std::max(longest, handled - asked);
            if (--left == 0) done.count_down();
            asked = 0;
            return;
          }
          ++handled;
          if (asks && asked == 0 && left > 0) {
            asked = handled;
            ctx.call(no_cause, 1, quiet, "ask", {}, {.timeout = std::chrono::hours(1)});
          }
          ctx.send(no_cause, back, "fro", {});
        });
    gate->send(forth, "go", {});
  }
  done.wait();
  // There and back: two rounds of at most one message of each chatty agent.
  EXPECT_LE(longest, 2u * 2 * pairs);
  close();
}

TEST_F(fairness_test, agents_that_are_preempted_go_to_the_tail) {
  std::atomic<std::uint64_t> turns{0};
  std::vector<address> busy;
  for (int i = 0; i < 4; ++i) {
    busy.push_back(add(agent("busy" + std::to_string(i), std::make_unique<endless>(turns))));
    gate->send(busy.back(), "go", {});
  }
  const auto a = add_echo("echo");
  for (int i = 0; i < 200; ++i)
    ASSERT_TRUE(ask(a, "ask", i, std::chrono::hours(1)));
  EXPECT_GT(turns, 0u);
  for (const auto& b : busy)
    EXPECT_TRUE(end(b).is(errc::killed)) << "a kill reaches it between its turns";
}

TEST_F(fairness_test, an_agent_stuck_in_its_turn_does_not_hold_up_the_others) {
  open({.threads = 1, .spare_threads = 1});
  std::binary_semaphore in_turn(0), go_on(0);
  const auto stuck = add("stuck", [&](context&, envelope&) {
    in_turn.release();
    go_on.acquire();
  });
  const auto a = add_echo("echo");
  gate->send(stuck, "go", {});
  in_turn.acquire();
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(ask(a, "ask", i, std::chrono::hours(1)));
  go_on.release();
  close();
}

TEST_F(fairness_test, agents_stuck_in_their_turns_are_named_and_the_node_stays_as_wide_as_it_was) {
  open({.threads = 2, .spare_threads = 2, .patience = std::chrono::milliseconds(30)});
  std::counting_semaphore<> go_on(0);
  std::atomic<int> stuck{0};
  std::vector<address> all;
  for (int i = 0; i < 2; ++i) {
    all.push_back(add("stuck" + std::to_string(i), [&](context&, envelope&) {
      ++stuck;
      go_on.acquire();
    }));
    gate->send(all.back(), "go", {});
  }
  // Two that wait for each other in their turns: they end only where two more threads run.
  std::latch both(2), done(2);
  for (int i = 0; i < 2; ++i)
    gate->send(add("meets" + std::to_string(i),
                   [&](context&, envelope&) {
                     both.arrive_and_wait();
                     done.count_down();
                   }),
               "go", {});
  done.wait();
  EXPECT_EQ(stuck, 2);
  while (events.of(runtime_event::what::stuck).size() < 2)
    std::this_thread::yield();
  std::vector<std::string> named;
  for (const auto& e : events.of(runtime_event::what::stuck)) {
    named.push_back(e.path);
    EXPECT_GE(e.data["ms"].as_int(), 30);
  }
  std::sort(named.begin(), named.end());
  EXPECT_EQ(named, (std::vector<std::string>{"stuck0", "stuck1"}));
  go_on.release(2);
  close();
}

TEST_F(fairness_test, a_message_does_not_wait_for_agents_that_compute_without_end) {
  open({.threads = 1, .spare_threads = 0});
  // One thread: turns can be counted.
  std::atomic<std::uint64_t> turns{0};
  constexpr int many = 100;
  for (int i = 0; i < many; ++i)
    gate->send(add(agent("busy" + std::to_string(i), std::make_unique<endless>(turns))), "go", {});
  while (turns < 2 * many)
    std::this_thread::yield();
  std::uint64_t longest = 0;
  std::latch done(1);
  const auto quiet = add_echo("quiet");
  int left = 200;
  const auto asks = add("asks", [&, asked = std::uint64_t{0}](context& ctx, envelope& e) mutable {
    if (e.kind == kind::reply) longest = std::max(longest, turns - asked);
    if (e.kind == kind::reply && --left == 0) return done.count_down();
    asked = turns;
    ctx.call(no_cause, 1, quiet, "ask", {}, {.timeout = std::chrono::hours(1)});
  });
  gate->send(asks, "go", {});
  done.wait();
  EXPECT_LE(longest, 4u) << "turns of those " << many << " between a call and its answer";
  const auto before = turns.load();
  while (turns < before + 2 * many)
    std::this_thread::yield();  // and they go on
  close();
}

TEST_F(fairness_test, a_turn_ends_after_its_limit_of_messages) {
  open(
      {.threads = 1, .spare_threads = 0, .turns = {.messages = 10, .time = std::chrono::hours(1)}});
  std::uint64_t handled = 0, longest = 0, at = 0;  // one thread: no race
  std::latch done(1);
  const auto greedy = add("greedy", [&](context&, envelope&) { ++handled; });
  const auto other = add("other", [&](context& ctx, envelope&) {
    longest = std::max(longest, handled - at);
    at = handled;
    if (handled == 1000) return done.count_down();
    ctx.send(no_cause, ctx.self(), "again", {});
  });
  const auto feeder = add("feeder", [&](context& ctx, envelope&) {
    for (int i = 0; i < 1000; ++i)
      ctx.send(no_cause, greedy, "eat", {});
    ctx.send(no_cause, other, "go", {});
  });
  gate->send(feeder, "go", {});
  done.wait();
  // It went on before the other's first turn; from then on they take turns.
  EXPECT_LE(longest, 20u);
  close();
}

}  // namespace
}  // namespace troupe::test
