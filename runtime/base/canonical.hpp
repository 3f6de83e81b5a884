// SPDX-License-Identifier: Apache-2.0
//
// Equality as JSON has it, in linear time: two pieces of data are the same if their forms are.
#pragma once

#include <optional>
#include <string>

#include "base/value.hpp"

namespace troupe {

/// A form in which data that JSON Schema calls equal is equal: 1 and 1.0, members in any order, an
/// empty list and an empty map. Nothing if it can't be packed (msgpack.hpp).
std::optional<std::string> canonical_form(const value& v);

}  // namespace troupe
