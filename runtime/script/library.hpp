// SPDX-License-Identifier: Apache-2.0
//
// The public modules that are written in Lua: scripts/troupe/*.lua, as the build puts them into the
// binary.
#pragma once

#include <span>
#include <string_view>

namespace troupe::script {

struct library_module {
  std::string_view name;       ///< `troupe.async`
  std::string_view chunkname;  ///< `@troupe/async.lua`
  std::string_view source;
};

/// All of them, in no order.
std::span<const library_module> library();

}  // namespace troupe::script
