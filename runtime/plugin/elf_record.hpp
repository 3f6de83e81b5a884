// SPDX-License-Identifier: Apache-2.0
//
// Reads what a shared library says of its ABI out of the file itself. dlopen runs a library's
// constructors before anybody can look at a symbol, so what does not fit is refused before that.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "plugin/manifest.hpp"

namespace troupe {

/// The ABI version in the `troupe_plugin` record of the ELF file at `path`. Fails, naming `plugin`:
/// not a shared library, for another machine, exports no troupe_plugin, ... (abi), or can't be read
/// (io).
result<abi_version> read_abi(std::string_view plugin, const std::string& path);

}  // namespace troupe
