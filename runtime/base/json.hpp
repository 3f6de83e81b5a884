// SPDX-License-Identifier: Apache-2.0
//
// JSON text from plain data, and back. Only at the edges: models, tools, command line, files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

struct json_style {
  int indent = -1;  ///< spaces a level; below zero: all on one line
};

/// Members stand in the order of `v`. Fails with bad_body, naming the place (`a.b[2]: NaN has no
/// form in JSON`), for a string that is not UTF-8, NaN, an infinity, a key that is no string or
/// number, or two keys of the same text; with too_big if nested deeper than 100. A number as a key
/// becomes text, binary that is UTF-8 a string, an address its printed form.
result<std::string> to_json(const value& v, const json_style& style = {});

/// Fails with syntax (`JSON: line 3, column 7: ...`) or too_big (nested deeper than 100). Integers
/// stay integers while they fit 64 bits with a sign, and become floats above; 3.0 stays a float;
/// null becomes nil. Of a key that comes twice the last one counts. `room` is what the value may
/// take in memory, in bytes and about: too_big above.
result<value> parse_json(std::string_view text, std::size_t room = SIZE_MAX);

}  // namespace troupe
