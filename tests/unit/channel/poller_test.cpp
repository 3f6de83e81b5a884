// SPDX-License-Identifier: Apache-2.0
#include "channel/poller.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "base/unique_fd.hpp"

namespace troupe {
namespace {

struct tube {
  tube() {
    std::array<int, 2> ends;
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) std::abort();
    out = unique_fd(ends[0]);
    in = unique_fd(ends[1]);
  }
  void write() { EXPECT_EQ(::write(in.get(), "x", 1), 1); }
  unique_fd out, in;
};

TEST(poller, says_once_that_something_is_ready_and_again_after_rearm) {
  auto io = *poller::open_manual();
  tube t;
  int calls = 0;
  auto key = io->watch(t.out.get(), EPOLLIN, [&](std::uint32_t) { return ++calls > 0; });
  ASSERT_TRUE(key);
  io->step(0);
  EXPECT_EQ(calls, 0);
  t.write();
  io->step(0);
  io->step(0);
  EXPECT_EQ(calls, 1) << "said it again without being asked";
  io->rearm(*key, t.out.get(), EPOLLIN);
  io->step(0);
  EXPECT_EQ(calls, 2);
}

TEST(poller, drops_a_watch_that_returns_false_or_is_forgotten) {
  auto io = *poller::open_manual();
  tube a, b;
  auto held = std::make_shared<int>();
  ASSERT_TRUE(io->watch(a.out.get(), EPOLLIN, [held](std::uint32_t) { return false; }));
  auto key = io->watch(b.out.get(), EPOLLIN, [held](std::uint32_t) { return true; });
  ASSERT_TRUE(key);
  a.write();
  io->step(0);
  EXPECT_EQ(held.use_count(), 2);
  io->forget(*key, b.out.get());
  b.write();
  io->step(0);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(poller, refuses_a_descriptor_that_is_none) {
  auto io = *poller::open();
  auto held = std::make_shared<int>();
  auto key = io->watch(-1, EPOLLIN, [held](std::uint32_t) { return true; });
  ASSERT_FALSE(key);
  EXPECT_TRUE(key.error().is(errc::io));
  io.reset();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(poller, runs_tasks_in_order_on_its_own_thread_and_those_that_wait_at_its_end) {
  auto io = *poller::open();
  std::promise<std::thread::id> where;
  std::vector<int> order;
  for (int i = 0; i < 100; ++i)
    io->run([&order, i] { order.push_back(i); });
  io->run([&] { where.set_value(std::this_thread::get_id()); });
  EXPECT_NE(where.get_future().get(), std::this_thread::get_id());
  io->run([&order] { order.push_back(100); });
  io.reset();
  ASSERT_EQ(order.size(), 101u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(poller, takes_tasks_and_watches_from_many_threads) {
  auto io = *poller::open();
  std::atomic<int> ran{0}, ready{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int k = 0; k < 200; ++k) {
        tube t;
        t.write();
        auto seen = std::make_shared<std::promise<void>>();
        auto key = io->watch(t.out.get(), EPOLLIN, [&ready, seen](std::uint32_t) {
          ++ready;
          seen->set_value();
          return true;
        });
        seen->get_future().wait();
        io->forget(*key, t.out.get());
        io->run([&] { ++ran; });
      }
    });
  for (auto& t : threads)
    t.join();
  io.reset();
  EXPECT_EQ(ran, 800);
  EXPECT_EQ(ready, 800);
}

}  // namespace
}  // namespace troupe
