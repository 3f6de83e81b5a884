// SPDX-License-Identifier: Apache-2.0
//
// What the node writes for people while one of them types: it goes through here, so that it never
// lands in the line that is being typed.
#pragma once

#include <unistd.h>

#include <mutex>
#include <thread>

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

 private:
  void pass_on();

  unique_fd out_, in_;
  std::mutex mutex_;
  line_reader* reader_ = nullptr;
  std::thread thread_;
};

}  // namespace troupe::cli
