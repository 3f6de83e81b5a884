// SPDX-License-Identifier: Apache-2.0
//
// Brings runtime events, which come from any thread, to the observer, which is an agent. Counts
// all of them; hands on as many as the observer keeps up with, so that a storm of dead letters
// can't fill the memory.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <forward_list>

#include "agent/carrier.hpp"
#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/value.hpp"

namespace troupe {

/// Thread-safe. Shared by the carrier's side and the observer; outlives both.
class event_feed final : public event_sink {
 public:
  /// `time` outlives it.
  explicit event_feed(const clock& time) : time_(time) {}

  /// What a carrier reports. Does not block.
  void on_event(const runtime_event& event) override;

  /// As the verb `counters` answers it.
  value counters() const;

  // -- the observer's side
  /// From now on events go there as `event`s. By one observer after the other, never two at once.
  void attach(outlet to);
  /// One of them has been handled.
  void handled() { under_way_.fetch_sub(1, std::memory_order_relaxed); }

  /// Events that may be on their way to the observer at the same time.
  static constexpr std::int64_t most_under_way = 10'000;

 private:
  enum counter {
    started,
    ended,
    crashed,
    restarted,
    given_up,
    dead_letters,
    late_replies,
    expired,
    unseen
  };
  void count(counter c) { counters_[c].fetch_add(1, std::memory_order_relaxed); }

  const clock& time_;
  std::array<std::atomic<std::int64_t>, unseen + 1> counters_{};
  std::atomic<std::int64_t> under_way_{0};
  /// The newest is in use; earlier ones stay, since somebody may be posting through them: one for
  /// each restart of the observer. (std::atomic<std::shared_ptr> would do, but for a race inside
  /// that of GCC 12.)
  std::forward_list<outlet> outlets_;
  std::atomic<const outlet*> to_{nullptr};
};

}  // namespace troupe
