// SPDX-License-Identifier: Apache-2.0
//
// What a person at the terminal sees of a running node on stderr: crashes and how they were healed,
// progress, what scripts print, the log. Who says something waits for who reads it as `line_output`
// says.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "core/node_carrier.hpp"
#include "exe/line_output.hpp"

namespace troupe {

/// Thread-safe.
class console {
 public:
  struct settings {
    int fd = 2;
    /// Each line a JSON object instead of text.
    bool json = false;
    /// Progress is drawn in place; otherwise it is left out.
    bool is_terminal = false;
    /// Below a crash stands how the script got there, where that is more than the crash says and
    /// not the same as the time before.
    bool has_tracebacks = false;
  };
  console(settings with, const clock& time);

  /// Lines of the program itself, as they are; the newline at their end is added. Without a wait.
  void say(std::string lines);
  /// A record of the log: text on a terminal, otherwise JSON.
  void log(log_record record);
  /// What a script prints: a whole line, as it is; on a terminal without what would steer it.
  /// Everything else that is shown stays within its line, whoever it comes from.
  void print(std::string_view line);
  /// `share` from 0 to 1.
  void progress(std::string_view agent, double share, std::string_view text);
  /// Crashes, restarts and agents that were given up; everything else is nothing to tell a person.
  void show(const runtime_event& event);
  /// Waits until all of it is written, or nothing has gone out for that long.
  void drain(duration limit) { out_.drain(limit); }

 private:
  void write(std::string lines, line_kind kind);
  std::string lines_below(const error& reason);

  const settings with_;
  const clock& time_;
  std::mutex mutex_;  ///< guards the next one
  std::string last_traceback_;
  line_output out_;
};

/// What the log of a node goes through: what scripts print, their progress, and records.
class console_sink final : public log_sink {
 public:
  /// Records of the log below `least` are left out. The console outlives it.
  console_sink(console& screen, log_level least) : screen_(screen), least_(least) {}
  void write(const log_record& record) override;

 private:
  console& screen_;
  const log_level least_;
};

/// `bad_line: line 8812 is not UTF-8 (member.lua:27)`: code, message and the place where it was
/// raised.
std::string describe_crash(const error& reason);

}  // namespace troupe
