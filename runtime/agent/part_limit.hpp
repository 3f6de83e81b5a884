// SPDX-License-Identifier: Apache-2.0
//
// How big a piece of an answer may be.
#pragma once

#include <cstddef>

namespace troupe {

/// A part holds at most so many bytes; more is too_big.
inline constexpr std::size_t max_part = 64u << 10;

}  // namespace troupe
