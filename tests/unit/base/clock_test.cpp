// SPDX-License-Identifier: Apache-2.0
#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace troupe {
namespace {

using namespace std::chrono_literals;

TEST(clock_test, adds_without_overflow) {
  const instant t(5s);
  EXPECT_EQ(add(t, 2s), instant(7s));
  EXPECT_EQ(add(t, duration::max()), never);
  EXPECT_EQ(add(never, 1ns), never);
  EXPECT_EQ(add(t, -1s), t);
  EXPECT_EQ(add(instant::min(), duration::max()), instant::min() + duration::max());
}

TEST(clock_test, takes_any_number_of_seconds) {
  EXPECT_EQ(seconds(1.5), 1'500ms);
  EXPECT_EQ(seconds(-1), 0ns);
  EXPECT_EQ(seconds(std::nan("")), 0ns);
  EXPECT_EQ(seconds(HUGE_VAL), duration::max());
  EXPECT_EQ(seconds(1e300), duration::max());
  EXPECT_DOUBLE_EQ(to_seconds(2'500ms), 2.5);
}

}  // namespace
}  // namespace troupe
