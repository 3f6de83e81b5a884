// SPDX-License-Identifier: Apache-2.0
//
// A script as it was read from its file, and what it says of itself (declaration.hpp) before any
// agent runs it.
#pragma once

#include <memory>
#include <string>

#include "base/result.hpp"

namespace troupe::script {

/// A script's text. Immutable; shared by all agents that run it.
struct program {
  /// As the child spec names it, relative to `folder`; what tracebacks show.
  std::string file;
  /// Where relative paths start: the folder of the app file.
  std::string folder;
  std::string source;
};
using program_ptr = std::shared_ptr<const program>;  ///< shared: one text, many agents

/// Where a script of that name is read from.
std::string path_of(const std::string& file, const std::string& folder);

/// A script is at most this long, in bytes.
inline constexpr std::size_t max_script_size = 4u << 20;

/// Reads a script. Fails with not_found, io or too_big; the sentence names the file.
result<program_ptr> read_program(const std::string& file, const std::string& folder);

/// What `require(name)` means for a script: a file beside it (`lib.text` is `lib/text.lua` in its
/// own folder). Fails with not_found, or bad_argument for a name that leads elsewhere.
result<program_ptr> read_module(const program& script, std::string_view name);

}  // namespace troupe::script
