// SPDX-License-Identifier: Apache-2.0
#include "script/cron.hpp"

#include <chrono>

#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

using namespace std::chrono;
using namespace std::chrono_literals;

wall_time at(int y, unsigned m, unsigned d, int hour = 0, int minute = 0, int second = 0) {
  return sys_days{year{y} / m / d} + hours{hour} + minutes{minute} + std::chrono::seconds{second};
}

wall_time next(std::string_view line, wall_time t, std::string_view zone = "UTC") {
  auto c = cron::parse(line, zone);
  EXPECT_TRUE(c) << c.error().describe();
  return c ? c->after(t) : wall_time();
}

std::string refusal(std::string_view line, std::string_view zone = "UTC") {
  auto c = cron::parse(line, zone);
  return c ? "accepted" : c.error().describe();
}

TEST(cron, comes_true_at_the_next_minute_that_fits) {
  EXPECT_EQ(next("* * * * *", at(2026, 11, 20, 9, 14, 2)), at(2026, 11, 20, 9, 15));
  EXPECT_EQ(next("* * * * *", at(2026, 11, 20, 9, 15)), at(2026, 11, 20, 9, 16)) << "later than";
  EXPECT_EQ(next("30 6 * * *", at(2026, 11, 20, 6, 30)), at(2026, 11, 21, 6, 30));
  EXPECT_EQ(next("30 6 * * *", at(2026, 11, 20, 6, 29, 59)), at(2026, 11, 20, 6, 30));
  EXPECT_EQ(next("*/15 * * * *", at(2026, 12, 31, 23, 46)), at(2027, 1, 1));
  EXPECT_EQ(next("10-30/10 8,20 * * *", at(2026, 11, 20, 8, 30)), at(2026, 11, 20, 20, 10));
}

TEST(cron, knows_days_of_the_month_and_of_the_week) {
  // The 20th of November 2026 is a Friday.
  EXPECT_EQ(next("0 9 * * mon-fri", at(2026, 11, 20, 10)), at(2026, 11, 23, 9));
  EXPECT_EQ(next("0 9 * * 7", at(2026, 11, 20, 10)), at(2026, 11, 22, 9));
  EXPECT_EQ(next("0 0 31 * *", at(2026, 11, 20)), at(2026, 12, 31));
  EXPECT_EQ(next("0 0 29 feb *", at(2026, 11, 20)), at(2028, 2, 29));
  EXPECT_EQ(next("0 0 1 * sat", at(2026, 11, 20)), at(2026, 11, 21)) << "either of them";
  EXPECT_EQ(next("@yearly", at(2026, 11, 20)), at(2027, 1, 1));
  EXPECT_EQ(next("@hourly", at(2026, 11, 20, 5, 1)), at(2026, 11, 20, 6));
}

TEST(cron, counts_in_its_zone) {
  EXPECT_EQ(next("0 6 * * *", at(2026, 11, 20, 4, 30), "+02:00"), at(2026, 11, 21, 4));
  EXPECT_EQ(next("0 6 * * *", at(2026, 11, 20, 3, 30), "+02:00"), at(2026, 11, 20, 4));
  EXPECT_EQ(next("0 20 * * *", at(2026, 11, 20, 12), "-05:30"), at(2026, 11, 21, 1, 30));
}

TEST(cron, goes_with_its_zone_to_summer_time_and_back) {
  const auto in_berlin = [](std::string_view line, wall_time t) {
    return next(line, t, "Europe/Berlin");
  };
  EXPECT_EQ(in_berlin("0 6 * * *", at(2026, 3, 28)), at(2026, 3, 28, 5));
  EXPECT_EQ(in_berlin("0 6 * * *", at(2026, 3, 28, 5)), at(2026, 3, 29, 4));
  EXPECT_EQ(in_berlin("0 6 * * *", at(2026, 10, 24, 4)), at(2026, 10, 25, 5));
  EXPECT_EQ(next("0 0 1 * *", at(2026, 6, 20), "America/New_York"), at(2026, 7, 1, 4));
}

/// What comes after `t` and before `end`.
std::vector<wall_time> all_of(std::string_view line, wall_time t, wall_time end,
                              std::string_view zone = "Europe/Berlin") {
  std::vector<wall_time> times;
  while ((t = next(line, t, zone)) < end)
    times.push_back(t);
  return times;
}

TEST(cron, comes_once_after_the_gap_where_clocks_go_past_its_time) {
  // On the 29th of March 2026, clocks in Berlin go from 2:00 to 3:00 at 1:00 UTC.
  const auto from = at(2026, 3, 28, 12), end = at(2026, 3, 29, 12);
  using times = std::vector<wall_time>;
  EXPECT_EQ(all_of("30 2 * * *", from, end), times({at(2026, 3, 29, 1)}));
  EXPECT_EQ(all_of("*/10 2 * * *", from, end), times({at(2026, 3, 29, 1)}));
  EXPECT_EQ(all_of("0,30 1-3 * * *", from, end),
            times({at(2026, 3, 29, 0), at(2026, 3, 29, 0, 30), at(2026, 3, 29, 1),
                   at(2026, 3, 29, 1, 30)}));
  // Samoa left out a whole day.
  EXPECT_EQ(all_of("0 12 30 dec *", at(2011, 12, 1), at(2012, 1, 31), "Pacific/Apia"),
            times({at(2011, 12, 30, 10)}));
}

TEST(cron, comes_the_first_time_only_where_clocks_show_its_time_twice) {
  // On the 25th of October 2026, clocks in Berlin go from 3:00 to 2:00 at 1:00 UTC.
  const auto from = at(2026, 10, 24, 12), end = at(2026, 10, 25, 12);
  using times = std::vector<wall_time>;
  EXPECT_EQ(all_of("30 2 * * *", from, end), times({at(2026, 10, 25, 0, 30)}));
  EXPECT_EQ(all_of("30 1-3 * * *", from, end),
            times({at(2026, 10, 24, 23, 30), at(2026, 10, 25, 0, 30), at(2026, 10, 25, 2, 30)}));
  EXPECT_EQ(next("30 2 * * *", at(2026, 10, 25, 1, 10), "Europe/Berlin"), at(2026, 10, 26, 1, 30))
      << "asked while clocks show it again";
}

TEST(cron, names_the_field_that_is_wrong) {
  EXPECT_THAT(refusal("* * * *"), testing::HasSubstr("expected five fields"));
  EXPECT_THAT(refusal("60 * * * *"), testing::HasSubstr("minute: 60 is not within 0 to 59"));
  EXPECT_THAT(refusal("* * 0 * *"), testing::HasSubstr("day: 0 is not within 1 to 31"));
  EXPECT_THAT(refusal("* * * * someday"), testing::HasSubstr("weekday: someday"));
  EXPECT_THAT(refusal("*/0 * * * *"), testing::HasSubstr("minute: */0"));
  EXPECT_THAT(refusal("5-1 * * * *"), testing::HasSubstr("minute: 5-1"));
  EXPECT_THAT(refusal("0 0 30 2 *"), testing::HasSubstr("there is no such day"));
  EXPECT_THAT(refusal("* * * * *", "Mars/Phobos"),
              testing::HasSubstr("zone: there is no Mars/Phobos"));
}

class cron_timer_test : public lua_agents {};

TEST_F(cron_timer_test, ticks_each_time_its_line_comes_true_until_it_is_cancelled) {
  auto a = add("a", R"(
    local timer = require("troupe.timer")
    local ticks, t = 0, nil
    function agent.own.tick(self, n) ticks = ticks + n end
    function agent.on.begin() t = timer.cron("*/5 * * * *", "tick", { args = { 1 } }) end
    function agent.on.stop_it() return t:cancel() end
    function agent.on.ticks() return ticks end
    function agent.on.slip(self, line) return select(2, pcall(timer.cron, line, "tick")) end
  )");
  call(a, "begin");
  world.advance(1h);
  EXPECT_EQ(call(a, "ticks"), "12");
  world.advance(48h);
  EXPECT_EQ(call(a, "ticks"), std::to_string(49 * 12));
  EXPECT_EQ(call(a, "stop_it"), "true");
  world.advance(1h);
  EXPECT_EQ(call(a, "ticks"), std::to_string(49 * 12));
  EXPECT_THAT(call(a, "slip", {"soon"}), testing::HasSubstr("expected five fields"));
}

}  // namespace
}  // namespace troupe::script
