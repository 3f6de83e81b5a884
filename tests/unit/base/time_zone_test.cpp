// SPDX-License-Identifier: Apache-2.0
#include "base/time_zone.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <string>

namespace troupe {
namespace {

using namespace std::chrono;

template <class Time>
Time at(int y, unsigned m, unsigned d, int hour, int minute) {
  return Time(sys_days{year{y} / m / d}.time_since_epoch() + hours{hour} + minutes{minute});
}
wall_time utc(int y, unsigned m, unsigned d, int hour, int minute = 0) {
  return at<wall_time>(y, m, d, hour, minute);
}
local_seconds shown(int y, unsigned m, unsigned d, int hour, int minute = 0) {
  return at<local_seconds>(y, m, d, hour, minute);
}

struct time_zone_test : testing::Test {
  time_zone_test() { ::unsetenv("TZDIR"); }

  static time_zone zone(std::string_view name) {
    const auto found = time_zone::find(name);
    EXPECT_TRUE(found) << found.error().describe();
    return found ? *found : time_zone();
  }
  static std::string refusal(std::string_view name) {
    const auto found = time_zone::find(name);
    if (found) return "accepted";
    EXPECT_TRUE(found.error().is(errc::bad_argument));
    return found.error().message;
  }
};

TEST_F(time_zone_test, knows_what_clocks_show_and_when_they_do) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.local(utc(2026, 1, 15, 12)), shown(2026, 1, 15, 13));
  EXPECT_EQ(berlin.local(utc(2026, 7, 15, 12)), shown(2026, 7, 15, 14));
  EXPECT_EQ(berlin.when(shown(2026, 7, 15, 14)), utc(2026, 7, 15, 12));
  EXPECT_EQ(zone("UTC").when(shown(2026, 7, 15, 14)), utc(2026, 7, 15, 14));
  EXPECT_EQ(zone("-05:30").local(utc(2026, 7, 15, 12)), shown(2026, 7, 15, 6, 30));
  EXPECT_EQ(zone("-05:30").when(shown(2026, 7, 15, 6, 30)), utc(2026, 7, 15, 12));
  EXPECT_EQ(zone("Etc/GMT+5").local(utc(2026, 7, 15, 12)), shown(2026, 7, 15, 7));
}

TEST_F(time_zone_test, rounds_down_before_1970_as_well) {
  EXPECT_EQ(time_zone().local(wall_time(milliseconds(-1))),
            local_seconds(std::chrono::seconds(-1)));
  EXPECT_EQ(zone("+01:00").local(wall_time(milliseconds(-1))),
            local_seconds(std::chrono::seconds(3599)));
}

TEST_F(time_zone_test, takes_the_moment_of_the_change_for_what_clocks_go_past) {
  const auto berlin = zone("Europe/Berlin");
  for (const int minute : {0, 30, 59})
    EXPECT_EQ(berlin.when(shown(2026, 3, 29, 2, minute)), utc(2026, 3, 29, 1));
  EXPECT_EQ(berlin.when(shown(2026, 3, 29, 1, 59)), utc(2026, 3, 29, 0, 59));
  EXPECT_EQ(berlin.when(shown(2026, 3, 29, 3)), utc(2026, 3, 29, 1));
}

TEST_F(time_zone_test, takes_the_first_time_of_what_clocks_show_twice) {
  const auto berlin = zone("Europe/Berlin");
  EXPECT_EQ(berlin.when(shown(2026, 10, 25, 2, 30)), utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(berlin.local(utc(2026, 10, 25, 1, 30)), shown(2026, 10, 25, 2, 30)) << "the second";
  EXPECT_EQ(berlin.when(shown(2026, 10, 25, 3)), utc(2026, 10, 25, 2));
}

TEST_F(time_zone_test, names_a_zone_that_it_does_not_know) {
  EXPECT_EQ(refusal("Mars/Phobos"), "there is no Mars/Phobos in /usr/share/zoneinfo");
  EXPECT_EQ(refusal("Europe"), "there is no Europe in /usr/share/zoneinfo") << "a folder";
  for (const char* name : {"+2:00", "+15:00", "-01:60", "+01:0x", ""})
    EXPECT_THAT(refusal(name),
                testing::HasSubstr("such as Europe/Berlin, got " + std::string(name)));
}

TEST_F(time_zone_test, opens_no_file_beside_the_zones_and_knows_each_by_one_name) {
  for (const char* name : {"/etc/localtime", "../../../etc/localtime", "Europe/../Europe/Berlin",
                           "Europe//Berlin", "Europe/Berlin/", "./UTC", "file:UTC", "zone.tab"})
    EXPECT_THAT(refusal(name), testing::HasSubstr("expected UTC, a difference such as"));
}

TEST_F(time_zone_test, says_that_a_machine_has_no_zones) {
  ::setenv("TZDIR", "/nowhere/zoneinfo", 1);
  EXPECT_EQ(refusal("Europe/Paris"),
            "Europe/Paris is not known: this machine has no /nowhere/zoneinfo (package tzdata)");
  EXPECT_EQ(zone("+02:00").local(utc(2026, 7, 15, 12)), shown(2026, 7, 15, 14));
}

}  // namespace
}  // namespace troupe
