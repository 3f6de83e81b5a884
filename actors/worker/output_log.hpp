// SPDX-License-Identifier: Apache-2.0
//
// What a worker prints, line by line for the log: bounded in length and rate, with nothing in it
// that a terminal would obey.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.hpp"

namespace troupe {

struct output_limits {
  std::size_t line = 4096;             ///< bytes; what is longer is cut
  std::size_t burst = 256u << 10;      ///< bytes that may come at once
  std::size_t per_second = 64u << 10;  ///< bytes, over time; what is above is counted and dropped
  std::size_t tail = 2048;             ///< last bytes that are kept to explain an end
};

/// Used in the turns of one agent.
class output_log {
 public:
  using line_function = std::function<void(std::string_view line)>;

  explicit output_log(const output_limits& limits = {}) : limits_(limits), allowed_(limits.burst) {}

  /// Calls `write` for each line that is complete and within the limits.
  void feed(std::string_view data, instant now, const line_function& write);
  /// The last line, if it has no end.
  void finish(instant now, const line_function& write);
  /// Bytes that were dropped since this was asked last.
  std::size_t take_dropped();
  /// The last lines, as they were logged or would have been.
  const std::string& tail() const { return tail_; }

 private:
  void end_line(const line_function& write);

  output_limits limits_;
  std::string line_;
  std::size_t cut_ = 0;  ///< bytes of the line that are not in line_
  std::string tail_;
  std::size_t allowed_;
  std::size_t dropped_ = 0;
  instant counted_{};
};

/// `text` without control characters and bytes that are no UTF-8: these become \xNN, a tab stays.
std::string printable(std::string_view text);

}  // namespace troupe
