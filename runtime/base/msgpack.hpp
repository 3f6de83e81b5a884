// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a message body from plain data, and back. The Lua side packs straight from its stack
// with the same rules (script/body.hpp); both are held to sdk/docs/values.md by the same tests.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// What a body may be at most. Above it: too_big.
struct body_limits {
  std::size_t depth = 100;
  std::size_t size = 16u << 20;  ///< bytes
};

/// Packs `v`; map keys in sorted order, so that equal data gives equal bytes. Fails with too_big,
/// or with bad_body for a nil or NaN key.
result<bytes> pack(const value& v, const body_limits& limits = {});

/// Reads exactly one value. Fails with bad_body (cut short, garbage, bytes left over) or too_big.
/// Never allocates more than a small multiple of `data`, whatever lengths it claims.
result<value> unpack(std::string_view data, const body_limits& limits = {});

}  // namespace troupe
