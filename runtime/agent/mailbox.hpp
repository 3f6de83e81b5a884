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

/// More than 8 million messages or 256 GiB is cut to that.
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

  /// Open, asleep.
  explicit mailbox(const mailbox_limits& limits);
  ~mailbox();
  mailbox(const mailbox&) = delete;
  mailbox& operator=(const mailbox&) = delete;

  /// [any thread] Takes `e` over if it is accepted. Bounds hold for send and call alone.
  pushed push(envelope_ptr& e);

  /// [any thread] Makes the agent run without a message: a wake-up. True if the caller must
  /// schedule it; otherwise the reader, who is awake, can't go to sleep before it has tried twice.
  bool poke();

  /// [reader] All that came, oldest first, linked by `next`; null if nothing did. What was taken
  /// still counts towards the bounds until `release`.
  envelope* take_all();

  /// [reader] A message is handled or dropped; nothing happens where its kind has no bounds. `e` is
  /// as it was pushed.
  void release(const envelope& e);

  /// [reader] Goes to sleep. False if something came meanwhile, be it only a poke: look at the
  /// clock and take_all again.
  bool try_sleep();

  /// [reader] Refuses everything from now on and hands out what was left, as take_all does.
  envelope* close();

  /// [who owned the reader] Opens a closed mailbox for another agent, asleep. All that was taken
  /// from it must have been released. Writers may push at the same time, even those that mean the
  /// agent before: the reader knows their messages by `to`.
  void reopen(const mailbox_limits& limits);

  /// [any thread] Messages that count towards the bound, and their bytes.
  std::uint32_t count() const;
  std::size_t weight() const;

 private:
  /// One word for both, so that a message costs one atomic operation on its way in and one on its
  /// way out: count << 40 | weight.
  std::atomic<std::uint64_t> load_{0};
  /// The newest message's address, plus `poked`; or one of the states in the source.
  std::atomic<std::uintptr_t> newest_;
  std::atomic<std::uint32_t> max_messages_;
  std::atomic<std::uint64_t> max_bytes_;
  /// [reader] A poke that take_all met and try_sleep has yet to honour.
  bool was_poked_ = false;
};

}  // namespace troupe
