// SPDX-License-Identifier: Apache-2.0
//
// How a check speaks of data, types and numbers. For schema_check.cpp alone.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/schema_node.hpp"
#include "base/value.hpp"

namespace troupe {

/// Bytes of data that a sentence quotes.
inline constexpr std::size_t max_quote = 60;

/// The data itself where it is short, otherwise what it is.
std::string quoted(const value& v);
/// `integer or null`.
std::string type_names(type_set types);
/// A key as JSON would write it.
std::string key_name(const value& key);
/// Code points, not bytes.
std::size_t count_characters(std::string_view text);
/// `1 element`, `2 elements`.
std::string count_of(std::size_t n, std::string_view what);

}  // namespace troupe
