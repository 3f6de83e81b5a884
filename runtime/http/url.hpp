// SPDX-License-Identifier: Apache-2.0
//
// What a URL leads to. The parser that answers here is the one that dials, so that no spelling of a
// host (decimal, octal, escaped, international) is judged as one thing and reached as another.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace troupe {

/// An http or https URL in one normal spelling, without fragment.
struct url {
  std::string text;
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case, IPv4 in dots; an IPv6 address stands in brackets
  std::uint16_t port = 0;

  /// `host:port`, as net grants and messages name it.
  std::string endpoint() const { return host + ":" + std::to_string(port); }
  /// True if both lead to the same scheme, host and port.
  bool same_origin(const url& other) const {
    return scheme == other.scheme && host == other.host && port == other.port;
  }
};

/// At most `max_url_bytes` long; what is not ASCII in path or query is escaped. Fails with
/// bad_argument for what is no URL or has a host that is not ASCII, with denied for
/// another scheme than http and https and for a user name or password within it. The sentences
/// never repeat path or query, which may hold keys.
inline constexpr std::size_t max_url_bytes = 16u << 10;
result<url> parse_url(std::string_view text);

/// Where a `Location` of an answer from `base` leads; it may be relative. Fails as parse_url does.
result<url> resolve_url(const url& base, std::string_view location);

}  // namespace troupe
