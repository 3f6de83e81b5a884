// SPDX-License-Identifier: Apache-2.0
//
// Structured log: a fixed sentence plus fields. Text on a terminal, JSON lines otherwise, or any
// other sink. It is for operators; what agents report to users goes through the observer.
#pragma once

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

/// One line a record on a file descriptor that it does not own: text for people
/// (`09:14:02 warning worker: worker ended signal=SIGKILL`), or a JSON object.
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
