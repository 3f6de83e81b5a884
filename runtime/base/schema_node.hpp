// SPDX-License-Identifier: Apache-2.0
//
// A schema in compiled form: what schema_compile.cpp makes of a document and schema_check.cpp holds
// against data. For these two alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/pattern.hpp"
#include "base/schema.hpp"
#include "base/value.hpp"

namespace troupe {

/// A set of JSON's types. An integer is a number as well.
using type_set = std::uint8_t;
inline constexpr std::pair<std::string_view, type_set> json_types[] = {
    {"null", 1},    {"boolean", 2}, {"integer", 4}, {"number", 4 | 8},
    {"string", 16}, {"array", 32},  {"object", 64}};
inline constexpr type_set integer_type = 4, fraction_type = 8, array_type = 32, object_type = 64;

/// Bounds on how many there may be of something.
struct count_range {
  std::size_t least = 0;
  std::size_t most = std::numeric_limits<std::size_t>::max();
};

/// One schema. Pointers lead to nodes of the same document, in circles where `$ref` does.
struct schema_node {
  using link = const schema_node*;

  bool never = false;                                 ///< the schema `false`
  type_set types = 0;                                 ///< 0: any
  std::optional<std::vector<value>> options;          ///< enum, or const as the only one
  std::unordered_set<std::string> canonical_options;  ///< the same, in canonical form
  link ref = nullptr;

  std::optional<value> minimum, maximum, above, below, multiple_of;
  count_range characters;
  std::optional<troupe::pattern> pattern;

  bool about_arrays = false;  ///< has keywords that say something on arrays
  std::vector<link> prefix;
  link items = nullptr;
  link contains = nullptr;
  count_range contained{1};
  count_range elements;
  bool unique = false;

  bool about_objects = false;
  std::map<std::string, link, std::less<>> properties;
  std::vector<std::pair<troupe::pattern, link>> pattern_properties;
  link additional = nullptr;
  link names = nullptr;
  std::vector<std::string> required;
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required;
  std::vector<std::pair<std::string, link>> dependent_schemas;
  count_range members;

  std::vector<link> all_of, any_of, one_of;
  link none_of = nullptr;
  link condition = nullptr, then = nullptr, otherwise = nullptr;
};

struct schema_nodes {
  value document;
  std::deque<schema_node> nodes;  ///< a deque: pointers to nodes stay good
  const schema_node* root = nullptr;
};
struct schema::impl : schema_nodes {};

}  // namespace troupe
