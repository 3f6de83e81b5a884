// SPDX-License-Identifier: Apache-2.0
#include "base/time_zone.hpp"

#include <absl/time/civil_time.h>
#include <absl/time/time.h>

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace troupe {

struct time_zone::rules {
  absl::TimeZone zone;
};

namespace {

using namespace std::chrono;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// `+02:00`, in seconds.
std::optional<int> read_difference(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return {};
  for (const auto at : {1, 2, 4, 5})
    if (!is_digit(text[static_cast<std::size_t>(at)])) return {};
  const int hours = (text[1] - '0') * 10 + (text[2] - '0');
  const int minutes = (text[4] - '0') * 10 + (text[5] - '0');
  if (hours > 14 || minutes > 59) return {};
  return (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
}

/// One way to write each file of the database, and none that leads out of it: what was looked up is
/// kept, and names come from scripts.
bool is_name(std::string_view text) {
  bool begins_part = true;
  for (const char c : text) {
    if (c == '/' && begins_part) return false;
    begins_part = c == '/';
    const bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!is_letter && !is_digit(c) && c != '/' && c != '_' && c != '-' && c != '+') return false;
  }
  return !begins_part && text.size() <= 100;
}

}  // namespace

time_zone::time_zone() = default;
time_zone::time_zone(std::shared_ptr<const rules> r) : rules_(std::move(r)) {}

result<time_zone> time_zone::find(std::string_view name) {
  if (name == "UTC" || name == "Z") return time_zone();
  if (const auto difference = read_difference(name))
    return time_zone(std::make_shared<const rules>(rules{absl::FixedTimeZone(*difference)}));
  if (!is_name(name))
    return {errc::bad_argument,
            "expected UTC, a difference such as +02:00 or a zone such as Europe/Berlin, got " +
                std::string(name.substr(0, 40))};
  const char* const given = std::getenv("TZDIR");  // where the library looks as well
  const std::string folder = given != nullptr && *given != 0 ? given : "/usr/share/zoneinfo";
  const auto file = std::filesystem::path(folder) / name;
  std::error_code failed;
  if (!std::filesystem::is_directory(folder, failed))
    return {errc::bad_argument, std::string(name) + " is not known: this machine has no " + folder +
                                    " (package tzdata)"};
  absl::TimeZone zone;
  if (!std::filesystem::is_regular_file(file, failed) ||
      !absl::LoadTimeZone(std::string(name), &zone))
    return {errc::bad_argument, "there is no " + std::string(name) + " in " + folder};
  return time_zone(std::make_shared<const rules>(rules{zone}));
}

local_seconds time_zone::local(wall_time t) const {
  const auto at = floor<std::chrono::seconds>(t.time_since_epoch());
  if (!rules_) return local_seconds(at);
  const auto shown = rules_->zone.At(absl::FromUnixSeconds(at.count())).cs;
  return local_seconds(std::chrono::seconds(shown - absl::CivilSecond(1970)));
}

wall_time time_zone::when(local_seconds t) const {
  if (!rules_) return wall_time(t.time_since_epoch());
  const auto found = rules_->zone.At(absl::CivilSecond(1970) + t.time_since_epoch().count());
  const auto at = found.kind == absl::TimeZone::TimeInfo::SKIPPED ? found.trans : found.pre;
  return wall_time(std::chrono::seconds(absl::ToUnixSeconds(at)));
}

}  // namespace troupe
