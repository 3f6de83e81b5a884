// SPDX-License-Identifier: Apache-2.0
//
// The jobs that one scheduler thread has before it: first in, first out, bounded, without a lock.
// Its owner pushes and pops; other threads may steal from the front.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace troupe::core {

/// What a job is, is the affair of who pushes it; null is none.
class run_queue {
 public:
  static constexpr std::uint32_t capacity = 256;

  /// [owner] Adds a job at the end and says how many there are now; 0 if it is full.
  std::uint32_t push(void* job) {
    const auto tail = tail_.load(std::memory_order_relaxed);
    const auto count = tail - head_.load(std::memory_order_acquire);
    if (count >= capacity) return 0;
    slot(tail).store(job, std::memory_order_relaxed);
    tail_.store(tail + 1, std::memory_order_release);
    return count + 1;
  }

  /// [owner] Takes the oldest job, or null.
  void* pop() {
    auto head = head_.load(std::memory_order_acquire);
    for (;;) {
      if (head == tail_.load(std::memory_order_relaxed)) return nullptr;
      void* job = slot(head).load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, head + 1, std::memory_order_acq_rel,
                                      std::memory_order_acquire))
        return job;
    }
  }

  /// [owner of `to`, which is empty] Moves the older half of what is here, rounded up, if there are
  /// `least` jobs or more. Says how many it moved.
  std::uint32_t move_half(run_queue& to, std::uint32_t least) {
    auto head = head_.load(std::memory_order_acquire);
    for (;;) {
      const auto count = tail_.load(std::memory_order_acquire) - head;
      // More than the capacity: `head` is stale.
      if (count == 0 || count < least) return 0;
      const auto half = count > capacity ? 0 : count - count / 2;
      const auto at = to.tail_.load(std::memory_order_relaxed);
      for (std::uint32_t i = 0; i < half; ++i)
        to.slot(at + i).store(slot(head + i).load(std::memory_order_relaxed),
                              std::memory_order_relaxed);
      // What was copied counts only if nobody took from the front meanwhile.
      if (half == 0) {
        head = head_.load(std::memory_order_acquire);
      } else if (head_.compare_exchange_weak(head, head + half, std::memory_order_acq_rel,
                                             std::memory_order_acquire)) {
        to.tail_.store(at + half, std::memory_order_release);
        return half;
      }
    }
  }

  /// [any thread] How many there are, more or less.
  std::uint32_t size() const {
    const auto head = head_.load(std::memory_order_relaxed);
    const auto count = tail_.load(std::memory_order_relaxed) - head;
    return count > capacity ? 0 : count;
  }

 private:
  std::atomic<void*>& slot(std::uint32_t i) { return jobs_[i % capacity]; }

  alignas(64) std::atomic<std::uint32_t> head_{0};  // thieves write here
  alignas(64) std::atomic<std::uint32_t> tail_{0};  // the owner alone writes here
  alignas(64) std::array<std::atomic<void*>, capacity> jobs_{};
};

}  // namespace troupe::core
