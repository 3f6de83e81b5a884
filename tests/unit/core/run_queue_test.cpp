// SPDX-License-Identifier: Apache-2.0
#include "core/run_queue.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace troupe::core {
namespace {

TEST(run_queue_test, gives_back_in_order) {
  run_queue q;
  int jobs[3];
  for (auto& j : jobs)
    q.push(&j);
  EXPECT_EQ(q.size(), 3u);
  for (auto& j : jobs)
    EXPECT_EQ(q.pop(), &j);
  EXPECT_EQ(q.pop(), nullptr);
}

TEST(run_queue_test, refuses_when_it_is_full) {
  run_queue q;
  int job = 0;
  for (std::uint32_t i = 1; i <= run_queue::capacity; ++i)
    EXPECT_EQ(q.push(&job), i);
  EXPECT_EQ(q.push(&job), 0u);
  q.pop();
  EXPECT_EQ(q.push(&job), run_queue::capacity);
}

TEST(run_queue_test, a_thief_takes_the_older_half) {
  run_queue q, mine;
  int jobs[5];
  for (auto& j : jobs)
    q.push(&j);
  EXPECT_EQ(q.move_half(mine, 2), 3u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(mine.pop(), &jobs[i]);
  EXPECT_EQ(q.pop(), &jobs[3]);
}

TEST(run_queue_test, a_thief_leaves_what_is_below_its_least) {
  run_queue q, mine;
  int job = 0;
  EXPECT_EQ(q.move_half(mine, 1), 0u);
  q.push(&job);
  EXPECT_EQ(q.move_half(mine, 2), 0u);
  EXPECT_EQ(q.move_half(mine, 1), 1u);
  EXPECT_EQ(mine.pop(), &job);
}

TEST(run_queue_test, every_job_is_run_once_while_thieves_are_about) {
  constexpr std::size_t jobs = 100'000, thieves = 2;
  run_queue q;
  auto runs = std::make_unique<std::atomic<int>[]>(jobs);
  std::atomic<std::size_t> left{jobs};
  const auto run = [&](void* job) {
    static_cast<std::atomic<int>*>(job)->fetch_add(1);
    --left;
  };
  std::vector<std::thread> others;
  for (std::size_t t = 0; t < thieves; ++t)
    others.emplace_back([&] {
      run_queue mine;
      while (left > 0) {
        q.move_half(mine, 1);
        while (void* job = mine.pop())
          run(job);
      }
    });
  for (std::size_t i = 0; i < jobs;) {
    if (q.push(&runs[i]) != 0)
      ++i;
    else if (void* job = q.pop())
      run(job);
    if (i % 3 == 0) {
      if (void* job = q.pop()) run(job);
    }
  }
  while (void* job = q.pop())
    run(job);
  for (auto& t : others)
    t.join();
  for (std::size_t i = 0; i < jobs; ++i)
    ASSERT_EQ(runs[i], 1) << i;
}

}  // namespace
}  // namespace troupe::core
