// SPDX-License-Identifier: Apache-2.0
//
// Time, as it is handed in: nothing in Troupe asks the system for it directly, so that tests and
// the simulation can move it.
#pragma once

#include <chrono>

namespace troupe {

using duration = std::chrono::nanoseconds;
/// Monotonic; what deadlines and timers are made of.
using instant = std::chrono::steady_clock::time_point;
/// What calendars show; only for people and for cron.
using wall_time = std::chrono::system_clock::time_point;

/// "never", for deadlines that are not there.
inline constexpr instant never = instant::max();

/// `t + d`, or never where that would overflow. Any `d` below zero counts as zero.
constexpr instant add(instant t, duration d) {
  if (d <= duration::zero()) return t;
  return t > never - d ? never : t + d;
}

/// Seconds from a script or an option as a duration. NaN and below zero: zero; huge: the largest.
constexpr duration seconds(double s) {
  if (!(s > 0)) return duration::zero();
  if (s >= 9e9) return duration::max();
  return duration(static_cast<std::int64_t>(s * 1e9));
}
constexpr double to_seconds(duration d) {
  return static_cast<double>(d.count()) / 1e9;
}

class clock {
 public:
  virtual ~clock() = default;
  virtual instant now() const = 0;
  virtual wall_time wall() const = 0;
};

/// The system's own clocks. Thread-safe.
class system_clock final : public clock {
 public:
  instant now() const override { return std::chrono::steady_clock::now(); }
  wall_time wall() const override { return std::chrono::system_clock::now(); }
};

}  // namespace troupe
