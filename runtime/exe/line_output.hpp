// SPDX-License-Identifier: Apache-2.0
//
// Lines on their way to a descriptor. A thread of its own writes them: who reads slowly holds up
// who writes for a moment at a time, and a pipe that nobody reads, or a terminal that stands still,
// nobody.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.hpp"

namespace troupe {

/// Whose line it is. The first two have room of their own: neither costs the other a line.
enum class line_kind : std::uint8_t {
  print,     ///< what scripts print
  record,    ///< crashes and the log
  sentence,  ///< the program's own, which are few: never dropped, and without a wait
};

/// Thread-safe.
class line_output {
 public:
  /// From so many bytes of its kind on a line waits for room, up to `longest_pause`; then it is
  /// taken all the same, since so little comes of that. It waits for longer above `most_late`.
  /// Only where nothing has gone out for `longest_standstill` lines that find no room are dropped,
  /// at once. A line of any length finds room where none of its kind waits.
  static constexpr std::size_t most_waiting = 1u << 20, most_late = 8u << 20;
  static constexpr duration longest_pause = std::chrono::milliseconds(20);
  static constexpr duration longest_standstill = std::chrono::seconds(1);

  /// `dropped` makes the line that says how many found no room or could not be written; it comes in
  /// their place.
  line_output(int fd, std::function<std::string(std::uint64_t)> dropped);
  /// Waits as `drain` with a second, then leaves a thread that writes to the end of the program.
  ~line_output();
  line_output(const line_output&) = delete;
  line_output& operator=(const line_output&) = delete;

  /// A whole line, with its newline.
  void write(std::string line, line_kind kind);
  /// What stands on a terminal until the next line or drawing takes its place, such as progress.
  /// Left out where something waits.
  void draw(std::string text);
  /// Waits until all is written, or nothing has gone out for that long; true if all is.
  bool drain(duration limit);

 private:
  struct state;
  std::shared_ptr<state> state_;  ///< shared: with the thread, which may outlive this
  std::thread thread_;
};

}  // namespace troupe
