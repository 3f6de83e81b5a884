// SPDX-License-Identifier: Apache-2.0
#include "base/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <mutex>

#include "base/id.hpp"
#include "base/json.hpp"
#include "base/log_lines.hpp"
#include "base/map_keys.hpp"
#include "base/screen_text.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

/// Deeper data is of no use in a line, and a log never fails.
constexpr std::size_t max_depth = 10;

std::string as_text(std::string_view data) {
  return is_utf8(data) ? std::string(data) : "0x" + to_hex(data);
}

/// The same data, as far as JSON can hold it; what it can't is put into words.
value for_json(const value& v, std::size_t depth = max_depth) {
  if (const auto* x = v.get_if<double>(); x != nullptr && !std::isfinite(*x))
    return std::isnan(*x) ? "NaN" : *x > 0 ? "infinity" : "-infinity";
  if (v.is_string() || v.is_binary()) return as_text(v.as_string());
  if (const auto* x = v.get_if<value::extension>())
    return to_json(v) ? v : value("0x" + to_hex(x->bytes));
  if (!v.is_array() && !v.is_map()) return v;
  if (depth == 0) return "...";
  if (v.is_array()) {
    value::array list;
    for (const auto& element : v.as_array())
      list.push_back(for_json(element, depth - 1));
    return list;
  }
  value::map map;
  for (const auto& [key, member] : v.as_map()) {
    const bool is_text = key.is_string() || key.is_binary();
    auto name =
        is_text ? result<std::string>(as_text(key.as_string())) : to_json(for_json(key, depth - 1));
    map.emplace_back(name ? std::move(*name) : std::string(key.type_name()),
                     for_json(member, depth - 1));
  }
  drop_repeated_keys(map);
  return map;
}

/// JSON that always succeeds.
std::string line_of(const value& v) {
  auto text = to_json(for_json(v));
  return text ? *text : text.error().describe();
}

std::string field_text(const value& v) {
  if (v.is_string() || v.is_binary()) {
    const auto text = as_text(v.as_string());
    const bool simple = !text.empty() && std::none_of(text.begin(), text.end(), [](char c) {
      return static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '=' || c == '\\';
    });
    if (simple) return within_line(text);
  }
  return within_line(line_of(v));
}

}  // namespace

std::string text_line(const log_record& r) {
  const auto at = std::chrono::system_clock::to_time_t(r.at);
  std::tm local{};
  ::localtime_r(&at, &local);
  char time[16];
  std::strftime(time, sizeof(time), "%H:%M:%S", &local);
  std::string line = time;
  line += ' ';
  line += to_string(r.level);
  line += ' ';
  line += within_line(r.component) + ": " + within_line(r.message);
  for (const auto& [key, field] : r.fields)
    line += " " + field_text(key) + "=" + field_text(field);
  return line;
}

std::string json_line(const log_record& r) {
  const auto at = std::chrono::floor<std::chrono::milliseconds>(r.at);
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  const auto seconds = std::chrono::system_clock::to_time_t(second);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  char date[24], text[32];
  std::strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
  std::snprintf(text, sizeof(text), "%s.%03dZ", date, static_cast<int>((at - second).count()));
  value record;
  record.set("at", text)
      .set("level", to_string(r.level))
      .set("component", r.component)
      .set("message", r.message);
  if (!r.fields.empty()) record.set("fields", r.fields);
  return line_of(record);
}

namespace {

class fd_sink final : public log_sink {
 public:
  using format = std::string (*)(const log_record&);
  fd_sink(int fd, format f) : fd_(fd), format_(f) {}

  void write(const log_record& record) override {
    auto line = format_(record) + "\n";
    std::lock_guard lock(mutex_);
    if (lost_ > 0) {
      const log_record note{.level = log_level::warning,
                            .at = record.at,
                            .component = "log",
                            .message = "records could not be written",
                            .fields = {{"count", lost_}}};
      line = format_(note) + "\n" + line;
    }
    if (in_line_) line = "\n" + line;
    if (put(line))
      lost_ = 0;
    else
      ++lost_;
  }

 private:
  bool put(std::string_view line) {
    while (!line.empty()) {
      const auto n = ::write(fd_, line.data(), line.size());
      if (n >= 0) {
        line.remove_prefix(static_cast<std::size_t>(n));
        in_line_ = !line.empty();
      } else if (errno == EAGAIN) {
        pollfd writable{fd_, POLLOUT, 0};
        // Who did not read for a second keeps the node waiting only once.
        if (::poll(&writable, 1, lost_ == 0 ? 1'000 : 0) == 0) return false;
      } else if (errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  const int fd_;
  const format format_;
  std::mutex mutex_;
  std::uint64_t lost_ = 0;
  bool in_line_ = false;  ///< the last write broke off in the middle of a line
};

}  // namespace

std::string_view to_string(log_level level) {
  constexpr std::string_view names[] = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

std::unique_ptr<log_sink> text_sink(int fd) {
  return std::make_unique<fd_sink>(fd, text_line);
}

std::unique_ptr<log_sink> json_sink(int fd) {
  return std::make_unique<fd_sink>(fd, json_line);
}

void logger::write(log_level level, std::string_view component, std::string_view message,
                   value::map fields) {
  if (!enabled(level)) return;
  sink_.write(
      {level, time_.wall(), std::string(component), std::string(message), std::move(fields)});
}

}  // namespace troupe
