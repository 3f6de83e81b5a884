// SPDX-License-Identifier: Apache-2.0
#include "base/schema.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/json.hpp"

namespace troupe {
namespace {

using ::testing::HasSubstr;

/// What a schema says of data, both as JSON text; empty if it passes.
std::string fault(std::string_view schema_text, const value& data) {
  auto document = parse_json(schema_text);
  if (!document) return document.error().describe();
  auto compiled = schema::compile(*document);
  if (!compiled) return compiled.error().describe();
  auto passed = compiled->check(data);
  if (passed) return "";
  EXPECT_TRUE(passed.error().is(errc::bad_argument));
  return passed.error().message;
}

std::string fault(std::string_view schema_text, const char* data) {
  auto parsed = parse_json(data);
  return parsed ? fault(schema_text, *parsed) : parsed.error().describe();
}

std::string compile_fault(std::string_view schema_text) {
  auto compiled = schema::compile(*parse_json(schema_text));
  return compiled ? "" : compiled.error().describe();
}

constexpr auto tides = R"({
  "type": "object",
  "properties": {
    "port": {"type": "string", "minLength": 2},
    "days": {"type": "integer", "minimum": 1, "maximum": 7},
    "unit": {"enum": ["m", "ft"]},
    "stops": {"type": "array", "items": {"$ref": "#/$defs/stop"}}
  },
  "required": ["port"],
  "additionalProperties": false,
  "$defs": {"stop": {"type": "object", "properties": {"at": {"type": "number"}}, "required": ["at"]}}
})";

TEST(schema_test, says_in_one_sentence_what_is_wrong_where) {
  EXPECT_EQ(fault(tides, R"({"port": "Husum", "days": 2, "stops": [{"at": 1.5}]})"), "");
  EXPECT_EQ(fault(tides, R"({"port": "Husum", "days": "two"})"),
            "days: expected integer, got \"two\"");
  EXPECT_EQ(fault(tides, R"({"port": "Husum", "days": 9})"), "days: expected at most 7, got 9");
  EXPECT_EQ(fault(tides, R"({"port": "H"})"), "port: expected at least 2 characters, got 1");
  EXPECT_EQ(fault(tides, R"({"port": "Husum", "unit": "km"})"),
            "unit: expected one of \"m\", \"ft\", got \"km\"");
  EXPECT_EQ(fault(tides, R"({"port": "Husum", "stops": [{"at": 1}, {}]})"), "stops[1].at: missing");
  EXPECT_EQ(fault(tides, R"({"prot": "Husum"})"), "unknown name \"prot\": did you mean \"port\"?")
      << "and not that port is missing";
  EXPECT_EQ(fault(tides, R"({})"), "port: missing");
  EXPECT_EQ(fault(tides, "[1]"), "expected object, got a list of 1");
}

TEST(schema_test, takes_an_empty_table_as_a_list_and_as_an_object) {
  for (const auto& empty : {value(value::array{}), value(value::map{})}) {
    EXPECT_EQ(fault(R"({"type": "array"})", empty), "");
    EXPECT_EQ(fault(R"({"type": "object"})", empty), "");
    EXPECT_EQ(fault(R"({"const": []})", empty), "");
    EXPECT_EQ(fault(R"({"const": {}})", empty), "");
    EXPECT_EQ(fault(R"({"type": "array", "minItems": 1})", empty),
              "expected at least 1 element, got 0");
    EXPECT_EQ(fault(R"({"type": "object", "required": ["a"]})", empty), "a: missing");
    EXPECT_EQ(fault(R"({"required": ["a"]})", empty), "a: missing");
    EXPECT_EQ(fault(R"({"type": "string"})", empty).substr(0, 20), "expected string, got");
  }
  value empty_tables;
  empty_tables.set("type", "object")
      .set("properties", value::array{})
      .set("required", value::map{});
  EXPECT_TRUE(schema::compile(empty_tables)) << "a schema may come from Lua as well";
}

TEST(schema_test, tells_integers_as_json_schema_does) {
  EXPECT_EQ(fault(R"({"type": "integer"})", "3.0"), "");
  EXPECT_EQ(fault(R"({"type": "integer"})", "3.5"), "expected integer, got 3.5");
  EXPECT_EQ(fault(R"({"type": "number"})", "3"), "");
  EXPECT_EQ(fault(R"({"const": 1})", "1.0"), "");
  EXPECT_EQ(fault(R"({"maximum": 9007199254740992})", "9007199254740993"),
            "expected at most 9007199254740992, got 9007199254740993")
      << "compared exactly, not as doubles";
  EXPECT_NE(fault(R"({"type": "integer"})", std::nan("")), "");
  EXPECT_NE(fault(R"({"minimum": 0})", std::nan("")), "");
  EXPECT_EQ(fault(R"({"type": ["integer", "null"]})", "true"),
            "expected null or integer, got true");
}

TEST(schema_test, speaks_of_the_alternative_that_was_meant) {
  constexpr auto shapes = R"({"anyOf": [
    {"type": "null"},
    {"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}},
     "required": ["kind", "r"]},
    {"type": "object", "properties": {"kind": {"const": "square"}, "side": {"type": "number"}},
     "required": ["kind", "side"]}]})";
  EXPECT_EQ(fault(shapes, "null"), "");
  EXPECT_EQ(fault(shapes, R"({"kind": "square", "side": 1})"), "");
  EXPECT_EQ(fault(shapes, R"({"kind": "square", "side": "x"})"),
            "side: expected number, got \"x\"");
  EXPECT_EQ(fault(shapes, R"({"kind": "square"})"), "side: missing");
  EXPECT_EQ(fault(shapes, R"({"kind": "disc"})"),
            "kind: expected \"circle\", got \"disc\"; or expected \"square\", got \"disc\"");
  EXPECT_EQ(fault(shapes, "3"), "expected null or object, got 3");
  EXPECT_EQ(fault(R"({"oneOf": [{"minimum": 1}, {"maximum": 5}]})", "3"),
            "fits more than one alternative: 1 and 2");
}

TEST(schema_test, follows_references_in_circles_as_far_as_the_data_goes) {
  constexpr auto tree = R"({"$ref": "#/$defs/node", "$defs": {"node": {"type": "object",
    "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/node"}}}}}})";
  EXPECT_EQ(fault(tree, R"({"children": [{"children": [{}, {"children": []}]}]})"), "");
  EXPECT_EQ(fault(tree, R"({"children": [{"children": [{}, {"children": 1}]}]})"),
            "children[0].children[1].children: expected array, got 1");
  EXPECT_EQ(fault(R"({"$ref": "#"})", "1"), "its schema leads back to itself");
  EXPECT_EQ(fault(R"({"anyOf": [{"$ref": "#"}, {"not": {"$ref": "#"}}]})", "1"),
            "its schema leads back to itself");
}

TEST(schema_test, ends_on_alternatives_that_grow_exponentially) {
  std::string text = R"({"$ref": "#/$defs/0", "$defs": {)";
  for (int i = 0; i < 60; ++i) {
    const auto next = R"({"$ref": "#/$defs/)" + std::to_string(i + 1) + "\"}";
    text += "\"" + std::to_string(i) + R"(": {"anyOf": [)" + next + "," + next + "]},";
  }
  text += R"("60": false}})";
  EXPECT_THAT(fault(text, "1"), HasSubstr("takes too long to check against its schema"));
}

TEST(schema_test, takes_no_stack_for_a_long_chain_of_references) {
  std::string text = R"({"$ref": "#/$defs/0", "$defs": {)";
  for (int i = 0; i < 50'000; ++i)
    text += "\"" + std::to_string(i) + R"(": {"$ref": "#/$defs/)" + std::to_string(i + 1) + "\"},";
  text += R"("50000": true}})";
  EXPECT_EQ(fault(text, "1"), "its schema leads back to itself");
}

TEST(schema_test, matches_patterns_in_linear_time) {
  EXPECT_EQ(fault(R"({"pattern": "^[a-z]+$"})", "\"abc\""), "");
  EXPECT_EQ(fault(R"({"pattern": "^[a-z]+$"})", "\"a1\""),
            "expected text that matches ^[a-z]+$, got \"a1\"");
  EXPECT_EQ(fault(R"({"pattern": "^.{3}$"})", "\"äöü\""), "") << "characters, not bytes";
  EXPECT_NE(fault(R"({"pattern": "^(a+)+$"})", value(std::string(100'000, 'a') + "b")), "");
  EXPECT_THAT(fault(R"({"pattern": "^([a-z]{0,9}x){0,90}$"})", value(std::string(16u << 20, 'x'))),
              HasSubstr("too long for the pattern"));
}

TEST(schema_test, compares_many_elements_without_growing_slow) {
  value::array list;
  for (int i = 0; i < 200'000; ++i)
    list.emplace_back(i);
  EXPECT_EQ(fault(R"({"uniqueItems": true})", value(list)), "");
  list.emplace_back(7.0);
  EXPECT_EQ(fault(R"({"uniqueItems": true})", value(list)),
            "expected no element twice, got 7.0 at [7] and [200000]");
}

TEST(schema_test, takes_what_only_lua_has) {
  EXPECT_EQ(fault(R"({"type": "string"})", value(value::binary{"\xff"})), "");
  EXPECT_EQ(fault(R"({"type": "string"})", value(value::extension{1, std::string(32, 'a')})),
            "expected string, got \"<61616161>\"");
  EXPECT_EQ(fault(R"({"additionalProperties": {"type": "string"}})", value(value::map{{1, 2}})),
            "1: expected string, got 2");
}

TEST(schema_test, quotes_little_of_what_it_was_given) {
  const std::string big(1'000'000, 'x');
  EXPECT_LT(fault(R"({"type": "integer"})", value(big)).size(), 300u);
  EXPECT_LT(fault(R"({"additionalProperties": false})", value(value::map{{big, 1}})).size(), 300u);
  EXPECT_LT(
      fault(R"({"additionalProperties": {"type": "null"}})", value(value::map{{big, 1}})).size(),
      300u);
}

TEST(schema_test, refuses_what_is_no_schema_and_says_where) {
  EXPECT_EQ(compile_fault("3"),
            "bad_argument: schema at #: expected an object or a boolean, got integer");
  EXPECT_EQ(compile_fault(R"({"properties": {"a/b": {"type": "int"}}})"),
            "bad_argument: schema at #/properties/a~1b: unknown type int");
  EXPECT_EQ(compile_fault(R"({"items": {"$ref": "#/$defs/x"}})"),
            "bad_argument: schema at #/items: $ref #/$defs/x leads nowhere");
  EXPECT_EQ(compile_fault(R"({"$ref": "https://example.org/x.json"})"),
            "bad_argument: schema at #: $ref https://example.org/x.json leads out of the document");
  for (const auto* text : {R"j({"type": []})j",
                           R"j({"type": 1})j",
                           R"j({"enum": 1})j",
                           R"j({"minimum": "1"})j",
                           R"j({"multipleOf": 0})j",
                           R"j({"minLength": -1})j",
                           R"j({"maxItems": 1.5})j",
                           R"j({"pattern": "("})j",
                           R"j({"pattern": "(?=a)"})j",
                           R"j({"pattern": 1})j",
                           R"j({"pattern": "((a{100}){100}){100}"})j",
                           R"j({"patternProperties": {"[": true}})j",
                           R"j({"properties": 1})j",
                           R"j({"required": "a"})j",
                           R"j({"required": [1]})j",
                           R"j({"anyOf": []})j",
                           R"j({"allOf": {}})j",
                           R"j({"not": 1})j",
                           R"j({"uniqueItems": 1})j",
                           R"j({"$ref": 1})j",
                           R"j({"$ref": "#anchor"})j",
                           R"j({"$ref": "#/a~2"})j",
                           R"j({"$ref": "#/%zz"})j",
                           R"j({"unevaluatedProperties": false})j"})
    EXPECT_THAT(compile_fault(text), HasSubstr("bad_argument: schema at #")) << text;
}

}  // namespace
}  // namespace troupe
