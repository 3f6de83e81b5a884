// SPDX-License-Identifier: Apache-2.0
//
// What `:help` shows: the commands, the runtime's error codes, and the documentation of each Lua
// function, which is its stub.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"

namespace troupe::cli {

/// Without the colon.
std::vector<std::string> command_names();

/// About nothing (the commands), `errors`, a module (`troupe.async`) or a function (`troupe.call`).
/// Fails with not_found and the nearest name.
result<std::string> help(const std::string& about);

}  // namespace troupe::cli
