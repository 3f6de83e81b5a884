// SPDX-License-Identifier: Apache-2.0
//
// What a worker must know by itself because its frames and the node's pass each other on the way.
#include "channel/remote_context.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;

class remote_context_test : public testing::Test {
 protected:
  /// A message as it comes from the node, with the id that the channel uses.
  bool admit(kind k, std::uint64_t id, cause_id cause = no_cause) {
    envelope e;
    e.kind = k;
    e.id = id;
    e.cause = cause;
    const bool wanted = ctx.admit(e);
    own_id = e.id;
    return wanted;
  }
  std::uint64_t last_id() const {
    return static_cast<std::uint64_t>(frames.back().fields["id"].as_int());
  }

  system_clock time;
  std::vector<frame> frames;
  remote_context ctx{greeting{}, time, {}, [this](const bytes& f) {
                       frames.push_back(*decode(f.view().substr(frame_header), {}));
                     }};
  std::uint64_t own_id = 0;
};

TEST_F(remote_context_test, an_answer_to_a_call_that_was_taken_back_is_not_that_of_the_next) {
  ctx.call(no_cause, 7, "a", "one", {}, {});
  const auto first = last_id();
  ctx.cancel(7);
  ctx.call(no_cause, 7, "a", "two", {}, {});
  const auto second = last_id();
  EXPECT_FALSE(admit(kind::part, first));
  EXPECT_FALSE(admit(kind::reply, first));
  EXPECT_TRUE(admit(kind::reply, second));
  EXPECT_EQ(own_id, 7u);
  EXPECT_FALSE(admit(kind::reply, second)) << "answered twice";
}

TEST_F(remote_context_test, a_tick_of_a_timer_that_was_replaced_is_done_without_the_agent) {
  ctx.set_timer(1, 1s);
  const auto first = last_id();
  ctx.set_timer(1, 2s);
  const auto second = last_id();
  EXPECT_FALSE(admit(kind::timer, first, 100));
  EXPECT_EQ(frames.back().name, "done") << "its slot would be taken for ever";
  EXPECT_EQ(frames.back().fields["on"], value(100));
  EXPECT_TRUE(admit(kind::timer, second, 101));
  EXPECT_EQ(own_id, 1u);
}

TEST_F(remote_context_test, a_down_after_demonitor_is_done_without_the_agent) {
  ctx.monitor(5, "a");
  const auto wire = last_id();
  ctx.demonitor(5);
  EXPECT_FALSE(admit(kind::down, wire, 100));
  EXPECT_EQ(frames.back().name, "done");
}

TEST_F(remote_context_test, credit_is_spent_by_parts_and_added_by_the_reader) {
  envelope call;
  call.kind = kind::call;
  call.cause = 9;
  call.credit = 1;
  ASSERT_TRUE(ctx.admit(call));
  EXPECT_TRUE(ctx.part(9, {}));
  EXPECT_TRUE(ctx.part(9, {}).error().is(errc::no_credit));
  envelope credit;
  credit.kind = kind::credit;
  credit.cause = 9;
  credit.credit = 1;
  ASSERT_TRUE(ctx.admit(credit));
  EXPECT_TRUE(ctx.part(9, {}));
  ctx.reply(9, {});
  EXPECT_TRUE(ctx.part(9, {}).error().is(errc::not_found));
}

TEST_F(remote_context_test, a_send_that_is_too_big_is_told_to_the_log_alone) {
  ctx.send(no_cause, "a", "take", bytes(std::string((16u << 20) + 1, 'x')));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].name, "log");
}

TEST_F(remote_context_test, a_reply_that_is_too_big_fails_the_call) {
  ctx.reply(3, bytes(std::string((16u << 20) + 1, 'x')));
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].name, "fail");
  EXPECT_EQ(frames[0].fields["why"]["code"], value("too_big"));
}

TEST_F(remote_context_test, an_exit_whose_reason_is_too_big_still_says_what_it_is) {
  error why(errc::failed, "too much to say");
  why.data = std::string(17u << 20, 'x');
  ctx.send_exit(why);
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0].name, "exit");
  EXPECT_EQ(frames[0].fields["why"]["code"], value("failed"));
  EXPECT_EQ(frames[0].fields["why"]["message"], value("too much to say"));
}

}  // namespace
}  // namespace troupe
