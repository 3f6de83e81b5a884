// SPDX-License-Identifier: Apache-2.0
//
// When a failed request to a model may be sent again.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/http_header.hpp"

namespace troupe {

/// What a response asks one to wait: `retry-after-ms`, else `retry-after` in seconds or as an HTTP
/// date (all three forms of RFC 9110). Nothing if it says nothing that can be read. A time in the
/// past is zero.
std::optional<duration> retry_after(const std::vector<http_header>& headers, wall_time now);

struct retry_policy {
  std::uint32_t tries = 4;  ///< the first one included
  duration first = std::chrono::milliseconds(500);
  duration most = std::chrono::seconds(8);
  /// A hint above this is not waited for: the caller is told instead.
  duration patience = std::chrono::seconds(60);
};

/// The pause before try number `next` (2, 3, ...): the hint, if there is one, and at least the
/// doubling backoff with up to a quarter of it taken off at random. `random` is any 64 bits.
duration backoff(const retry_policy& policy, std::uint32_t next, std::optional<duration> hint,
                 std::uint64_t random);

}  // namespace troupe
