// SPDX-License-Identifier: Apache-2.0
//
// Where the parts of an installation lie: everything is found from the program's own place, so that
// an install tree may be moved, and a build tree looks like one.
#pragma once

#include <string>

namespace troupe {

/// Absolute, without a slash at the end: `bin/..` of the running program.
const std::string& prefix();

std::string plugin_folder();    ///< one folder a plugin: plugin.json and library
std::string template_folder();  ///< what `troupe new` copies
std::string stub_folder();      ///< LuaCATS stubs, which `:help` reads
std::string shell_folder();     ///< the scripts of `troupe shell`
std::string worker_program();   ///< troupe_worker

}  // namespace troupe
