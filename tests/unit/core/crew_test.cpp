// SPDX-License-Identifier: Apache-2.0
//
// Who runs what: order, sharing, parking, stuck threads. No agents and no CAF here.
#include "core/crew.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

namespace troupe::core {
namespace {

/// A crew with its threads. A job is a function that gets its member; true: again, at the tail.
class working_crew {
 public:
  using job = std::function<bool(crew::member&)>;

  working_crew(std::size_t at_work, std::size_t spares) : team(at_work, spares) {
    for (std::size_t i = 0; i < team.size(); ++i)
      threads_.emplace_back([this, i] { work(team[i]); });
  }
  ~working_crew() { finish(); }
  /// To be called before what the jobs use goes.
  void finish() {
    halt_ = true;
    job last = [](crew::member&) { return false; };
    for (std::size_t i = 0; i < threads_.size(); ++i)
      team.submit(&last);
    for (auto& t : threads_)
      t.join();
    threads_.clear();
    while (team.left_over() != nullptr) {
    }
  }
  void submit(job& j) { team.submit(&j); }

  crew team;

 private:
  void work(crew::member& m) {
    while (!halt_) {
      auto& j = *static_cast<job*>(team.next(m));
      if (j(m)) team.submit(m, &j);
    }
    team.leave(m);
  }
  std::atomic<bool> halt_{false};
  std::vector<std::thread> threads_;
};
using job = working_crew::job;

TEST(crew_test, one_thread_runs_jobs_in_the_order_they_came) {
  std::vector<int> order;
  std::latch done(1);
  std::vector<job> jobs;
  for (int i = 0; i < 1000; ++i)
    jobs.push_back([&, i](crew::member&) {
      order.push_back(i);
      if (i == 999) done.count_down();
      return false;
    });
  working_crew crew(1, 0);
  std::counting_semaphore<> hold(0);
  job gate = [&](crew::member&) {
    hold.acquire();
    return false;
  };
  crew.submit(gate);
  for (auto& j : jobs)
    crew.submit(j);
  hold.release();
  done.wait();
  for (int i = 0; i < 1000; ++i)
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
  crew.finish();
}

TEST(crew_test, a_job_that_wants_more_goes_behind_all_others) {
  working_crew crew(1, 0);
  constexpr std::size_t greedy_jobs = 4;
  std::uint64_t turns = 0, longest = 0, asked = 0;
  int served = 0;
  std::latch done(1);
  job quiet = [&](crew::member&) {
    longest = std::max(longest, turns - asked);
    if (++served == 1000) done.count_down();
    return false;
  };
  std::vector<job> greedy;
  for (std::size_t i = 0; i < greedy_jobs; ++i)
    greedy.push_back([&, i](crew::member& m) {
      ++turns;
      // From outside and from inside in turns.
      if (i == 0 && served < 1000 && asked + 20 < turns) {
        asked = turns;
        if (served % 2 == 0)
          crew.submit(quiet);
        else
          crew.team.submit(m, &quiet);
      }
      return served < 1000;
    });
  for (auto& j : greedy)
    crew.submit(j);
  done.wait();
  EXPECT_LE(longest, greedy_jobs) << "turns of others before it was run";
  crew.finish();
}

TEST(crew_test, slow_jobs_take_turns_and_get_theirs_although_others_never_end) {
  working_crew crew(1, 0);
  std::atomic<bool> halt{false};
  job chatty = [&](crew::member&) { return !halt; };
  std::vector<int> order;
  std::latch done(1);
  std::vector<job> slow;
  for (int i = 0; i < 3; ++i)
    slow.push_back([&, i](crew::member& m) {
      order.push_back(i);
      if (order.size() < 30)
        crew.team.postpone(m, &slow[static_cast<std::size_t>(i)]);
      else if (order.size() == 30)
        done.count_down();
      return false;
    });
  crew.submit(chatty);
  for (auto& j : slow)
    crew.submit(j);
  done.wait();
  for (std::size_t i = 0; i < 30; ++i)
    EXPECT_EQ(order[i], static_cast<int>(i % 3));
  halt = true;
  crew.finish();
}

TEST(crew_test, others_get_the_larger_part_of_a_thread_beside_a_slow_job) {
  using stop_watch = std::chrono::steady_clock;
  const auto spin = [](std::chrono::microseconds time) {
    const auto began = stop_watch::now();
    while (stop_watch::now() - began < time) {
    }
    return stop_watch::now() - began;
  };
  working_crew crew(1, 0);
  stop_watch::duration others{}, slow_ones{};
  int turns = 0;
  std::latch done(2);
  job other = [&](crew::member&) {
    others += spin(std::chrono::microseconds(2));
    if (turns == 20) done.count_down();
    return turns < 20;
  };
  job slow = [&](crew::member& m) {
    slow_ones += spin(std::chrono::microseconds(500));
    if (++turns < 20)
      crew.team.postpone(m, &slow);
    else
      done.count_down();
    return false;
  };
  crew.submit(other);
  crew.submit(slow);
  done.wait();
  EXPECT_GT(others, 2 * slow_ones);
  crew.finish();
}

TEST(crew_test, quiet_jobs_are_served_beside_greedy_ones_on_all_threads) {
  working_crew crew(2, 0);
  std::atomic<bool> halt{false};
  std::vector<job> greedy(4, [&](crew::member&) { return !halt; });
  for (auto& j : greedy)
    crew.submit(j);
  std::binary_semaphore served(0);
  job quiet = [&](crew::member&) {
    served.release();
    return false;
  };
  for (int i = 0; i < 100; ++i) {
    crew.submit(quiet);
    served.acquire();
  }
  halt = true;
  crew.finish();
}

TEST(crew_test, more_jobs_than_a_queue_holds_are_all_run_and_none_twice) {
  constexpr std::size_t count = 20'000;
  auto runs = std::make_unique<std::atomic<int>[]>(count);
  std::latch done(count);
  std::vector<job> jobs;
  jobs.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    jobs.push_back([&, i](crew::member&) {
      ++runs[i];
      done.count_down();
      return false;
    });
  working_crew crew(2, 1);
  // All at once from inside, which overflows the member's own queue.
  job all = [&](crew::member& m) {
    for (auto& j : jobs)
      crew.team.submit(m, &j);
    return false;
  };
  crew.submit(all);
  done.wait();
  for (std::size_t i = 0; i < count; ++i)
    ASSERT_EQ(runs[i], 1);
  crew.finish();
}

TEST(crew_test, a_thread_may_leave_before_it_asked_for_a_job) {
  crew team(1, 1);
  team.leave(team[0]);
  EXPECT_EQ(team.working(), 0u);
  bool ran = false;
  job j = [&](crew::member&) { return ran = true; };
  team.submit(&j);
  auto& taken = *static_cast<job*>(team.next(team[1]));
  taken(team[1]);
  EXPECT_TRUE(ran);
}

TEST(crew_test, a_second_job_wakes_another_thread) {
  working_crew crew(2, 0);
  // Each waits for the other: they end only if they run at the same time.
  std::latch both(2);
  job meet = [&](crew::member&) {
    both.arrive_and_wait();
    return false;
  };
  job meet_too = meet;
  job start = [&](crew::member& m) {
    crew.team.submit(m, &meet);
    crew.team.submit(m, &meet_too);
    return false;
  };
  crew.submit(start);
  both.wait();
  crew.finish();
}

TEST(crew_test, a_job_behind_a_long_turn_is_taken_by_another_thread) {
  working_crew crew(2, 0);
  std::binary_semaphore ran(0);
  job behind = [&](crew::member&) {
    ran.release();
    return false;
  };
  std::latch over(1);
  job longer = [&](crew::member& m) {
    crew.team.submit(m, &behind);
    ran.acquire();  // a turn that lasts until the other has run
    over.count_down();
    return false;
  };
  crew.submit(longer);
  over.wait();
  crew.finish();
}

TEST(crew_test, spare_threads_take_over_while_others_are_stuck) {
  working_crew crew(2, 1);
  std::counting_semaphore<> unstick(0);
  std::latch over(3);
  job stuck = [&](crew::member&) {
    unstick.acquire();
    over.count_down();
    return false;
  };
  job stuck_too = stuck;
  crew.submit(stuck);
  crew.submit(stuck_too);
  job saviour = [&](crew::member&) {
    unstick.release(2);
    over.count_down();
    return false;
  };
  crew.submit(saviour);
  over.wait();
  crew.finish();
}

TEST(crew_test, all_threads_park_when_there_is_nothing_to_do) {
  working_crew crew(2, 2);
  std::latch done(100);
  std::vector<job> jobs(100, [&](crew::member&) {
    done.count_down();
    return false;
  });
  for (auto& j : jobs)
    crew.submit(j);
  done.wait();
  while (crew.team.working() != 0)
    std::this_thread::yield();
  crew.finish();
}

TEST(crew_test, nothing_is_lost_between_parking_and_waking) {
  working_crew crew(2, 1);
  std::binary_semaphore ran(0);
  job one = [&](crew::member&) {
    ran.release();
    return false;
  };
  for (int i = 0; i < 20'000; ++i) {
    crew.submit(one);
    ran.acquire();
  }
  crew.finish();
}

TEST(crew_test, threads_share_what_several_others_submit) {
  constexpr int submitters = 3, each = 5'000;
  working_crew crew(2, 1);
  std::atomic<int> runs{0};
  std::latch done(submitters * each);
  job one = [&](crew::member&) {
    ++runs;
    done.count_down();
    return false;
  };
  std::vector<std::thread> threads;
  for (int t = 0; t < submitters; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        crew.submit(one);
    });
  for (auto& t : threads)
    t.join();
  done.wait();
  EXPECT_EQ(runs, submitters * each);
  crew.finish();
}

}  // namespace
}  // namespace troupe::core
