// SPDX-License-Identifier: Apache-2.0
//
// What a person at the terminal sees of a running node on stderr: crashes and how they were healed,
// progress, what scripts print. Not the log: that has its own sink.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "core/node_carrier.hpp"

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
  };
  console(settings with, const clock& time) : with_(with), time_(time) {}
  ~console();

  /// A whole line, as it is; on a terminal without what would steer it. Everything else that is
  /// shown stays within its line, whoever it comes from.
  void print(std::string_view line);
  /// `share` from 0 to 1.
  void progress(std::string_view agent, double share, std::string_view text);
  /// Crashes, restarts and agents that were given up; everything else is nothing to tell a person.
  void show(const runtime_event& event);

 private:
  void write_line(const std::string& line);
  void clear_progress();

  const settings with_;
  const clock& time_;
  std::mutex mutex_;
  bool has_progress_ = false;
};

/// What the log of a node goes through: what scripts print and their progress is for the person,
/// everything else for the log's own sink.
class console_sink final : public log_sink {
 public:
  /// Records of the log below `least` are left out. Both outlive it.
  console_sink(console& screen, log_sink& log, log_level least)
      : screen_(screen), log_(log), least_(least) {}
  void write(const log_record& record) override;

 private:
  console& screen_;
  log_sink& log_;
  const log_level least_;
};

/// `bad_line: line 8812 is not UTF-8 (member.lua:27)`: code, message and the place where it was
/// raised.
std::string describe_crash(const error& reason);

}  // namespace troupe
