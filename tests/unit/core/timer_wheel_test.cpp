// SPDX-License-Identifier: Apache-2.0
#include "core/timer_wheel.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "base/id.hpp"

namespace troupe::core {
namespace {

std::vector<std::uint32_t> owners(const wheel_entry* list) {
  std::vector<std::uint32_t> all;
  for (; list != nullptr; list = list->next)
    all.push_back(list->owner);
  return all;
}
using who = std::vector<std::uint32_t>;

wheel_entry of(std::uint32_t owner) {
  wheel_entry e;
  e.owner = owner;
  return e;
}

TEST(timer_wheel_test, an_empty_wheel_has_nothing_to_do) {
  timer_wheel w;
  EXPECT_EQ(w.next(), timer_wheel::nothing);
  EXPECT_EQ(w.advance(1'000'000), nullptr);
}

TEST(timer_wheel_test, hands_out_what_is_due_and_not_before) {
  timer_wheel w;
  auto a = of(1);
  w.set(a, 100'000);
  EXPECT_EQ(w.advance(99'999), nullptr);
  EXPECT_EQ(owners(w.advance(100'000)), who{1});
  EXPECT_FALSE(a.is_set);
  EXPECT_EQ(w.next(), timer_wheel::nothing);
}

TEST(timer_wheel_test, a_later_wish_replaces_the_earlier_one) {
  timer_wheel w;
  auto a = of(1);
  w.set(a, 10);
  w.set(a, 5000);
  EXPECT_EQ(w.advance(4999), nullptr);
  w.set(a, 5001);
  EXPECT_EQ(w.advance(5000), nullptr);
  EXPECT_EQ(owners(w.advance(5001)), who{1});
}

TEST(timer_wheel_test, a_wish_for_the_past_is_due_at_once) {
  timer_wheel w;
  w.advance(1000);
  auto a = of(1);
  w.set(a, 3);
  EXPECT_LE(w.next(), 1000u);
  EXPECT_EQ(owners(w.advance(1000)), who{1});
}

TEST(timer_wheel_test, what_is_cancelled_never_comes) {
  timer_wheel w;
  auto a = of(1), b = of(2), c = of(3);
  w.set(a, 70);
  w.set(b, 70);
  w.set(c, 70);
  w.cancel(b);
  w.cancel(b);
  EXPECT_EQ(owners(w.advance(70)), (who{1, 3}));
  w.set(a, 80);
  w.cancel(a);
  EXPECT_EQ(w.next(), timer_wheel::nothing);
}

TEST(timer_wheel_test, keeps_the_order_of_ticks_over_all_levels) {
  timer_wheel w;
  auto a = of(1), b = of(2), c = of(3), d = of(4);
  w.set(a, 5'000'000'000);
  w.set(b, 63);
  w.set(c, 64);
  w.set(d, 4096 * 64);
  EXPECT_EQ(owners(w.advance(6'000'000'000)), (who{2, 3, 4, 1}));
}

TEST(timer_wheel_test, takes_the_farthest_ticks) {
  timer_wheel w;
  auto a = of(1), b = of(2);
  w.set(a, UINT64_MAX);
  w.set(b, UINT64_MAX / 2);
  EXPECT_LE(w.next(), UINT64_MAX / 2);
  EXPECT_EQ(owners(w.advance(UINT64_MAX - 1)), (who{2, 1}));
}

TEST(timer_wheel_test, never_lets_its_user_sleep_past_a_wish) {
  // Against a plain sorted map, with wishes of all distances set, moved and taken back.
  random_source random(7);
  timer_wheel w;
  std::multimap<std::uint64_t, std::uint32_t> model;
  std::vector<std::unique_ptr<wheel_entry>> entries;
  for (std::uint32_t i = 0; i < 200; ++i)
    entries.push_back(std::make_unique<wheel_entry>(of(i)));
  const auto forget = [&](std::uint32_t owner) {
    std::erase_if(model, [&](const auto& x) { return x.second == owner; });
  };
  std::uint64_t now = 0;
  for (int step = 0; step < 20'000; ++step) {
    auto& e = *entries[random.below(entries.size())];
    switch (random.below(4)) {
      case 0:
      case 1: {
        forget(e.owner);
        const auto due = now + random.below(std::uint64_t{1} << random.below(30));
        w.set(e, due);
        model.emplace(due, e.owner);
        break;
      }
      case 2:
        forget(e.owner);
        w.cancel(e);
        break;
      default: {
        if (model.empty()) {
          ASSERT_EQ(w.next(), timer_wheel::nothing);
          break;
        }
        ASSERT_LE(w.next(), model.begin()->first) << "it would sleep too long";
        now = random.below(2) == 0 ? std::max(now, w.next())
                                   : now + random.below(std::uint64_t{1} << random.below(24));
        std::uint64_t last = 0;
        for (const auto* due = w.advance(now); due != nullptr; due = due->next) {
          ASSERT_GE(due->due, last);
          last = due->due;
          const auto at = std::find_if(model.begin(), model.end(),
                                       [&](const auto& x) { return x.second == due->owner; });
          ASSERT_TRUE(at != model.end());
          ASSERT_LE(at->first, now);
          model.erase(at);
        }
        ASSERT_TRUE(model.empty() || model.begin()->first > now) << "one was forgotten";
      }
    }
  }
}

}  // namespace
}  // namespace troupe::core
