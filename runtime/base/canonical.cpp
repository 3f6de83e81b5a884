// SPDX-License-Identifier: Apache-2.0
#include "base/canonical.hpp"

#include "base/msgpack.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

constexpr std::size_t max_depth = 100;

/// The same data with one form for each group that JSON Schema calls equal. What is left, keys and
/// their order, packing does.
value simplified(const value& v, std::size_t depth) {
  std::int64_t whole = 0;
  if (v.is_double() && is_integer_key(v.as_double(), &whole)) return whole;
  if (v.is_binary() && is_utf8(v.as_string())) return v.as_string();
  if (v.is_map() && v.as_map().empty()) return value::array{};
  if (depth == 0) return v;
  if (v.is_array()) {
    value::array list;
    list.reserve(v.as_array().size());
    for (const auto& element : v.as_array())
      list.push_back(simplified(element, depth - 1));
    return list;
  }
  if (v.is_map()) {
    value::map map;
    map.reserve(v.as_map().size());
    for (const auto& [key, member] : v.as_map())
      map.emplace_back(key, simplified(member, depth - 1));
    return map;
  }
  return v;
}

}  // namespace

std::optional<std::string> canonical_form(const value& v) {
  auto body = pack(simplified(v, max_depth));
  if (!body) return std::nullopt;
  return std::string(body->view());
}

}  // namespace troupe
