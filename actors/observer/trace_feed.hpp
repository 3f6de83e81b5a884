// SPDX-License-Identifier: Apache-2.0
//
// Brings the messages that somebody traces to the observer. Each trace takes so many and no more,
// so many a second, and so many under way at once: however busy who is traced, neither its turns
// nor the observer's queue grow with it.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "actors/observer/event_feed.hpp"
#include "agent/tracer.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"

namespace troupe {

struct trace_limits {
  std::int64_t count = 100;  ///< messages
  std::int64_t rate = 1000;  ///< messages a second; what is above it is counted
  std::size_t body = 1024;   ///< bytes; arguments of larger ones are left out
};

/// Thread-safe. Shared by the carrier's side and the observer; outlives both.
class trace_feed final : public tracer {
 public:
  static constexpr std::size_t most_traces = 16;
  /// Messages of one trace on their way to the observer.
  static constexpr std::int64_t most_under_way = 256;

  /// `to` is shared with the carrier's side; `time` outlives it.
  trace_feed(std::shared_ptr<event_feed> to, const clock& time) : to_(std::move(to)), time_(time) {}

  // -- the observer's side: one agent at a time
  /// From now on messages of agents whose path `glob` matches go to the observer as events
  /// `traced`: {trace, ...} as api.hpp says. Not those of the observer itself and of `reader`.
  /// Fails with overloaded. The number of the trace, never used again.
  result<std::uint64_t> open(std::string glob, const address& reader, const trace_limits& limits);
  void close(std::uint64_t trace);
  /// One of them has been handled.
  void handled(std::uint64_t trace);
  /// How many were seen and left out, by rate or because too many were under way.
  std::int64_t left_out(std::uint64_t trace) const;
  /// All that an earlier observer had open is over.
  void close_all();

  // -- tracer
  std::uint32_t wanted(std::string_view path) const override;
  void on_message(std::uint32_t traces, const traced_message& m) override;

 private:
  struct slot {
    std::atomic<std::uint64_t> trace{0};          ///< 0: closed
    mutable std::atomic<std::uint32_t> users{0};  ///< threads that read what is below
    std::string glob;
    address reader;
    trace_limits limits;
    std::atomic<std::int64_t> taken{0}, under_way{0}, left_out{0};
    std::atomic<std::int64_t> second{0}, in_second{0};
  };
  /// Keeps an open slot from being used again for a while; its trace is 0 if it is closed.
  class use;
  slot* find(std::uint64_t trace);
  bool take(slot& s);
  result<bytes> packed(std::uint64_t trace, const slot& s, const traced_message& m) const;

  const std::shared_ptr<event_feed> to_;
  const clock& time_;
  std::array<slot, most_traces> slots_;
  std::uint64_t last_ = 0;
};

}  // namespace troupe
