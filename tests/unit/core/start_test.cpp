// SPDX-License-Identifier: Apache-2.0
//
// How agents begin and end on a node.
#include <algorithm>
#include <latch>
#include <semaphore>
#include <thread>

#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

using what = enum runtime_event::what;

class start_test : public node_test {};

TEST_F(start_test, an_agent_has_an_address_of_its_own_and_its_path) {
  const auto a = add_echo("desk/a"), b = add_echo("desk/b");
  EXPECT_NE(a.agent, b.agent);
  EXPECT_EQ(a.node, node->self().node);
  EXPECT_EQ(a.incarnation, node->self().incarnation);
  EXPECT_EQ(node->path_of(a), "desk/a");
  EXPECT_EQ(node->lookup("desk/b"), b);
}

TEST_F(start_test, a_node_may_be_told_who_it_is) {
  open({.threads = 1, .spare_threads = 0, .node = std::array<std::uint64_t, 2>{5, 6}});
  EXPECT_EQ(node->self().node, (std::array<std::uint64_t, 2>{5, 6}));
}

TEST_F(start_test, two_runs_of_a_node_differ) {
  const auto first = node->self();
  open({.threads = 1, .spare_threads = 0, .node = first.node});
  EXPECT_NE(node->self().incarnation, first.incarnation);
}

TEST_F(start_test, a_start_that_fails_says_why_and_leaves_nothing) {
  auto b = std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
    ctx.fail(e.cause, {errc::config, "no such model"});
  });
  b->handles_start = true;
  const auto before = node->population();
  const auto made = gate->start(agent("broken", std::move(b)));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message, "no such model");
  while (node->population() != before)
    std::this_thread::yield();
  EXPECT_FALSE(node->lookup("broken"));
}

TEST_F(start_test, waiting_for_an_end_gives_its_reason) {
  const auto a = add_echo("echo");
  EXPECT_FALSE(gate->wait_end(a, std::chrono::milliseconds(1))) << "it lives";
  gate->send(a, "end", {});
  const auto reason = gate->wait_end(a);
  ASSERT_TRUE(reason);
  EXPECT_TRUE(reason->is(errc::normal));
  EXPECT_TRUE(gate->wait_end(a)->is(errc::normal)) << "also when it is over";
  const auto ended = events.of(what::ended);
  ASSERT_EQ(ended.size(), 1u);
  EXPECT_EQ(ended[0].path, "echo");
}

TEST_F(start_test, reports_starts_and_ends) {
  end(add_echo("echo"));
  const auto started = events.of(what::started);
  EXPECT_TRUE(std::any_of(started.begin(), started.end(),
                          [](const runtime_event& e) { return e.path == "echo"; }));
}

TEST_F(start_test, ten_thousand_starts_and_ends_leave_nothing) {
  // The leak checker watches as well.
  constexpr int cycles = 10'000;
  const auto before = node->population();
  std::latch done(1);
  /// Starts one after another, each of which ends by itself.
  class breeder final : public behaviour {
   public:
    breeder(starter& s, std::latch& done) : starter_(s), done_(done) {}
    progress receive(context& ctx, envelope_ptr e) override {
      if (e->kind == kind::start) {
        ctx.reply(e->cause, {});
        ctx.done(e->cause);
        return progress::idle;
      }
      if (e->kind == kind::send) ctx.done(e->cause);
      if (++made_ > cycles) {
        done_.count_down();
        return progress::idle;
      }
      auto b = std::make_unique<lambda_behaviour>([](context& c, envelope& start) {
        c.reply(start.cause, {});
        c.set_timer(1, std::chrono::hours(1));
        c.exit({errc::normal, "done"});
      });
      b->handles_start = true;
      auto init = agent("child" + std::to_string(made_ % 7), std::move(b));
      init.parent = ctx.self();
      ctx.call(no_cause, static_cast<call_id>(made_), *starter_.start(std::move(init)), start_verb,
               {});
      return progress::idle;
    }

   private:
    starter& starter_;
    std::latch& done_;
    int made_ = 0;
  };
  const auto a = add(agent("breeder", std::make_unique<breeder>(*node, done)));
  gate->send(a, "go", {});
  done.wait();
  end(a);
  while (node->population() != before)
    std::this_thread::yield();
}

TEST_F(start_test, children_end_with_the_gateway_that_started_them) {
  auto other = *gateway::open(*node, "other");
  const auto a = *other->start(agent("child", doing([](context&, envelope&) {})));
  other.reset();
  EXPECT_TRUE(gate->wait_end(a));
}

TEST_F(start_test, agents_are_started_and_ended_on_all_threads_at_once) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t)
    threads.emplace_back([&, t] {
      auto own = *gateway::open(*node, "gate" + std::to_string(t));
      for (int i = 0; i < 200; ++i) {
        const auto a = *own->start(agent("same/name", doing([](context& ctx, envelope& e) {
                                           if (e.kind == kind::call) ctx.reply(e.cause, {});
                                         })));
        EXPECT_TRUE(own->call(a, "ask", {}));
        own->exit(a, error(errc::kill, "enough"));
        EXPECT_TRUE(own->wait_end(a)->is(errc::killed));
      }
    });
  for (auto& t : threads)
    t.join();
  EXPECT_FALSE(node->lookup("same/name"));
  close();
}

}  // namespace
}  // namespace troupe::test
