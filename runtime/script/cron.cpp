// SPDX-License-Identifier: Apache-2.0
#include "script/cron.hpp"

#include <charconv>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

namespace troupe::script {

namespace {

constexpr std::int64_t day_length = 24 * 60;  // minutes
/// The 29th of February on a given weekday comes every 28 years, and every 40 at worst.
constexpr std::int64_t longest_wait = 41 * 366;

constexpr std::string_view month_names[] = {"jan", "feb", "mar", "apr", "may", "jun",
                                            "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view day_names[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct field {
  const char* name;
  int first, last;
  const std::string_view* names = nullptr;
  int count = 0;
};

error wrong(std::string_view line, const std::string& why) {
  return {errc::bad_argument, "cron \"" + std::string(line.substr(0, 100)) + "\": " + why};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(at);
    if (end != 0 || at != ' ') parts.push_back(text.substr(0, end));  // several spaces are one
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return parts;
}

bool read_number(std::string_view text, int& to) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), to);
  return failed == std::errc() && end == text.data() + text.size();
}

bool read_value(const field& f, std::string_view text, int& to) {
  for (int i = 0; i < f.count; ++i) {
    if (f.names[i] != text) continue;
    to = i + f.first;
    return true;
  }
  return read_number(text, to) && to >= f.first && to <= f.last;
}

/// `*`, `5`, `1-5`, `*/15`, `10-20/2`, with commas between. False if it is none of these.
bool read_field(const field& f, std::string_view text, std::uint64_t& to) {
  for (const auto part : split(text, ',')) {
    const auto slash = part.find('/');
    int step = 1;
    if (slash != part.npos && (!read_number(part.substr(slash + 1), step) || step < 1))
      return false;
    const auto range = part.substr(0, slash);
    int from = f.first, until = f.last;
    if (range != "*") {
      const auto dash = range.find('-');
      if (!read_value(f, range.substr(0, dash), from)) return false;
      until = slash != part.npos ? f.last : from;
      if (dash != range.npos && !read_value(f, range.substr(dash + 1), until)) return false;
    }
    if (from > until) return false;
    for (int i = from; i <= until; i += step)
      to |= std::uint64_t{1} << i;
  }
  return true;
}

}  // namespace

result<cron> cron::parse(std::string_view line, std::string_view zone) {
  constexpr struct {
    std::string_view name, means;
  } short_forms[] = {{"@hourly", "0 * * * *"},
                     {"@daily", "0 0 * * *"},
                     {"@weekly", "0 0 * * 0"},
                     {"@monthly", "0 0 1 * *"},
                     {"@yearly", "0 0 1 1 *"}};
  auto text = line;
  for (const auto& form : short_forms)
    if (line == form.name) text = form.means;
  const field fields[] = {{"minute", 0, 59},
                          {"hour", 0, 23},
                          {"day", 1, 31},
                          {"month", 1, 12, month_names, 12},
                          {"weekday", 0, 7, day_names, 7}};
  const auto parts = split(text, ' ');
  if (parts.size() != 5)
    return wrong(line, "expected five fields: minute, hour, day, month, weekday");
  cron c;
  std::uint64_t* const masks[] = {&c.minutes_, &c.hours_, &c.days_, &c.months_, &c.weekdays_};
  for (std::size_t i = 0; i < 5; ++i)
    if (!read_field(fields[i], parts[i], *masks[i]))
      return wrong(line, std::string(fields[i].name) + ": " + std::string(parts[i].substr(0, 40)) +
                             " is not within " + std::to_string(fields[i].first) + " to " +
                             std::to_string(fields[i].last));
  if ((c.weekdays_ >> 7 & 1) != 0) c.weekdays_ |= 1;  // 7 is Sunday as well
  c.any_day_ = parts[2].starts_with('*');
  c.any_weekday_ = parts[4].starts_with('*');
  auto found = time_zone::find(zone);
  if (!found) return wrong(line, "zone: " + found.error().message);
  c.zone_ = std::move(*found);
  if (c.after(wall_time()) == wall_time::max()) return wrong(line, "there is no such day");
  return c;
}

bool cron::fits(std::int64_t day) const {
  using namespace std::chrono;
  const sys_days date{days{day}};
  const year_month_day parts{date};
  if ((months_ >> static_cast<unsigned>(parts.month()) & 1) == 0) return false;
  const bool day_fits = (days_ >> static_cast<unsigned>(parts.day()) & 1) != 0;
  const bool weekday_fits = (weekdays_ >> weekday(date).c_encoding() & 1) != 0;
  return any_day_ || any_weekday_ ? day_fits && weekday_fits : day_fits || weekday_fits;
}

wall_time cron::after(wall_time t) const {
  using namespace std::chrono;
  const auto first = floor<minutes>(zone_.local(t).time_since_epoch()) + minutes(1);
  const auto today = floor<days>(first).count();
  for (auto day = today; day < today + longest_wait; ++day) {
    if (!fits(day)) continue;
    const auto begin = day == today ? (first - days(day)).count() : 0;
    for (auto m = begin; m < day_length; ++m) {
      if ((hours_ >> (m / 60) & 1) == 0 || (minutes_ >> (m % 60) & 1) == 0) continue;
      const auto at = zone_.when(local_seconds(days(day) + minutes(m)));
      if (at > t) return at;  // else clocks show it again
    }
  }
  return wall_time::max();
}

}  // namespace troupe::script
