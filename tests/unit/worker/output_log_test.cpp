// SPDX-License-Identifier: Apache-2.0
#include "actors/worker/output_log.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace troupe {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class output_log_test : public testing::Test {
 protected:
  void feed(std::string_view data) {
    log.feed(data, now, [this](std::string_view line) { lines.emplace_back(line); });
  }
  void finish() {
    log.finish(now, [this](std::string_view line) { lines.emplace_back(line); });
  }
  instant now = instant(1h);
  output_log log{{.line = 10, .burst = 100, .per_second = 50, .tail = 30}};
  std::vector<std::string> lines;
};

TEST_F(output_log_test, lines_come_whole_from_any_pieces) {
  for (const char c : std::string("one\n\ntwo\nthree"))
    feed({&c, 1});
  EXPECT_THAT(lines, ElementsAre("one", "", "two"));
  finish();
  EXPECT_THAT(lines, ElementsAre("one", "", "two", "three"));
  finish();
  EXPECT_EQ(lines.size(), 4u);
}

TEST_F(output_log_test, a_long_line_is_cut_and_says_so) {
  feed("0123456789abc\n");
  EXPECT_THAT(lines, ElementsAre("0123456789 ... 3 bytes more"));
}

TEST_F(output_log_test, a_line_is_not_cut_in_the_middle_of_a_character) {
  feed("012345678\xc3\xa4\xc3\xa4\n");
  EXPECT_THAT(lines, ElementsAre("012345678 ... 4 bytes more"));
}

TEST_F(output_log_test, a_line_without_end_takes_no_more_memory_than_it_may) {
  for (int i = 0; i < 100; ++i)
    feed(std::string(1000, 'x'));
  feed("\nnext\n");
  EXPECT_EQ(log.take_dropped(), 100'001u) << "it was above the rate as well";
  EXPECT_THAT(lines, ElementsAre("next"));
}

TEST_F(output_log_test, what_is_above_the_rate_is_counted_and_dropped) {
  for (int i = 0; i < 30; ++i)
    feed("123456789\n");
  EXPECT_EQ(lines.size(), 10u);
  EXPECT_EQ(log.take_dropped(), 200u);
  EXPECT_EQ(log.take_dropped(), 0u);
  now += 1s;
  for (int i = 0; i < 30; ++i)
    feed("123456789\n");
  EXPECT_EQ(lines.size(), 15u);
}

TEST_F(output_log_test, keeps_the_last_lines_to_explain_an_end) {
  for (int i = 0; i < 30; ++i)
    feed("line " + std::to_string(10 + i) + "\n");
  EXPECT_EQ(log.tail(), "line 37\nline 38\nline 39\n") << "also those that were dropped";
}

TEST(printable, hides_what_a_terminal_would_obey) {
  EXPECT_EQ(printable("a\tb"), "a\tb");
  EXPECT_EQ(printable("\x1b[2J\r"), "\\x1b[2J\\x0d");
  EXPECT_EQ(printable(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(printable("h\xc3\xa4ngt"), "h\xc3\xa4ngt");
  EXPECT_EQ(printable("\xc2\x9b"
                      "31m"),
            "\\x9b31m")
      << "a control character of its own";
  EXPECT_EQ(printable("caf\xe9"), "caf\\xe9");
}

}  // namespace
}  // namespace troupe
