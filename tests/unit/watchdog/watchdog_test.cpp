// SPDX-License-Identifier: Apache-2.0
#include "agent/watchdog.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <ctime>
#include <mutex>
#include <thread>
#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;

/// Counts in the signal handler.
struct counter final : interruptible {
  void interrupt() noexcept override { hits.fetch_add(1, std::memory_order_relaxed); }
  std::atomic<int> hits{0};
};

/// Computes until `n` interrupts came; the test's own limit ends it if they never do.
void compute_until(const counter& c, int n) {
  while (c.hits.load(std::memory_order_relaxed) < n)
    std::this_thread::yield();
}

TEST(watchdog, interrupts_a_long_turn_again_and_again) {
  watchdog dog(1ms);
  counter c;
  dog.begin_turn();
  set_running(&c);
  compute_until(c, 3);
  set_running(nullptr);
  dog.end_turn();
  EXPECT_GE(c.hits, 3);
}

TEST(watchdog, interrupts_hurried_turns_that_are_over_before_its_second_look) {
  watchdog dog(1ms);
  counter c;
  set_running(&c);
  while (c.hits.load(std::memory_order_relaxed) == 0) {  // each of them begins and ends in a slice
    dog.begin_turn(1, true);
    const auto began = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - began < 100us) {
    }
    dog.end_turn();
  }
  set_running(nullptr);
}

TEST(watchdog, wakes_up_for_a_turn_after_a_long_rest) {
  watchdog dog(1ms);
  counter c;
  for (int round = 0; round < 5; ++round) {
    std::this_thread::sleep_for(20ms);  // it sleeps by now, or not: both must work
    c.hits = 0;
    dog.begin_turn();
    set_running(&c);
    compute_until(c, 1);
    set_running(nullptr);
    dog.end_turn();
  }
}

TEST(watchdog, leaves_foreign_code_alone) {
  watchdog dog(1ms);
  counter before;
  counter other_thread;
  std::thread other([&] {
    dog.begin_turn();
    set_running(&other_thread);
    compute_until(other_thread, 5);
    set_running(nullptr);
    dog.end_turn();
  });
  set_running(&before);
  set_running(nullptr);
  dog.begin_turn();
  other.join();  // as long a turn as the other one
  dog.end_turn();
  EXPECT_EQ(before.hits, 0);
}

TEST(watchdog, interrupts_only_the_thread_that_is_late) {
  watchdog dog(1ms);
  counter late;
  counter between_turns;
  std::atomic<bool> done{false};
  std::thread other([&] {
    dog.begin_turn();
    dog.end_turn();
    set_running(&between_turns);  // never does this, but if it did
    while (!done)
      std::this_thread::yield();
    set_running(nullptr);
  });
  dog.begin_turn();
  set_running(&late);
  compute_until(late, 5);
  set_running(nullptr);
  dog.end_turn();
  done = true;
  other.join();
  EXPECT_EQ(between_turns.hits, 0);
}

TEST(watchdog, serves_threads_that_come_and_go) {
  watchdog dog(1ms);
  for (int i = 0; i < 20; ++i) {
    counter c;
    std::thread([&] {
      dog.begin_turn();
      set_running(&c);
      compute_until(c, 1);
      set_running(nullptr);
      dog.end_turn();
    }).join();
  }
}

TEST(watchdog, names_a_turn_that_does_not_end_once_and_the_foreign_code_it_is_in) {
  std::mutex mutex;
  std::vector<late_turn> heard;
  watchdog dog(1ms, 10ms, [&](const late_turn& t) {
    const std::lock_guard lock(mutex);
    heard.push_back(t);
  });
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return heard.size();
  };
  const auto be_late = [&](std::uint64_t who, std::size_t until) {
    dog.begin_turn(who);
    while (count() < until)
      std::this_thread::yield();
    std::this_thread::sleep_for(30ms);  // not told of again
    EXPECT_EQ(dog.late_turns(), 1u);
    dog.end_turn();
    EXPECT_EQ(dog.late_turns(), 0u);
  };
  be_late(7, 1);
  const std::string name = "plugin clock: " + std::string(200, 'x');
  EXPECT_EQ(set_foreign(&name), nullptr);
  be_late(8, 2);
  EXPECT_EQ(set_foreign(nullptr), &name);
  be_late(9, 3);
  ASSERT_EQ(count(), 3u);
  EXPECT_EQ(heard[0].who, 7u);
  EXPECT_EQ(heard[0].in, "");
  EXPECT_GE(heard[0].so_far, 10ms);
  EXPECT_EQ(heard[1].who, 8u);
  EXPECT_TRUE(heard[1].in.starts_with("plugin clock: xxx")) << heard[1].in;
  EXPECT_EQ(heard[2].in, "") << "not what another turn was in";
}

TEST(watchdog, several_can_live_and_end_while_their_threads_go_on) {
  counter c;
  for (int i = 0; i < 5; ++i) {
    watchdog one(1ms);
    watchdog two(1ms);
    for (auto* dog : {&one, &two}) {
      c.hits = 0;
      dog->begin_turn();
      set_running(&c);
      compute_until(c, 1);
      set_running(nullptr);
      dog->end_turn();
    }
  }
}

TEST(watchdog, costs_no_time_while_nobody_is_in_a_turn) {
  watchdog dog(1ms);
  dog.begin_turn();
  dog.end_turn();
  const auto spent = [] {
    timespec t{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return std::chrono::seconds(t.tv_sec) + std::chrono::nanoseconds(t.tv_nsec);
  };
  std::this_thread::sleep_for(50ms);
  const auto before = spent();
  std::this_thread::sleep_for(200ms);
  EXPECT_LT(spent() - before, 10ms) << "it polls at rest";
}

}  // namespace
}  // namespace troupe
