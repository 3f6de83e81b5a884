// SPDX-License-Identifier: Apache-2.0
//
// SIGINT, SIGTERM and SIGHUP as something that can be waited for together with other ends. Set up
// before any other thread exists, so that all of them have the signals blocked.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/clock.hpp"

namespace troupe::cli {

/// Thread-safe.
class interrupts {
 public:
  interrupts();
  ~interrupts();
  interrupts(const interrupts&) = delete;
  interrupts& operator=(const interrupts&) = delete;

  /// Ends `wait` for a reason of the program's own.
  void notify();
  /// Waits for a signal or for notify; the signal's number, or nothing. Nothing at `limit` as well.
  std::optional<int> wait(duration limit = duration::max());
  /// The signal that came, if any; of several, one that is not SIGINT.
  std::optional<int> came() const;
  /// Readable from the time a signal comes until it is forgotten.
  int descriptor() const { return event_; }
  /// As if none had come: it has been dealt with.
  void forget();
  /// From now on a further signal ends the process at once.
  void arm();

 private:
  void run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool notified_ = false;
  bool armed_ = false;
  bool over_ = false;
  std::optional<int> signal_;
  const int event_;
  std::thread thread_;
};

}  // namespace troupe::cli
