// SPDX-License-Identifier: Apache-2.0
#include "agent/name_table.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

address agent(std::uint64_t id) {
  address a;
  a.incarnation = 3;
  a.agent = id;
  return a;
}

class name_table_test : public testing::Test {
 protected:
  const address a = agent(1), b = agent(2), c = agent(3);
  name_table all;
};

TEST_F(name_table_test, a_name_leads_to_the_newest_of_its_holders_that_is_left) {
  EXPECT_TRUE(all.bind("desk", a, true));
  EXPECT_TRUE(all.bind("desk", b, true));
  EXPECT_TRUE(all.bind("desk", c, true));
  EXPECT_EQ(all.lookup("desk"), c);
  all.unbind("desk", c);
  EXPECT_EQ(all.lookup("desk"), b);
  all.unbind("desk", b);
  EXPECT_EQ(all.lookup("desk"), a);
  all.unbind("desk", a);
  EXPECT_FALSE(all.lookup("desk"));
  EXPECT_TRUE(all.was_held("desk"));
}

TEST_F(name_table_test, who_waits_behind_leaves_without_a_trace) {
  all.bind("desk", a, true);
  all.bind("desk", b, true);
  all.bind("desk", c, true);
  all.unbind("desk", b);
  EXPECT_EQ(all.lookup("desk"), c);
  all.unbind("desk", c);
  EXPECT_EQ(all.lookup("desk"), a);
}

TEST_F(name_table_test, who_takes_a_name_again_stands_there_once) {
  all.bind("desk", a, true);
  all.bind("desk", b, true);
  all.bind("desk", a, true);
  all.bind("desk", a, true);
  EXPECT_EQ(all.lookup("desk"), a);
  all.unbind("desk", a);
  EXPECT_EQ(all.lookup("desk"), b);
  all.unbind("desk", b);
  EXPECT_FALSE(all.lookup("desk"));
}

TEST_F(name_table_test, a_name_that_is_held_is_not_given_to_another_unless_it_is_replaced) {
  EXPECT_TRUE(all.bind("clock", a, false));
  EXPECT_TRUE(all.bind("clock", a, false)) << "it is its own already";
  EXPECT_FALSE(all.bind("clock", b, false));
  all.bind("clock", b, true);
  EXPECT_FALSE(all.bind("clock", a, false)) << "it holds the name, but another took its place";
  EXPECT_EQ(all.lookup("clock"), b);
  all.unbind("clock", c);
  EXPECT_EQ(all.lookup("clock"), b) << "freed by one who does not hold it";
}

TEST_F(name_table_test, knows_that_a_free_name_was_held_until_its_last_holder_is_forgotten) {
  EXPECT_FALSE(all.was_held("desk"));
  all.bind("desk", a, true);
  all.bind("desk", b, true);
  all.unbind("desk", a);
  EXPECT_FALSE(all.was_held("desk")) << "it is not free";
  all.unbind("desk", b);
  all.forget("desk", a.agent);
  EXPECT_TRUE(all.was_held("desk"));
  all.forget("desk", b.agent);
  EXPECT_FALSE(all.was_held("desk"));
  all.bind("desk", a, false);
  all.forget("desk", a.agent);
  EXPECT_EQ(all.lookup("desk"), a) << "a name in use was forgotten";
}

}  // namespace
}  // namespace troupe
