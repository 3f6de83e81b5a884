// SPDX-License-Identifier: Apache-2.0
//
// Structured log: a fixed sentence plus fields. Text on a terminal, JSON lines otherwise, or any
// other sink. It is for operators; what agents report to users goes through the observer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "base/value.hpp"

namespace troupe {

enum class log_level : std::uint8_t { debug, info, warning, error };
std::string_view to_string(log_level level);

struct log_record {
  log_level level = log_level::info;
  wall_time at;
  std::string component;  ///< the folder it comes from, or an agent's path
  std::string message;    ///< a fixed sentence
  value::map fields;      ///< what varies
};

/// Where records go. `write` may be called from any thread at once.
class log_sink {
 public:
  virtual ~log_sink() = default;
  virtual void write(const log_record& record) = 0;
};

/// One line a record on a file descriptor that they do not own: text for people, in local time
/// (`09:14:02 warning worker: worker ended signal=SIGKILL`), or a JSON object
/// (`{"at":"2026-01-31T08:14:02.123Z","level":"warning","component":"worker","message":"worker
/// ended","fields":{"signal":"SIGKILL"}}`).
///
/// Every record is one whole line of UTF-8: line breaks, control characters and bytes that are no
/// text are escaped, whoever they come from. A record that can't be written (a full disk, a reader
/// that is gone or has not read for a second) is dropped; the next one that can be says how many
/// were. Who writes to a pipe ignores SIGPIPE.
std::unique_ptr<log_sink> text_sink(int fd);
std::unique_ptr<log_sink> json_sink(int fd);

/// Hands records of at least `level` to a sink. Thread-safe; must outlive its users.
class logger {
 public:
  logger(log_sink& sink, const clock& time, log_level level = log_level::info)
      : sink_(sink), time_(time), level_(level) {}

  bool enabled(log_level level) const { return level >= level_; }
  void write(log_level level, std::string_view component, std::string_view message,
             value::map fields = {});

 private:
  log_sink& sink_;
  const clock& time_;
  log_level level_;
};

}  // namespace troupe
