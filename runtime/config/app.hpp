// SPDX-License-Identifier: Apache-2.0
//
// An app as data: what its file returned, checked key by key, with what the command line set on
// top. Running the file is script/'s; starting the tree is the supervisor's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/child_spec.hpp"

namespace troupe {

/// `desk/writer.draft`: an agent and one of its verbs.
struct agent_verb {
  std::string agent;
  std::string verb;
};
/// Fails with config.
result<agent_verb> agent_verb_from(std::string_view text);

struct app {
  std::string name;
  /// The app's own, after `--set`.
  value options = value::map{};
  /// By name; each { provider, model, api_key, base_url, price, ... } as the broker takes it.
  std::map<std::string, value> models;
  /// Of the root. Missing in the file: llm, and what the app's own agents are to each other.
  troupe::grants grants;
  value budget;
  /// Folders of plugins beside the installed ones, absolute; each holds a plugin.json.
  std::vector<std::string> plugins;
  supervisor_spec tree;
  /// Missing: the app serves.
  std::optional<agent_verb> main;
  /// Absolute; relative paths in the file start here.
  std::string folder;
};

/// `key=value` of `--set`, or of a TROUPE_ variable.
struct setting {
  std::string key;
  std::string text;
};

/// Where env() and file() references are looked up.
class environment {
 public:
  virtual ~environment() = default;
  virtual std::optional<std::string> variable(std::string_view name) const = 0;
  virtual result<std::string> file(const std::string& path) const = 0;
};

/// Checks what an app file returned and puts the settings on top, in their order. References (maps
/// with the one key `$env`, `$file` or `$option`, and perhaps `default`) are replaced by what they
/// refer to.
///
/// A setting's key is an option of the app (`size`), or reaches a child
/// (`desk/writer.options.model`, also `.restart`, `.limits.memory` and so on) or a model
/// (`models.default.model`). Its text becomes the type of what it replaces; where that is open,
/// JSON if it is JSON, else text.
///
/// Fails with config: unknown key or setting (with the nearest name), wrong type, two children with
/// one id, a `main` that leads to no child, a name that the node needs for itself, env() or file()
/// among the options of an isolated child, also by way of an option of the app.
result<app> app_from(const value& file, const std::string& folder,
                     const std::vector<setting>& settings, const environment& env);

/// Names that the node's own actors have at the root of the tree.
const std::vector<std::string_view>& reserved_names();

}  // namespace troupe
