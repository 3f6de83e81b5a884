// SPDX-License-Identifier: Apache-2.0
//
// What tells text from bytes.
#pragma once

#include <string_view>

namespace troupe {

/// True for well-formed UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. Zero bytes
/// and the empty string are fine.
bool is_utf8(std::string_view data);

}  // namespace troupe
