// SPDX-License-Identifier: Apache-2.0
//
// What the node writes for people while one of them types: it goes through here, so that it never
// lands in the line that is being typed.
#pragma once

#include <unistd.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>

#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "repl/line_reader.hpp"

namespace troupe::cli {

/// Thread-safe.
class asides {
 public:
  asides();
  ~asides();
  asides(const asides&) = delete;
  asides& operator=(const asides&) = delete;

  /// Where the node writes.
  int fd() const { return in_ ? in_.get() : STDERR_FILENO; }
  /// Null: straight to stderr.
  void show_with(line_reader* reader);
  /// Waits until all that was written to `fd` is shown, or nothing has been for that long.
  void drain(duration limit);

 private:
  void pass_on();
  bool is_empty() const;

  unique_fd out_, in_;
  std::mutex mutex_;  ///< held from when something is taken out until it is shown
  std::condition_variable shown_;
  std::uint64_t times_shown_ = 0;
  line_reader* reader_ = nullptr;
  std::thread thread_;
};

}  // namespace troupe::cli
