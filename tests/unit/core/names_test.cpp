// SPDX-License-Identifier: Apache-2.0
#include "core/names.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <thread>

namespace troupe::core {
namespace {

address agent(std::uint64_t id) {
  address a;
  a.node = {1, 2};
  a.incarnation = 3;
  a.agent = id;
  a.slot = static_cast<std::uint32_t>(id);
  return a;
}

class names_test : public testing::Test {
 protected:
  void SetUp() override {
    EXPECT_TRUE(all.add(a, "desk/a"));
    EXPECT_TRUE(all.add(b, "desk/b"));
  }
  const address a = agent(17), b = agent(33);  // in one shard
  names all;
};

TEST_F(names_test, an_id_is_taken_once) {
  EXPECT_FALSE(all.add(a, "other"));
  EXPECT_EQ(all.path_of(a), "desk/a");
}

TEST_F(names_test, a_name_has_one_holder_unless_it_is_replaced) {
  EXPECT_TRUE(all.bind("clock", a, false));
  EXPECT_TRUE(all.bind("clock", a, false)) << "it is its own already";
  EXPECT_FALSE(all.bind("clock", b, false));
  EXPECT_EQ(all.lookup("clock"), a);
  EXPECT_TRUE(all.bind("clock", b, true));
  EXPECT_EQ(all.lookup("clock"), b);
}

TEST_F(names_test, the_earlier_holder_does_not_take_a_name_along) {
  all.bind("clock", a, false);
  all.bind("clock", b, true);
  all.unbind(a);
  EXPECT_EQ(all.lookup("clock"), b);
  all.unbind(b);
  EXPECT_FALSE(all.lookup("clock"));
}

TEST_F(names_test, a_name_goes_back_to_who_held_it_before_and_still_lives) {
  all.bind("desk", a, true);
  all.bind("desk", b, true);
  all.remove(b);
  EXPECT_EQ(all.lookup("desk"), a);
  all.remove(a);
  EXPECT_FALSE(all.lookup("desk"));
}

TEST_F(names_test, all_names_of_a_holder_go_at_once) {
  all.bind("x", a, false);
  all.bind("y", a, false);
  all.unbind(a);
  EXPECT_FALSE(all.lookup("x"));
  EXPECT_FALSE(all.lookup("y"));
}

TEST_F(names_test, who_has_ended_holds_no_name_and_gets_none) {
  all.bind("x", a, false);
  all.remove(a);
  EXPECT_FALSE(all.lookup("x"));
  EXPECT_FALSE(all.bind("x", a, true));
  EXPECT_FALSE(all.bind("x", agent(99), true)) << "it was never here";
}

TEST_F(names_test, remembers_for_a_while_why_an_agent_ended) {
  EXPECT_FALSE(all.reason_of(a));
  all.note_reason(a, error(errc::crash, "boom"));
  EXPECT_TRUE(all.reason_of(a)) << "its mailbox may be closed already";
  all.remove(a);
  ASSERT_TRUE(all.reason_of(a));
  EXPECT_EQ(all.reason_of(a)->message, "boom");
  EXPECT_EQ(all.path_of(a), "desk/a");
  EXPECT_EQ(all.slot_of(a), 0u);
  for (std::uint64_t id = 1000; id < 1000 + names::remembered; ++id) {
    all.add(agent(id), "later");
    all.remove(agent(id));
  }
  EXPECT_FALSE(all.reason_of(a));
  EXPECT_EQ(all.path_of(a), "");
  EXPECT_EQ(all.path_of(b), "desk/b");
}

TEST_F(names_test, knows_for_a_while_that_somebody_had_a_free_name) {
  EXPECT_FALSE(all.was_held("x"));
  all.bind("x", a, false);
  EXPECT_FALSE(all.was_held("x")) << "it is not free";
  all.unbind(a);
  EXPECT_TRUE(all.was_held("x"));
  EXPECT_TRUE(all.bind("x", b, false)) << "whoever comes next gets it";
  EXPECT_FALSE(all.was_held("x"));
  EXPECT_EQ(all.lookup("x"), b);
  all.remove(a);
  all.remove(b);
  EXPECT_TRUE(all.was_held("x"));
  for (std::uint64_t id = 1000; id < 1000 + names::remembered; ++id) {
    all.add(agent(id), "later");
    all.remove(agent(id));
  }
  EXPECT_FALSE(all.was_held("x"));
}

TEST_F(names_test, remembers_a_few_names_alone_of_who_had_many) {
  for (std::size_t i = 0; i <= names::remembered_names; ++i)
    EXPECT_TRUE(all.bind("name" + std::to_string(i), a, false));
  all.unbind(a);
  all.remove(a);
  EXPECT_TRUE(all.was_held("name" + std::to_string(names::remembered_names - 1)));
  EXPECT_FALSE(all.was_held("name" + std::to_string(names::remembered_names)));
}

TEST_F(names_test, a_name_always_leads_to_somebody_who_lives) {
  // One thread moves the name on from agent to agent and ends them, the other looks.
  std::thread mover([&] {
    for (std::uint64_t id = 100; id < 5'000; ++id) {
      all.add(agent(id), "worker");
      all.bind("worker", agent(id), true);
      if (id > 100) all.remove(agent(id - 1));
    }
  });
  std::uint64_t last = 0;
  while (last < 4'999) {
    const auto now = all.lookup("worker").agent;
    if (now == 0 && last == 0) continue;
    ASSERT_GE(now, last);
    last = now;
  }
  mover.join();
}

}  // namespace
}  // namespace troupe::core
