// SPDX-License-Identifier: Apache-2.0
//
// Interrupts turns that take too long, at no cost to those that don't: as in Go, one thread looks
// every few milliseconds at the threads that run turns and signals (SIGURG) the one that is still
// in the same turn. The handler asks what runs there to pause. It sleeps while no thread is in a
// turn. What can't pause, and does not come back either, it names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"

namespace troupe {

/// Something that computes on this thread and can be asked to pause: a running Lua thread.
class interruptible {
 public:
  virtual ~interruptible() = default;
  /// Called in a signal handler, on the thread that runs it: async-signal-safe, takes no lock.
  virtual void interrupt() noexcept = 0;
};

/// What runs on this thread now, or null: around foreign code and between turns it is null.
void set_running(interruptible* what) noexcept;
interruptible* running() noexcept;

/// What foreign code this thread is in, for people: `plugin clock: ticker: receive`; null if it is
/// in none. Returns what it was. The text must live until the next call.
const std::string* set_foreign(const std::string* name) noexcept;

/// A turn that does not end.
struct late_turn {
  std::uint64_t who = 0;  ///< as `begin_turn` was told
  duration so_far{};
  std::string in;  ///< the foreign code that it is in, or empty
};

class watchdog {
 public:
  /// Turns longer than `slice`, or two, are interrupted, and again every `slice` after that. Of one
  /// that is still the same after `patience`, `on_late` hears, once, on a thread of the watchdog's
  /// own.
  explicit watchdog(duration slice = std::chrono::milliseconds(1), duration patience = {},
                    std::function<void(const late_turn&)> on_late = nullptr);
  ~watchdog();
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

  /// Brackets a turn on the calling thread. A few nanoseconds each; the first one registers the
  /// thread. A hurried turn is interrupted after a slice at most, others after two.
  void begin_turn(std::uint64_t who = 0, bool hurried = false) noexcept;
  void end_turn() noexcept;

  /// Turns that `on_late` has heard of, or is about to, and that have not ended.
  std::size_t late_turns() const noexcept;

 private:
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe
