// SPDX-License-Identifier: Apache-2.0
//
// How messages reach agents, and what becomes of those that can't.
#include <latch>
#include <map>
#include <semaphore>
#include <thread>

#include "agent/bounce.hpp"
#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

using what = enum runtime_event::what;

class message_test : public node_test {};

TEST_F(message_test, a_call_is_answered) {
  const auto a = add_echo("echo");
  const auto answer = ask(a, "ask", 42);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(number_in(*answer), 42);
  EXPECT_EQ(number_in(*ask("echo", "ask", 43)), 43) << "by its name";
}

TEST_F(message_test, order_holds_per_sender_and_receiver_on_two_threads) {
  constexpr std::int64_t senders = 8, each = 3000;
  std::map<std::uint64_t, std::int64_t> last;  // the receiver's own
  std::int64_t seen = 0, wrong = 0;
  std::latch done(1);
  auto init = agent("receiver", doing([&](context&, envelope& e) {
                      auto& before = last[e.from.agent];
                      if (number_in(e.body) != before + 1) ++wrong;
                      before = number_in(e.body);
                      if (++seen == senders * each) done.count_down();
                    }));
  init.mailbox.messages = 1u << 20;
  const auto to = add(std::move(init));
  std::vector<address> all;
  for (std::int64_t s = 0; s < senders; ++s)
    all.push_back(add("sender" + std::to_string(s),
                      [=, next = std::int64_t{0}](context& ctx, envelope&) mutable {
                        for (int i = 0; i < 100; ++i)
                          ctx.send(no_cause, to, "count", packed(++next));
                        if (next < each) ctx.send(no_cause, ctx.self(), "more", {});
                      }));
  for (const auto& s : all)
    gate->send(s, "go", {});
  done.wait();
  EXPECT_EQ(wrong, 0);
  close();
}

TEST_F(message_test, a_full_mailbox_refuses_calls_and_makes_sends_dead_letters) {
  std::binary_semaphore in_turn(0), go_on(0);
  auto init = agent("slow", doing([&](context& ctx, envelope& e) {
                      if (e.verb == "block") {
                        in_turn.release();
                        go_on.acquire();
                      }
                      if (e.kind == kind::call) ctx.reply(e.cause, e.body);
                    }));
  init.mailbox.messages = 2;
  const auto a = add(std::move(init));
  gate->send(a, "block", packed(0));
  in_turn.acquire();
  std::latch answered(2);
  for (int i = 0; i < 2; ++i)
    gate->begin_call(a, "ask", packed(i), {}, [&](result<bytes> r) {
      EXPECT_TRUE(r);
      answered.count_down();
    });
  const auto refused = ask(a);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::overloaded)) << refused.error().describe();
  gate->send(a, "lost", packed(0));
  EXPECT_FALSE(ask(a)) << "comes behind the send";
  go_on.release();
  answered.wait();
  const auto dead = events.of(what::dead_letter);
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_TRUE(dead[0].reason.is(errc::overloaded));
  EXPECT_EQ(dead[0].reason.data["verb"].as_string(), "lost");
  EXPECT_EQ(dead[0].path, "slow");
  close();
}

TEST_F(message_test, a_call_to_an_agent_that_ended_fails_with_its_reason) {
  const auto a = add_echo("echo");
  gate->send(a, "end", {});
  EXPECT_TRUE(gate->wait_end(a)->is(errc::normal));
  const auto answer = ask(a);
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::down)) << answer.error().describe();
  gate->send(a, "late", {});
  EXPECT_FALSE(ask("echo"));
  const auto dead = events.of(what::dead_letter);
  ASSERT_EQ(dead.size(), 1u);
  EXPECT_EQ(dead[0].path, "echo");
  EXPECT_EQ(dead[0].reason.data["verb"].as_string(), "late");
}

TEST_F(message_test, an_address_that_never_was_leads_to_nobody) {
  auto unknown = node->self();
  unknown.agent = 12345;
  for (const std::uint32_t slot : {0u, 1u, 77u, 5'000'000u, UINT32_MAX}) {
    unknown.slot = slot;
    const auto answer = ask(unknown);
    ASSERT_FALSE(answer);
    EXPECT_TRUE(answer.error().is(errc::no_such_agent)) << answer.error().describe();
  }
  EXPECT_TRUE(ask(address{}).error().is(errc::no_such_agent));
  EXPECT_TRUE(ask("no/such/name").error().is(errc::no_such_agent));
}

TEST_F(message_test, an_earlier_run_of_the_node_is_not_this_one) {
  auto a = add_echo("echo");
  a.incarnation ^= 1;
  EXPECT_FALSE(ask(a));
}

TEST_F(message_test, a_reused_slot_keeps_apart_who_lived_there) {
  const auto first = add_echo("first");
  end(first);
  address second;
  // The gateway's own slot is free for nobody, so the next one gets the slot of the first.
  second = add_echo("second");
  ASSERT_EQ(second.slot, first.slot) << "slots are reused";
  EXPECT_FALSE(ask(first));
  EXPECT_TRUE(ask(second));
}

TEST_F(message_test, an_address_that_came_in_a_body_has_no_slot_and_works) {
  const auto a = add_echo("echo");
  const auto w = to_wire(a);
  const auto copy = address_from_wire({w.data(), w.size()});
  ASSERT_EQ(copy.slot, 0u);
  EXPECT_TRUE(ask(copy));
}

TEST_F(message_test, other_nodes_are_lost_unless_somebody_carries_there) {
  auto far = node->self();
  far.node[0] ^= 1;
  far.agent = 1;
  EXPECT_TRUE(ask(far).error().is(errc::peer_lost));
  std::atomic<int> carried{0};
  open({.threads = 1, .spare_threads = 0, .post_elsewhere = [&](envelope_ptr e) {
          ++carried;
          bounce(*node, std::move(e), {errc::peer_lost, "as before"});
        }});
  EXPECT_FALSE(ask(far));
  EXPECT_GE(carried, 1);
  close();
}

TEST_F(message_test, names_are_free_before_down_is_announced) {
  for (int round = 0; round < 200; ++round) {
    const auto named = add_echo("named");
    EXPECT_EQ(node->lookup("named"), named);
    std::binary_semaphore down(0);
    bool was_free = false;
    const auto watcher = add("watcher", [&](context& ctx, envelope& e) {
      if (e.kind == kind::down) {
        was_free = !node->lookup("named");
        down.release();
      } else if (e.kind == kind::call) {
        ctx.monitor(1, named);
        ctx.reply(e.cause, {});
      }
    });
    ASSERT_TRUE(ask(watcher));
    gate->send(named, "end", {});
    down.acquire();
    ASSERT_TRUE(was_free);
    end(watcher);
  }
  close();
}

TEST_F(message_test, an_outlet_delivers_events_while_its_agent_lives) {
  std::binary_semaphore got(0);
  std::string verb;
  outlet way_in;
  const auto a = add("host", [&](context& ctx, envelope& e) {
    if (e.kind == kind::call) {
      way_in = ctx.make_outlet();
      ctx.reply(e.cause, {});
    } else if (e.kind == kind::event) {
      verb = e.verb;
      got.release();
    }
  });
  ASSERT_TRUE(ask(a));
  std::thread([&] { EXPECT_TRUE(way_in.post("done", {})); }).join();
  got.acquire();
  EXPECT_EQ(verb, "done");
  end(a);
  EXPECT_FALSE(way_in.post("late", {}));
  close();
  EXPECT_FALSE(way_in.post("later still", {}));
}

TEST_F(message_test, outlets_may_be_used_while_the_node_goes) {
  std::vector<outlet> ways;
  for (int i = 0; i < 4; ++i)
    ways.push_back(node->outlet_to(add("host" + std::to_string(i), [](context&, envelope&) {})));
  std::atomic<bool> over{false};
  std::vector<std::thread> posters;
  for (int t = 0; t < 2; ++t)
    posters.emplace_back([&] {
      while (!over)
        for (const auto& w : ways)
          w.post("event", {});
    });
  close();
  over = true;
  for (auto& t : posters)
    t.join();
}

TEST_F(message_test, every_call_is_answered_once_while_its_receivers_die) {
  // Receivers end after every few calls and others move into their slots; callers on both threads
  // and outside keep calling whomever they know.
  constexpr int rounds = 150, callers = 4, each = 20;
  for (int round = 0; round < rounds; ++round) {
    const auto victim = add("victim", [left = 10](context& ctx, envelope& e) mutable {
      if (e.kind == kind::call) ctx.reply(e.cause, {});
      if (--left == 0) ctx.exit({errc::crash, "as planned"});
    });
    std::atomic<int> answers{0};
    std::latch over(callers);
    std::vector<address> all;
    for (int c = 0; c < callers; ++c)
      all.push_back(
          add("caller" + std::to_string(c), [&, open = each](context& ctx, envelope& e) mutable {
            if (e.kind == kind::send)
              for (int i = 1; i <= each; ++i)
                ctx.call(no_cause, static_cast<call_id>(i), victim, "ask", {});
            if (e.kind != kind::reply && e.kind != kind::error) return;
            ++answers;
            if (--open == 0) over.count_down();
          }));
    for (const auto& c : all)
      gate->send(c, "go", {});
    over.wait();
    EXPECT_EQ(answers, callers * each);
    for (const auto& c : all)
      end(c);
  }
  close();
}

}  // namespace
}  // namespace troupe::test
