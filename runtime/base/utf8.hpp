// SPDX-License-Identifier: Apache-2.0
//
// What tells text from bytes.
#pragma once

#include <cstddef>
#include <string_view>

namespace troupe {

/// True for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. Zero bytes
/// and the empty string are fine.
bool is_utf8(std::string_view data);

/// The beginning of `text`, at most `most` bytes, with no character cut in two.
std::string_view utf8_prefix(std::string_view text, std::size_t most);

}  // namespace troupe
