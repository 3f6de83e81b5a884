// SPDX-License-Identifier: Apache-2.0
#include "base/pattern.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

bool found(std::string_view expression, std::string_view text) {
  auto p = pattern::compile(expression);
  EXPECT_TRUE(p) << p.error().describe();
  return p && *p->found_in(text);
}

TEST(pattern_test, finds_anywhere_unless_it_is_anchored) {
  EXPECT_TRUE(found("b", "abc"));
  EXPECT_FALSE(found("^b", "abc"));
  EXPECT_TRUE(found("^abc$", "abc"));
  EXPECT_FALSE(found("^abc$", "abc\n")) << "the end is the end";
}

TEST(pattern_test, knows_the_escapes_of_ecmascript) {
  EXPECT_TRUE(found("^\\u00e4$", "ä"));
  EXPECT_TRUE(found("^\\u{1F600}$", "😀"));
  EXPECT_TRUE(found("^\\uD83D\\uDE00$", "😀"));
  EXPECT_TRUE(found("^\\cJ$", "\n"));
  EXPECT_TRUE(found("^a\\/b\\-c$", "a/b-c"));
  EXPECT_TRUE(found("^(?<year>\\d{4})$", "2026"));
  EXPECT_TRUE(found("^\\0$", std::string_view("\0", 1)));
  EXPECT_TRUE(found("\\\\u0041", "\\u0041")) << "an escaped backslash escapes nothing";
}

TEST(pattern_test, refuses_what_takes_more_than_linear_time_or_much_memory) {
  for (const auto* expression : {"(a)\\1", "(?=a)b", "(?!a)b", "(?<=a)b", "(?<!a)b", "(", "[",
                                 "a**", "\\u{110000}", "((a{100}){100}){100}", "\\"}) {
    auto p = pattern::compile(expression);
    ASSERT_FALSE(p) << expression;
    EXPECT_TRUE(p.error().is(errc::bad_argument));
    EXPECT_TRUE(p.error().message.starts_with("pattern ")) << p.error().message;
  }
}

}  // namespace
}  // namespace troupe
