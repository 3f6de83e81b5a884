// SPDX-License-Identifier: Apache-2.0
//
// What `:help` shows: the commands, the runtime's error codes, and the documentation of each Lua
// function, which is its stub.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace troupe::cli {

/// With the colon.
std::vector<std::string> command_names();

/// Fails with not_found and the nearest name if there is no such command.
result<void> check_command(const std::string& name);

/// What may stand next behind a command and the words that follow it: `AGENT.VERB`, `FILE`, or in
/// lower case the word itself.
std::vector<std::string> next_words(std::string_view command,
                                    const std::vector<std::string>& given);

/// What `help` knows, in short: `troupe.call`, `async.map`, `ps`, `errors`.
std::vector<std::string> help_words();

/// About nothing (the commands), `errors`, a command, a module (`troupe.async`) or a function
/// (`troupe.call`).
/// Fails with not_found and the nearest name.
result<std::string> help(const std::string& about);

}  // namespace troupe::cli
