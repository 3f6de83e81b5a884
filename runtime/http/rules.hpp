// SPDX-License-Identifier: Apache-2.0
//
// What a request may hold, and which of its headers may go where.
#pragma once

#include <string>
#include <string_view>

#include "http/client.hpp"

namespace troupe {

/// Bytes of headers, in a request and in an answer.
inline constexpr std::size_t max_head_bytes = 64u << 10;

/// Fails with bad_argument for a method or header that could mean two things, or that is the
/// client's to set. Names headers, never their values.
result<void> check_request(const http_request& r);

/// True for headers (lower case) that say nothing about who asks: they follow to another origin.
bool may_follow_elsewhere(std::string_view name);

std::string to_lower(std::string_view text);
/// Without blanks and line ends around it.
std::string_view trimmed(std::string_view text);

}  // namespace troupe
