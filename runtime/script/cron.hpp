// SPDX-License-Identifier: Apache-2.0
//
// When a line of a crontab comes true: `30 6 * * mon-fri`. Five fields (minute, hour, day of the
// month, month, day of the week), each `*`, numbers, ranges, steps and lists of these; names for
// months and weekdays; @hourly, @daily, @weekly, @monthly, @yearly. As in crontab(5), a day has to
// fit only one of the two day fields where both say something.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/time_zone.hpp"

namespace troupe::script {

class cron {
 public:
  /// For `zone` see time_zone::find. Fails with bad_argument, naming the field; so does a line that
  /// never comes true, such as the 30th of February.
  static result<cron> parse(std::string_view line, std::string_view zone);

  /// The first minute that fits, later than `t`. What clocks show twice counts the first time; what
  /// they go past comes at the moment of the change, once.
  wall_time after(wall_time t) const;

 private:
  bool fits(std::int64_t day) const;

  std::uint64_t minutes_ = 0, hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;
  bool any_day_ = false, any_weekday_ = false;
  time_zone zone_;
};

}  // namespace troupe::script
