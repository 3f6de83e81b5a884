// SPDX-License-Identifier: Apache-2.0
//
// Text from anybody made fit for a terminal or a log: it neither steers the one nor forges a line
// of the other.
#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// `data` within one line: line breaks, tabs and control characters are escaped (`\n`, `\u001b`);
/// bytes that are no UTF-8 are shown as `0x` and hexadecimal digits.
std::string within_line(std::string_view data);

/// The same, but line breaks and tabs stay as they are.
std::string within_lines(std::string_view data);

}  // namespace troupe
