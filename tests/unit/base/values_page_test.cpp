// SPDX-License-Identifier: Apache-2.0
//
// Holds C++ to the tables of sdk/docs/values.md. What they say of Lua is tested in script/.
#include "support/values_page.hpp"

#include <gtest/gtest.h>

#include "base/id.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"

namespace troupe {
namespace {

constexpr auto page = TROUPE_VALUES_PAGE;

std::string hex(const result<bytes>& body) {
  return body ? to_hex(body->view()) : body.error().describe();
}

TEST(values_page_test, every_value_goes_there_and_back) {
  const auto rows = values_table(page, "There and back");
  ASSERT_GT(rows.size(), 30u);
  for (const auto& row : rows) {
    ASSERT_EQ(row.size(), 4u) << row[0];
    const auto body = from_hex(row[1]);
    auto v = unpack(body);
    ASSERT_TRUE(v) << row[0] << ": " << v.error().describe();
    EXPECT_EQ(hex(pack(*v)), to_hex(body)) << row[0];
    auto text = to_json(*v);
    if (row[3] == "refused")
      EXPECT_TRUE(!text && text.error().is(errc::bad_body)) << row[0];
    else
      EXPECT_EQ(text ? *text : text.error().describe(), row[3]) << row[0];
  }
}

TEST(values_page_test, other_forms_are_read_and_written_in_ours) {
  const auto rows = values_table(page, "Also read");
  ASSERT_GT(rows.size(), 8u);
  for (const auto& row : rows) {
    auto v = unpack(from_hex(row[0]));
    ASSERT_TRUE(v) << row[0] << ": " << v.error().describe();
    EXPECT_EQ(hex(pack(*v)), to_hex(from_hex(row[2]))) << row[0];
  }
}

TEST(values_page_test, bad_bodies_are_refused_in_these_words) {
  const auto rows = values_table(page, "Refused");
  ASSERT_GT(rows.size(), 8u);
  for (const auto& row : rows) {
    auto v = unpack(from_hex(row[0]));
    ASSERT_FALSE(v) << row[0];
    EXPECT_EQ(v.error().describe(), row[1]) << row[0];
  }
}

TEST(values_page_test, json_is_read_as_it_says) {
  const auto rows = values_table(page, "From JSON");
  ASSERT_GT(rows.size(), 8u);
  for (const auto& row : rows) {
    auto v = parse_json(row[0]);
    ASSERT_TRUE(v) << row[0] << ": " << v.error().describe();
    EXPECT_EQ(hex(pack(*v)), to_hex(from_hex(row[1]))) << row[0];
  }
}

}  // namespace
}  // namespace troupe
