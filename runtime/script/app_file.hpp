// SPDX-License-Identifier: Apache-2.0
//
// Runs an app file: Lua without libraries and within a budget of steps, that returns plain data. It
// can't read anything itself: env(), file() and option() are references that somebody resolves who
// knows their values. What the data mean is checked by config/.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe::script {

struct app_file {
  /// The file is an agent's: an app with that one child.
  bool is_agent = false;
  /// What it returned; references are maps with the one key `$env`, `$file` or `$option`, and
  /// perhaps `default`.
  value content;
  /// The file, and those it includes, as they were named; each once.
  std::vector<std::string> files;
};

/// What an app file may know of the command line that names it.
struct app_world {
  /// Answers the function of that name.
  std::function<bool(std::string_view)> env_is_set;
  /// `arg(n)` is the n-th of them, or nil.
  std::vector<std::string> arguments = {};
  /// Absolute; `cwd(path)` makes a path absolute from here, where the person stands who runs the
  /// app. All other relative paths start from the app's folder.
  std::string working_folder = "/";
};

/// Runs `folder`/`file`. A file that asks for a library with `require` is taken for an agent's, and
/// run no further.
///
/// Fails with not_found, io, syntax (`x.lua:3: ...`), crash (it raised), limit (above 5 million
/// instructions or 32 MiB), config (it returns no table, or what is no plain data; a file that
/// includes itself; an include outside `folder`).
result<app_file> run_app_file(const std::string& file, const std::string& folder,
                              const app_world& world);

}  // namespace troupe::script
