// SPDX-License-Identifier: Apache-2.0
#include "core/alarm.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <semaphore>
#include <utility>

namespace troupe::core {
namespace {

using std::chrono::milliseconds;

/// Collects who was woken and when.
class alarm_test : public testing::Test {
 protected:
  wheel_entry& entry(std::uint32_t owner) {
    auto& e = entries_.emplace_back();
    e.owner = owner;
    return e;
  }
  std::uint32_t next_ring() {
    rung_.acquire();
    const std::lock_guard lock(mutex_);
    const auto first = order_.front();
    order_.pop_front();
    return first.first;
  }

  const system_clock time_;
  std::mutex mutex_;
  std::deque<std::pair<std::uint32_t, instant>> order_;
  std::counting_semaphore<> rung_{0};
  std::deque<wheel_entry> entries_;
  std::optional<alarm> alarm_{std::in_place, [this] { return time_.now(); },
                              [this](std::uint32_t owner) {
                                {
                                  const std::lock_guard lock(mutex_);
                                  order_.emplace_back(owner, time_.now());
                                }
                                rung_.release();
                              }};
};

TEST_F(alarm_test, rings_in_the_order_of_times) {
  const auto now = time_.now();
  alarm_->set(entry(3), now + milliseconds(30));
  alarm_->set(entry(1), now + milliseconds(5));
  alarm_->set(entry(2), now + milliseconds(15));
  EXPECT_EQ(next_ring(), 1u);
  EXPECT_EQ(next_ring(), 2u);
  EXPECT_EQ(next_ring(), 3u);
}

TEST_F(alarm_test, never_rings_before_the_time) {
  std::map<std::uint32_t, instant> wanted;
  for (std::uint32_t i = 0; i < 50; ++i) {
    wanted[i] = time_.now() + std::chrono::microseconds(137 * i);
    alarm_->set(entry(i), wanted[i]);
  }
  for (int i = 0; i < 50; ++i)
    rung_.acquire();
  const std::lock_guard lock(mutex_);
  for (const auto& [owner, at] : order_)
    EXPECT_GE(at, wanted[owner]) << owner;
}

TEST_F(alarm_test, an_earlier_wish_wakes_a_sleeping_alarm) {
  alarm_->set(entry(1), time_.now() + std::chrono::hours(1));
  alarm_->set(entry(2), time_.now() + milliseconds(1));
  EXPECT_EQ(next_ring(), 2u);
}

TEST_F(alarm_test, a_wish_can_be_moved_and_taken_back) {
  auto& moved = entry(1);
  auto& gone = entry(2);
  auto& never_set = entry(3);
  alarm_->set(moved, time_.now() + milliseconds(5));
  alarm_->set(moved, time_.now() + std::chrono::hours(1));
  alarm_->set(gone, time_.now() + milliseconds(5));
  alarm_->cancel(gone);
  alarm_->cancel(never_set);
  alarm_->set(entry(4), time_.now() + milliseconds(30));
  EXPECT_EQ(next_ring(), 4u);
  alarm_->set(moved, never);
  alarm_->set(entry(5), time_.now());
  EXPECT_EQ(next_ring(), 5u);
}

TEST_F(alarm_test, ends_while_wishes_are_pending) {
  alarm_->set(entry(1), time_.now() + std::chrono::hours(1));
  alarm_.reset();
}

}  // namespace
}  // namespace troupe::core
