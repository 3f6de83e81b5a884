// SPDX-License-Identifier: Apache-2.0
//
// From the name of a file to an app that can be started.
#pragma once

#include <string>
#include <vector>

#include "config/app.hpp"

namespace troupe {

/// Runs the file with the process's environment and working folder, and puts the settings on top. A
/// single agent's file becomes an app with that one child: it is granted what it says it needs, and
/// its `main` is the app's. Its model `default` is OPENAI_MODEL at OPENAI_BASE_URL if
/// OPENAI_API_KEY or OPENAI_BASE_URL is set, else the scripted one with `replies.json` beside the
/// file, if that is there.
result<app> load_app(const std::string& file, const std::vector<std::string>& arguments,
                     const std::vector<setting>& settings);

/// Where load_app reads it.
std::string absolute_file(const std::string& file);

/// An app with nothing in it, for the shell.
app empty_app();

/// `key=value`; fails with config.
result<setting> setting_from(const std::string& text);

}  // namespace troupe
