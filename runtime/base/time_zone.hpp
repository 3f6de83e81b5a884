// SPDX-License-Identifier: Apache-2.0
//
// What clocks on the wall show in some place, and when they do: UTC, a fixed difference from it, or
// a zone of the IANA database with its changes to and from summer time.
#pragma once

#include <chrono>
#include <memory>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"

namespace troupe {

/// Thread-safe.
class time_zone {
 public:
  /// UTC.
  time_zone();

  /// `UTC`, `+02:00` or `Europe/Berlin`. Zones are read from TZDIR, or else /usr/share/zoneinfo,
  /// when they are first asked for, and kept while the program runs. Fails with bad_argument.
  static result<time_zone> find(std::string_view name);

  std::chrono::local_seconds local(wall_time t) const;
  /// When clocks show `t`: the first time if they do so twice; the moment of the change if they go
  /// past it.
  wall_time when(std::chrono::local_seconds t) const;

 private:
  struct rules;
  explicit time_zone(std::shared_ptr<const rules> r);

  /// Shared because timers copy their zone; null: UTC.
  std::shared_ptr<const rules> rules_;
};

}  // namespace troupe
