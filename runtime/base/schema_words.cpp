// SPDX-License-Identifier: Apache-2.0
#include "base/schema_words.hpp"

#include <algorithm>
#include <cmath>

#include "base/json.hpp"

namespace troupe {

std::string quoted(const value& v) {
  if (v.is_array() && !v.as_array().empty())
    return "a list of " + std::to_string(v.as_array().size());
  if (v.is_map() && !v.as_map().empty())
    return "an object with " + std::to_string(v.as_map().size()) + " members";
  if (v.is_string() && v.as_string().size() > max_quote)
    return "text of " + std::to_string(v.as_string().size()) + " bytes";
  if (v.is_binary()) return std::to_string(v.as_string().size()) + " bytes that are no text";
  if (v.is_double() && !std::isfinite(v.as_double())) return "a number without a finite value";
  auto text = to_json(v);
  return text && text->size() <= 2 * max_quote ? *text : std::string(v.type_name());
}

std::string type_names(type_set types) {
  std::string names;
  for (const auto& [name, set] : json_types) {
    if ((types & set) != set) continue;
    // Number stands for both; integer alone need not be said then.
    if (set == integer_type && (types & fraction_type) != 0) continue;
    names += (names.empty() ? "" : " or ") + std::string(name);
  }
  return names;
}

std::string key_name(const value& key) {
  if (const auto* x = key.get_if<std::int64_t>()) return std::to_string(*x);
  if (key.is_string() || key.is_binary()) return std::string(key.as_string());
  auto text = to_json(key);
  return text ? *text : std::string(key.type_name());
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string count_of(std::size_t n, std::string_view what) {
  return std::to_string(n) + " " + std::string(what) + (n == 1 ? "" : "s");
}

}  // namespace troupe
