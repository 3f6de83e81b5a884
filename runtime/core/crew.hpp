// SPDX-License-Identifier: Apache-2.0
//
// Who of the scheduler's threads runs what, and who sleeps. First in, first out; idle threads are
// parked and cost nothing; spare threads take the place of those that are stuck in a turn. It knows
// neither agents nor CAF.
//
// Why not CAF's own policies? `stealing` is last in, first out, which starves, and polls while it
// is idle; `sharing` has one queue behind one lock, which costs twice as much per message.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "core/run_queue.hpp"

namespace troupe::core {

/// Each thread has a queue of its own; what comes from other threads goes through a common one,
/// whose jobs line up behind those that a thread has when it fetches them.
///
/// A thread that gets a second job while others are parked wakes one, which takes half. A single
/// job is left to its thread, since that will be through with its turn sooner than another could be
/// awake: two agents that talk to each other stay on one thread. Should the turn be a long one
/// after all, the lookout sees it. The lookout is a parked thread that wakes every two milliseconds
/// while others work, and not at all when none does.
///
/// A job that had a whole turn and wants another is slow: it stands in a queue of its own, from
/// which a thread takes one when it has nothing else, or has run others for three times as long as
/// the last slow one took. So who computes without end takes what the others leave, however many
/// such there are, and nobody waits behind it; those who only ever send a message on can't keep it
/// out, and who floods them can't be quicker than they are.
class crew {
 public:
  /// One thread's part in it.
  class member;

  /// At most `at_work` threads run jobs at once, and up to `spares` more while some are stuck.
  crew(std::size_t at_work, std::size_t spares);
  ~crew();
  crew(const crew&) = delete;
  crew& operator=(const crew&) = delete;

  /// `at_work` + `spares` of them, each for one thread.
  std::size_t size() const { return members_.size(); }
  member& operator[](std::size_t i) { return *members_[i]; }

  /// [any thread] Puts a job at the end of the common queue.
  void submit(void* job);

  /// [thread of `m`] Puts a job at the end of its own queue.
  void submit(member& m, void* job);

  /// [thread of `m`] Puts a job that had a whole turn behind all others that had.
  void postpone(member& m, void* job);

  /// [thread of `m`] Takes the next job; waits until there is one.
  void* next(member& m);

  /// [thread of `m`] It will not come back; what it still has goes to the others.
  void leave(member& m);

  /// [when all have left] One job that nobody took, or null.
  void* left_over();

  /// [any thread] Threads that are not parked.
  std::size_t working() const;

 private:
  // All but `overflow`, `fetch` and `take_slow` are called with the lock held.
  void overflow(member& m, void* job);
  void fetch(member& m);
  void* take_slow(member& m);
  void* steal(member& m);
  bool has_work() const;
  bool may_wake() const { return !parked_.empty() && working_ < limit_ && searching_ == 0; }
  member* wake_one(bool take_last);
  void hint();
  void unpark(member& m);
  void give_back(member& m);
  void offer();
  void found(member& m);
  void park(member& m, bool even_with_work = false);
  void look_around();

  const std::size_t at_work_, spares_;
  std::vector<std::unique_ptr<member>> members_;

  /// A thread may be woken. Read without the lock: what is missed, the lookout mends.
  alignas(64) std::atomic<bool> may_wake_{false};
  std::atomic<bool> too_many_{false};
  std::atomic<std::size_t> common_size_{0};
  std::atomic<std::size_t> slow_size_{0};

  alignas(64) mutable std::mutex mutex_;
  std::deque<void*> common_;
  std::deque<void*> slow_;
  std::vector<member*> parked_;
  member* lookout_ = nullptr;
  std::uint32_t idle_looks_ = 0;
  std::size_t limit_;
  std::size_t working_ = 0;
  std::size_t searching_ = 0;  ///< woken, and have not found a job yet
};

}  // namespace troupe::core
