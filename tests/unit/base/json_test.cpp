// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "unit/base/random_value.hpp"

namespace troupe {
namespace {

using namespace std::string_literals;
using ::testing::AllOf, ::testing::HasSubstr, ::testing::Not, ::testing::StartsWith;

std::string text_of(const value& v) {
  auto text = to_json(v);
  return text ? *text : text.error().describe();
}

std::string fault_of(std::string_view text) {
  auto v = parse_json(text);
  return v ? "no fault" : v.error().describe();
}

TEST(json_test, round_trips_random_data) {
  value_maker make(4);
  for (int i = 0; i < 500; ++i) {
    const auto v = make.json(3);
    for (int indent : {-1, 2}) {
      auto text = to_json(v, {.indent = indent});
      ASSERT_TRUE(text) << text.error().describe();
      auto back = parse_json(*text);
      ASSERT_TRUE(back) << back.error().describe() << " in " << *text;
      ASSERT_EQ(*back, v) << "case " << i << ": " << *text;
    }
  }
}

TEST(json_test, keeps_integers_exact_and_floats_floats) {
  for (auto x : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min(),
                 (std::int64_t{1} << 53) + 1})
    EXPECT_EQ(*parse_json(text_of(x)), value(x));
  EXPECT_EQ(text_of(3.0), "3.0");
  EXPECT_TRUE(parse_json("3.0")->is_double());
  EXPECT_TRUE(parse_json("1e2")->is_double());
  EXPECT_EQ(*parse_json("18446744073709551615"), value(0x1p64));
  EXPECT_EQ(*parse_json("-99999999999999999999"), value(-1e20));
}

TEST(json_test, keeps_members_in_their_order) {
  EXPECT_EQ(text_of(*parse_json(R"({"z":1,"a":{"y":[],"b":{}}})")),
            R"({"z":1,"a":{"y":[],"b":{}}})");
}

TEST(json_test, takes_the_last_of_a_key_that_comes_twice) {
  EXPECT_EQ(text_of(*parse_json(R"({"a":1,"b":2,"a":3})")), R"({"b":2,"a":3})");
}

TEST(json_test, says_where_text_is_wrong) {
  EXPECT_THAT(fault_of("{\"a\": 1,\n  \"ä\" 2}"), StartsWith("syntax: JSON: line 2, column 7:"));
  EXPECT_THAT(fault_of(""), StartsWith("syntax: JSON: line 1, column 1: "));
  EXPECT_THAT(fault_of("[1,\n2"), StartsWith("syntax: JSON: line 2, column 2: "));
  EXPECT_THAT(fault_of("[1e999]"),
              AllOf(StartsWith("syntax: JSON: line 1, column "), HasSubstr("number overflow")));
  EXPECT_THAT(fault_of("{} x"), StartsWith("syntax: JSON: line 1, column 4: "));
  EXPECT_THAT(fault_of("nul"), HasSubstr("invalid literal"));
  EXPECT_THAT(fault_of("[NaN]"), StartsWith("syntax: "));
}

TEST(json_test, writes_messages_in_clean_short_text) {
  EXPECT_THAT(fault_of("\"\xff\""), HasSubstr("(not UTF-8)"));
  EXPECT_LT(fault_of("\"" + std::string(1'000'000, 'x')).size(), 400u);
  EXPECT_LT(fault_of("[" + std::string(1'000'000, '7') + "x").size(), 400u);
  EXPECT_LT(fault_of("[" + std::string(1'000'000, '7') + "]").size(), 400u);
  EXPECT_LT(fault_of(std::string(1'000'000, 'z')).size(), 400u);
  EXPECT_LT(fault_of("[\"'; expected " + std::string(1'000'000, 'x') + "\x01").size(), 400u);
  EXPECT_THAT(fault_of("[1 2]"), Not(HasSubstr("json.exception")));
}

TEST(json_test, refuses_what_is_nested_too_deep) {
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  auto deepest = parse_json(nested(100));
  ASSERT_TRUE(deepest);
  EXPECT_EQ(text_of(*deepest), nested(100));
  EXPECT_EQ(fault_of(nested(101)), "too_big: JSON: nested deeper than 100");
  EXPECT_EQ(fault_of(std::string(1'000'000, '[')), "too_big: JSON: nested deeper than 100");
  EXPECT_EQ(text_of(value::array{*deepest}), "too_big: JSON: nested deeper than 100");
}

TEST(json_test, names_the_place_that_has_no_form_in_json) {
  value v;
  v.set("a", value().set("b", value::array{1, std::nan("")}));
  EXPECT_EQ(text_of(v), "bad_body: a.b[1]: NaN has no form in JSON");
  EXPECT_EQ(text_of(-HUGE_VAL), "bad_body: an infinity has no form in JSON");
  EXPECT_EQ(text_of(value::array{"\xff"}),
            "bad_body: [0]: a string that is not UTF-8 has no form in JSON");
  EXPECT_EQ(text_of(value::map{{"\xff", 1}}),
            "bad_body: a key that is not UTF-8 has no form in JSON");
  EXPECT_EQ(text_of(value::map{{true, 1}}),
            "bad_body: the key of type boolean has no form in JSON");
  EXPECT_EQ(text_of(value::map{{"1", 1}, {1, 1}}), "bad_body: the key 1 twice has no form in JSON");
}

TEST(json_test, writes_what_json_lacks_but_can_hold) {
  EXPECT_EQ(text_of(value::map{{1, "a"}, {-2, "b"}, {0.5, "c"}}),
            R"({"1":"a","-2":"b","0.5":"c"})");
  EXPECT_EQ(text_of(value::binary{"ok"}), "\"ok\"");
  EXPECT_EQ(text_of(value::extension{1, std::string(24, '\0') + "\x3f\x9a\x01\xc2" + "abcd"s}),
            "\"<3f9a01c2>\"");
  EXPECT_EQ(text_of(value::extension{1, std::string(32, '\0')}), "\"<nobody>\"");
  EXPECT_EQ(text_of("a\0b\x1f"s), R"("a\u0000b\u001f")");
}

}  // namespace
}  // namespace troupe
