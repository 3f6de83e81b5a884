// SPDX-License-Identifier: Apache-2.0
#include "actors/llm/retry.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

// 2026-11-20 09:14:02 UTC
const wall_time now = std::chrono::system_clock::from_time_t(1795166042);

TEST(retry_after_test, reads_every_form_that_providers_use) {
  EXPECT_EQ(retry_after({{"Retry-After", "7"}}, now), duration(7s));
  EXPECT_EQ(retry_after({{"retry-after", " 1.5 "}}, now), duration(1500ms));
  EXPECT_EQ(retry_after({{"retry-after-ms", "250"}, {"retry-after", "9"}}, now), duration(250ms));
  EXPECT_EQ(retry_after({{"retry-after", "Fri, 20 Nov 2026 09:14:12 GMT"}}, now), duration(10s));
  EXPECT_EQ(retry_after({{"retry-after", "Friday, 20-Nov-26 09:14:12 GMT"}}, now), duration(10s));
  EXPECT_EQ(retry_after({{"retry-after", "Fri Nov 20 09:14:12 2026"}}, now), duration(10s));
}

TEST(retry_after_test, takes_a_date_in_the_past_as_now_and_nonsense_as_nothing) {
  EXPECT_EQ(retry_after({{"retry-after", "Fri, 20 Nov 2026 09:00:00 GMT"}}, now), duration(0s));
  for (const char* text : {"", "soon", "-3", "nan", "7 apples", "Fri, 20 Nov"})
    EXPECT_EQ(retry_after({{"retry-after", text}}, now), std::nullopt) << text;
  EXPECT_EQ(retry_after({}, now), std::nullopt);
}

TEST(backoff_test, doubles_up_to_its_limit_and_takes_off_at_most_a_quarter) {
  const retry_policy p{.tries = 9, .first = 500ms, .most = 4s};
  for (std::uint64_t random : {0ull, 12345678901ull, ~0ull}) {
    duration full = 500ms;
    for (std::uint32_t next = 2; next < 9; ++next) {
      const auto pause = backoff(p, next, std::nullopt, random);
      EXPECT_LE(pause, full);
      EXPECT_GE(pause, full * 3 / 4);
      full = std::min<duration>(full * 2, 4s);
    }
  }
}

TEST(backoff_test, never_comes_back_before_the_hint) {
  EXPECT_EQ(backoff({}, 2, 30s, 99), duration(30s));
  EXPECT_GE(backoff({}, 5, 1ms, 99), duration(3s));
}

}  // namespace
}  // namespace troupe
