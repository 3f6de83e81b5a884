// SPDX-License-Identifier: Apache-2.0
//
// Bytes of a message body from plain data, and back. The Lua side packs straight from its stack
// with the same rules, which are in body.hpp; both are held to sdk/docs/values.md by its tests.
#pragma once

#include <string_view>

#include "base/body.hpp"
#include "base/bytes.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// Packs `v`; map keys in the order of their packed bytes, so that equal data gives equal bytes.
/// Fails with too_big, or with bad_body for a key that is no string, number or boolean (NaN is
/// none), for the same key twice, or for an extension that is no address. Thread-safe.
result<bytes> pack(const value& v, const body_limits& limits = {});
/// The same bytes as `to_value(e)`, without making that.
result<bytes> pack(const error& e, const body_limits& limits = {});

/// Says a value, or an error, to a writer; false once something is wrong with the body.
bool write(body_writer& to, const value& v);
bool write(body_writer& to, const error& e);

/// Reads exactly one value. Fails with bad_body (cut short, garbage, bytes left over, a bad key or
/// extension) or too_big. Never allocates more than 64 bytes for a byte of `data`, whatever lengths
/// it claims. Strings in the result are UTF-8. Thread-safe.
result<value> unpack(std::string_view data, const body_limits& limits = {});

}  // namespace troupe
