// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <gtest/gtest.h>

#include <set>

namespace troupe {
namespace {

TEST(id_test, gives_the_same_numbers_for_the_same_seed) {
  random_source a(7), b(7), c(8);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_NE(a.next(), c.next());
}

TEST(id_test, follows_the_reference_of_xoshiro256plusplus_seeded_by_splitmix64) {
  random_source zero(0);
  EXPECT_EQ(zero.next(), 0x53175d61490b23dfu);
}

TEST(id_test, stays_below_the_bound_and_reaches_every_number) {
  random_source r(1);
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1'000; ++i)
    seen.insert(r.below(6));
  EXPECT_EQ(seen, (std::set<std::uint64_t>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(r.below(0), 0u);
  EXPECT_EQ(r.below(1), 0u);
  for (int i = 0; i < 1'000; ++i) {
    const double x = r.real();
    ASSERT_TRUE(x >= 0 && x < 1) << x;
  }
}

TEST(id_test, seeds_itself_differently_each_time) {
  random_source a, b;
  EXPECT_NE(a.next(), b.next());
}

TEST(id_test, writes_bytes_as_hexadecimal) {
  EXPECT_EQ(to_hex(std::string_view("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(to_hex(""), "");
}

}  // namespace
}  // namespace troupe
