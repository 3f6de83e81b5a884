// SPDX-License-Identifier: Apache-2.0
#include "exe/console.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <ctime>
#include <utility>

#include "base/json.hpp"
#include "base/log_lines.hpp"
#include "base/screen_text.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

/// Of the text of a progress, in bytes; it shares its line with the agent's path.
constexpr std::size_t longest_progress = 60;

std::string time_of_day(wall_time at) {
  const auto seconds = std::chrono::system_clock::to_time_t(at);
  tm parts{};
  localtime_r(&seconds, &parts);
  char text[16];
  std::strftime(text, sizeof text, "%H:%M:%S", &parts);
  return text;
}

std::string milliseconds(double ms) {
  char text[32];
  std::snprintf(text, sizeof text, ms < 10 ? "%.1f ms" : "%.0f ms", ms);
  return text;
}

/// `member.lua:27` out of the first line of a traceback that names a script's own line.
std::string place_of(const error& reason) {
  const auto& text = reason.traceback;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.front())))
      line.remove_prefix(1);
    const auto lua = line.find(".lua:");
    if (lua == std::string_view::npos) continue;
    auto stop = lua + 5;
    while (stop < line.size() && std::isdigit(static_cast<unsigned char>(line[stop])))
      ++stop;
    if (stop > lua + 5) return std::string(line.substr(0, stop));
  }
  return {};
}

}  // namespace

void console_sink::write(const log_record& record) {
  const auto field = [&](const char* name) -> const value* {
    for (const auto& [key, v] : record.fields)
      if (key.as_string() == name) return &v;
    return nullptr;
  };
  if (field("print") != nullptr) return screen_.print(record.message);
  if (const auto* share = field("progress")) {
    const auto* text = field("text");
    return screen_.progress(record.component, share->as_double(),
                            text != nullptr ? text->as_string() : std::string_view());
  }
  if (record.level >= least_) screen_.log(record);
}

std::string describe_crash(const error& reason) {
  const auto place = place_of(reason);
  // What was raised says more than that it was.
  if (reason.is(errc::crash) && reason.cause && reason.message.starts_with("raised at"))
    return reason.cause->code + ": " + reason.cause->message +
           (place.empty() ? "" : " (" + place + ")");
  std::string text = reason.code == "crash" ? "" : reason.code + ": ";
  // A plain raise names its place itself.
  const bool says_it = !place.empty() && reason.message.find(place) != std::string::npos;
  text += reason.message.substr(0, reason.message.find('\n'));
  if (!place.empty() && !says_it) text += " (" + place + ")";
  return text;
}

console::console(settings with, const clock& time)
    : with_(with), time_(time), out_(with.fd, [with](std::uint64_t n) {
        if (with.json) return "{\"dropped\":" + std::to_string(n) + "}\n";
        return "troupe: " + std::to_string(n) + (n == 1 ? " line was" : " lines were") +
               " dropped here: they found no room\n";
      }) {}

void console::say(std::string lines) {
  write(std::move(lines), line_kind::sentence);
}

void console::write(std::string lines, line_kind kind) {
  out_.write(std::move(lines) + '\n', kind);
}

void console::log(log_record record) {
  if (!with_.is_terminal || with_.json) return write(json_line(record), line_kind::record);
  // It stands below the crash.
  std::erase_if(record.fields, [](const auto& f) { return f.first.as_string() == "traceback"; });
  write(text_line(record), line_kind::record);
}

void console::print(std::string_view line) {
  if (!with_.json)
    return write(with_.is_terminal ? within_lines(line) : std::string(line), line_kind::print);
  auto text = to_json(value::map{{"print", std::string(line)}});
  write(text ? *text : std::string("{\"print\":\"(not UTF-8)\"}"), line_kind::print);
}

void console::progress(std::string_view agent, double share, std::string_view text) {
  if (!with_.is_terminal || with_.json) return;
  char head[16];
  std::snprintf(head, sizeof head, "%3.0f %% ", share * 100);
  const auto said = within_line(text);
  out_.draw(head + within_line(agent) + ": " + std::string(utf8_prefix(said, longest_progress)));
}

/// `\n  crash.lua:3: in upvalue 'inner'` and so on.
std::string console::lines_below(const error& reason) {
  std::string_view rest = reason.traceback;
  std::string lines;
  std::size_t of_scripts = 0;
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line == "[C]: in ?") continue;  // where every traceback ends
    lines += "\n  " + within_line(line);
    of_scripts += line.find(".lua:") != line.npos ? 1 : 0;
  }
  const std::lock_guard lock(mutex_);
  // A single place is told with the crash itself.
  if (of_scripts < 2 || last_traceback_ == lines) return {};
  last_traceback_ = lines;
  return lines;
}

void console::show(const runtime_event& event) {
  // A crash that is healed is told when it is healed: one line for both.
  const bool is_healed = event.what == runtime_event::what::restarted;
  if (!is_healed && event.what != runtime_event::what::given_up) return;
  if (with_.json) {
    value line;
    line.set("event", is_healed ? "restarted" : "given_up");
    line.set("agent", event.path).set("reason", to_value(event.reason));
    if (is_healed) line.set("restart", event.data);
    auto text = to_json(line);
    if (text) write(std::move(*text), line_kind::record);
    return;
  }
  std::string line = time_of_day(time_.wall()) + " " +
                     within_line(event.path + " crashed: " + describe_crash(event.reason));
  if (is_healed)
    line += "; restarted in " + milliseconds(event.data["ms"].as_double()) + ", " +
            std::to_string(event.data["count"].as_int()) + " of " +
            std::to_string(event.data["intensity"].as_int());
  else
    line += "; not started again";
  if (with_.has_tracebacks) line += lines_below(event.reason);
  write(std::move(line), line_kind::record);
}

}  // namespace troupe
