// SPDX-License-Identifier: Apache-2.0
//
// The way in for code that is no agent.
#include "core/gateway.hpp"

#include <latch>
#include <semaphore>

#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

class gateway_test : public node_test {
 protected:
  /// Sends `count` parts, as credit allows, then its reply.
  class streams final : public behaviour {
   public:
    progress receive(context& ctx, envelope_ptr e) override {
      switch (e->kind) {
        case kind::start:
          ctx.reply(e->cause, {});
          ctx.done(e->cause);
          break;
        case kind::call:
          cause_ = e->cause;
          left_ = number_in(e->body);
          go_on(ctx);
          break;
        case kind::credit:
          go_on(ctx);
          break;
        default:
          break;
      }
      return progress::idle;
    }

   private:
    void go_on(context& ctx) {
      while (left_ > 0 && ctx.part(cause_, packed(left_)))
        --left_;
      if (left_ > 0) return;
      ctx.reply(cause_, packed(0));
      ctx.done(cause_);
    }
    cause_id cause_ = no_cause;
    std::int64_t left_ = 0;
  };
};

TEST_F(gateway_test, parts_come_before_the_answer_and_in_order) {
  const auto a = add(agent("stream", std::make_unique<streams>()));
  std::vector<std::int64_t> parts;
  std::latch answered(1);
  gate->begin_call(
      a, "read", packed(100), {},
      [&](const result<bytes>& answer) {
        EXPECT_TRUE(answer) << answer.error().describe();
        answered.count_down();
      },
      [&](call_id id, const bytes& part) {
        parts.push_back(number_in(part));
        gate->grant(id, 1);
      });
  answered.wait();
  ASSERT_EQ(parts.size(), 100u);
  for (std::int64_t i = 0; i < 100; ++i)
    EXPECT_EQ(parts[static_cast<std::size_t>(i)], 100 - i);
  close();
}

TEST_F(gateway_test, no_more_parts_come_than_were_granted) {
  const auto a = add(agent("stream", std::make_unique<streams>()));
  std::atomic<int> parts{0};
  std::counting_semaphore<100> came(0);
  const auto id = gate->begin_call(
      a, "read", packed(100), {.timeout = std::chrono::hours(1), .credit = 3},
      [](const result<bytes>&) { ADD_FAILURE() << "97 parts are missing"; },
      [&](call_id, const bytes&) {
        ++parts;
        came.release();
      });
  for (int i = 0; i < 3; ++i)
    came.acquire();
  EXPECT_TRUE(ask(add_echo("echo"))) << "while nobody takes the parts";
  EXPECT_EQ(parts, 3);
  gate->grant(id, 2);
  for (int i = 0; i < 2; ++i)
    came.acquire();
  gate->cancel(id);
  EXPECT_EQ(parts, 5);
  close();
}

TEST_F(gateway_test, many_calls_may_be_open_at_once) {
  const auto a = add_echo("echo");
  std::latch answered(500);
  std::atomic<std::int64_t> sum{0};
  for (int i = 0; i < 500; ++i)
    gate->begin_call(a, "ask", packed(i), {}, [&](result<bytes> r) {
      sum += number_in(*r);
      answered.count_down();
    });
  answered.wait();
  EXPECT_EQ(sum, 499 * 500 / 2);
  close();
}

TEST_F(gateway_test, what_is_cancelled_is_not_answered_and_its_callee_hears_of_it) {
  std::binary_semaphore came(0), cancelled(0);
  auto b = std::make_unique<lambda_behaviour>([&](context&, envelope& e) {
    if (e.kind == kind::call) came.release();
    if (e.kind == kind::cancel) cancelled.release();
  });
  b->keeps_open = true;
  const auto a = add(agent("mute", std::move(b)));
  const auto id = gate->begin_call(a, "ask", {}, {}, [](result<bytes>) { ADD_FAILURE(); });
  came.acquire();
  gate->cancel(id);
  cancelled.acquire();
  close();
}

TEST_F(gateway_test, an_error_comes_as_it_was_said) {
  const auto a = add("moody", [](context& ctx, envelope& e) {
    ctx.fail(e.cause, {errc::failed, "not today"});
  });
  const auto answer = ask(a);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().message, "not today");
  EXPECT_EQ(answer.error().from, "moody");
}

TEST_F(gateway_test, takes_no_calls_itself) {
  const auto answer = ask(gate->self());
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::unknown_verb)) << answer.error().describe();
}

TEST_F(gateway_test, closing_it_answers_what_is_open) {
  const auto a = add("mute", [](context&, envelope&) {});
  auto other = *gateway::open(*node, "other");
  std::atomic<int> answered{0};
  other->begin_call(a, "ask", {}, {.timeout = std::chrono::hours(1)}, [&](result<bytes> r) {
    EXPECT_TRUE(r.error().is(errc::cancelled));
    ++answered;
  });
  other->monitor(a, [&](const error& e) {
    EXPECT_TRUE(e.is(errc::cancelled));
    ++answered;
  });
  other.reset();
  EXPECT_EQ(answered, 2) << "before it is gone";
  close();
}

TEST_F(gateway_test, a_call_from_a_callback_works) {
  const auto a = add_echo("echo");
  std::latch done(1);
  gate->begin_call(a, "ask", packed(1), {}, [&](result<bytes>) {
    gate->begin_call(a, "ask", packed(2), {}, [&](result<bytes> r) {
      EXPECT_EQ(number_in(*r), 2);
      done.count_down();
    });
  });
  done.wait();
  close();
}

}  // namespace
}  // namespace troupe::test
