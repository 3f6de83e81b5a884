// SPDX-License-Identifier: Apache-2.0
//
// JSON text from plain data, and back. Only at the edges: models, tools, command line, files.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

struct json_style {
  int indent = -1;  ///< spaces a level; below zero: all on one line
};

/// Fails with bad_body where JSON can't hold it: a string that is not UTF-8, NaN or an infinity, a
/// key that is no string or number, an extension other than an address (which becomes its printed
/// form).
result<std::string> to_json(const value& v, const json_style& style = {});

/// Fails with syntax (line and column in the message) or too_big (deeper than 100). Integers stay
/// integers while they fit 64 bits; null becomes nil.
result<value> parse_json(std::string_view text);

}  // namespace troupe
