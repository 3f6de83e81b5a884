// SPDX-License-Identifier: Apache-2.0
//
// The queue in front of an agent: many writers, one reader, no lock, bounded. The reader is whoever
// runs the agent's turn. It also says when the agent has to be scheduled, so that an idle agent
// costs nothing and none is scheduled twice.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "agent/envelope.hpp"

namespace troupe {

struct mailbox_limits {
  std::uint32_t messages = 10'000;
  std::size_t bytes = 64u << 20;
};

class mailbox {
 public:
  enum class pushed : std::uint8_t {
    queued,    ///< the reader will see it
    schedule,  ///< the same, and the agent slept: the caller must make it run
    full,      ///< refused; `e` is still the caller's
    closed,    ///< refused; `e` is still the caller's
  };

  explicit mailbox(const mailbox_limits& limits) : limits_(limits) {}
  ~mailbox();
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  /// [any thread] Takes `e` over if it is accepted. Bounds hold for send and call alone.
  pushed push(envelope_ptr& e);

  /// [any thread] Makes the agent run without a message: a wake-up. True if the caller must
  /// schedule it.
  bool poke();

  /// [reader] All that came, oldest first, linked by `next`; null if nothing did. What was taken
  /// still counts towards the bounds until `release`.
  envelope* take_all();

  /// [reader] A message that counted is handled or dropped.
  void release(const envelope& e);

  /// [reader] Goes to sleep. False if something came meanwhile: take_all again.
  bool try_sleep();

  /// [reader] Refuses everything from now on and hands out what was left, as take_all does.
  envelope* close();

  std::uint32_t count() const { return count_.load(std::memory_order_relaxed); }
  std::size_t weight() const { return weight_.load(std::memory_order_relaxed); }

 private:
  static envelope* sleeping_mark();
  static envelope* closed_mark();
  static envelope* reversed(envelope* newest);

  const mailbox_limits limits_;
  std::atomic<std::uint32_t> count_{0};
  std::atomic<std::size_t> weight_{0};
  /// The newest message, null (awake and empty), or one of the marks. Starts asleep.
  std::atomic<envelope*> newest_{sleeping_mark()};
};

}  // namespace troupe
