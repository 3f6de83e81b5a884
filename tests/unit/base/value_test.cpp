// SPDX-License-Identifier: Apache-2.0
#include "base/value.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

TEST(value_test, keeps_the_members_of_a_map_in_the_order_they_were_set) {
  value v;
  v.set("b", 1).set("a", 2).set("b", 3);
  ASSERT_EQ(v.as_map().size(), 2u);
  EXPECT_EQ(v.as_map()[0].first, value("b"));
  EXPECT_EQ(v["b"], value(3));
}

TEST(value_test, tells_integers_from_doubles_but_converts_whole_ones) {
  EXPECT_FALSE(value(1) == value(1.0));
  EXPECT_EQ(value(3.0).as_int(), 3);
  EXPECT_EQ(value(3.5).as_int(-1), -1);
  EXPECT_EQ(value(0x1p63).as_int(-1), -1) << "2^63 is above every int64";
}

TEST(value_test, finds_maps_equal_whatever_their_order) {
  value a, b;
  a.set("x", 1).set("y", 2);
  b.set("y", 2).set("x", 1);
  EXPECT_EQ(a, b);
  b.set("y", 3);
  EXPECT_FALSE(a == b);
}

}  // namespace
}  // namespace troupe
