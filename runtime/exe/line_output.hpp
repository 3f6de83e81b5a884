// SPDX-License-Identifier: Apache-2.0
//
// Lines on their way to a descriptor. A thread of its own writes them: a pipe that nobody reads, or
// a terminal that stands still, holds up nobody who has something to say.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.hpp"

namespace troupe {

/// Thread-safe. Nothing but `drain` and the destructor waits.
class line_output {
 public:
  /// So many bytes may wait; above that lines are dropped.
  static constexpr std::size_t most_waiting = 1u << 20;

  /// `dropped` makes the line that says how many were dropped; it comes in their place.
  line_output(int fd, std::function<std::string(std::uint64_t)> dropped);
  /// Waits as `drain` with a second, then leaves a thread that writes to the end of the program.
  ~line_output();
  line_output(const line_output&) = delete;
  line_output& operator=(const line_output&) = delete;

  /// A whole line, with its newline.
  void write(std::string line);
  /// What may as well be left out, such as progress: only if nothing waits.
  void write_if_idle(std::string text);
  /// Waits until all is written, or nothing has gone out for that long; true if all is.
  bool drain(duration limit);

 private:
  struct state;
  std::shared_ptr<state> state_;  ///< shared: with the thread, which may outlive this
  std::thread thread_;
};

}  // namespace troupe
