// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.hpp"

#include <gtest/gtest.h>

using troupe::nearest;
using troupe::unknown_name;

namespace {

const std::vector<std::string_view> keys = {"id", "start", "restart", "strategy", "children"};

TEST(nearest, finds_a_name_with_a_letter_lost_added_replaced_or_swapped) {
  EXPECT_EQ(nearest("startegy", keys), "strategy");
  EXPECT_EQ(nearest("restat", keys), "restart");
  EXPECT_EQ(nearest("childrenn", keys), "children");
  EXPECT_EQ(nearest("childs", keys), "children");
  EXPECT_EQ(nearest("strat", keys), "start");
}

TEST(nearest, finds_nothing_where_more_than_half_would_differ) {
  EXPECT_EQ(nearest("colour", keys), "");
  EXPECT_EQ(nearest("x", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest("id", {}), "");
}

TEST(nearest, takes_a_text_of_any_length) {
  EXPECT_EQ(nearest(std::string(1'000'000, 'a'), keys), "");
}

TEST(nearest, names_the_one_that_was_meant_or_all) {
  EXPECT_EQ(unknown_name("key", "satrt", keys), "unknown key \"satrt\": did you mean \"start\"?");
  EXPECT_EQ(unknown_name("strategy", "colour", {"one", "two"}),
            "unknown strategy \"colour\": known are one, two");
}

}  // namespace
