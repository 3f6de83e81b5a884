// SPDX-License-Identifier: Apache-2.0
//
// Brings runtime events, which come from any thread, to the observer, which is an agent. Counts
// all of them; keeps as many as the observer keeps up with, so that a storm of dead letters can't
// fill the memory. The observer takes them when it is asked for them, when somebody follows, or
// when some have gathered: the life of an agent is not to cost a turn of another.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <forward_list>
#include <functional>

#include "agent/carrier.hpp"
#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/value.hpp"

namespace troupe {

/// An event, and when it was.
struct noted_event {
  runtime_event event;
  wall_time at;

  /// As api.hpp describes it, but for its number.
  value to_value() const;
};

/// Thread-safe. Shared by the carrier's side and the observer; outlives both.
class event_feed final : public event_sink {
 public:
  /// `time` outlives it.
  explicit event_feed(const clock& time) : time_(time) {}
  ~event_feed() override;

  /// What a carrier reports. Does not block.
  void on_event(const runtime_event& event) override;

  /// As the verb `counters` answers it.
  value counters() const;

  /// Brings something else to the observer as an `event` of that verb, uncounted. False if nobody
  /// will see it.
  bool post(std::string_view verb, bytes body) const;

  // -- the observer's side
  /// From now on it is told there, by an `event`, when to `take`. By one observer after the other,
  /// never two at once.
  void attach(outlet to);
  /// Hands out what has gathered, oldest first, but no more than `most`; if that was not all, it
  /// tells the observer to come again.
  void take(const std::function<void(noted_event)>& f, std::int64_t most = most_waiting);
  /// Whether each event is to be told of at once.
  void follow(bool on) { is_followed_.store(on); }

  /// Events that may wait for the observer; more are counted only.
  static constexpr std::int64_t most_waiting = 10'000;
  /// As soon as so many wait, the observer is told.
  static constexpr std::int64_t few = 64;
  /// So many take 50 us.
  static constexpr std::int64_t in_a_turn = 100;

 private:
  void turn_around();

  using counter = std::atomic<std::int64_t>;
  struct record {
    noted_event noted;
    record* next = nullptr;
  };
  static void count(counter& c) { c.fetch_add(1, std::memory_order_relaxed); }

  const clock& time_;
  /// By kind of event.
  std::array<counter, static_cast<std::size_t>(runtime_event::what::progress) + 1> counters_{};
  counter crashed_{0}, unseen_{0};
  std::atomic<record*> newest_{nullptr};
  record* oldest_ = nullptr;  ///< the observer's side: what it left last time
  std::atomic<std::int64_t> waiting_{0};
  std::atomic<bool> woken_{false};
  std::atomic<bool> is_followed_{false};
  /// The newest is in use; earlier ones stay, since somebody may be posting through them: one for
  /// each restart of the observer. (std::atomic<std::shared_ptr> would do, but for a race inside
  /// that of GCC 12.)
  std::forward_list<outlet> outlets_;
  std::atomic<const outlet*> to_{nullptr};
};

}  // namespace troupe
