// SPDX-License-Identifier: Apache-2.0
//
// The one thread that wakes agents at their times. It sleeps until the next wish is due, and for
// good when there is none.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "core/timer_wheel.hpp"

namespace troupe::core {

/// All functions may be called from any thread.
class alarm {
 public:
  /// `ring` is called on the alarm's thread with the owner of each entry that is due; never before
  /// its time, and about half a millisecond after it at most while the machine keeps up. `now` goes
  /// at the pace of real time; it is asked on the thread that calls and on the alarm's.
  alarm(std::function<instant()> now, std::function<void(std::uint32_t)> ring);
  ~alarm();
  alarm(const alarm&) = delete;
  alarm& operator=(const alarm&) = delete;

  /// Replaces what was wished for this entry before. `never` takes it back.
  void set(wheel_entry& e, instant at);
  void cancel(wheel_entry& e);

 private:
  std::uint64_t tick_after(instant t) const;
  std::uint64_t tick_before(instant t) const;
  void run();

  const std::function<instant()> now_;
  const std::function<void(std::uint32_t)> ring_;
  const instant began_;
  std::mutex mutex_;
  std::condition_variable wake_;
  timer_wheel wheel_;
  std::uint64_t sleeps_until_ = 0;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace troupe::core
