// SPDX-License-Identifier: Apache-2.0
//
// What a plugin says of itself in plugin.json: read and checked before any code of it runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/authority.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// The version of a plugin ABI. A plugin fits a node of the same major and at least its minor.
struct abi_version {
  std::uint32_t major = 0, minor = 0;
  friend bool operator==(const abi_version&, const abi_version&) = default;
};
std::string to_string(const abi_version& v);

/// What this node offers.
abi_version node_abi();

/// Fails with abi: `plugin clock: needs ABI 2.0, this node has 1.0`.
result<void> check_abi(std::string_view plugin, const abi_version& needed);

struct manifest {
  /// Reads `folder`/plugin.json:
  /// { "name", "version", "abi": "1.0", "description"?, "library"? (a file name; default NAME.so),
  ///   "provides": { "agents"?: [...], "tools"?: [...], "models"?: [...] }, "needs"?: { as in an
  ///   agent } }
  /// Fails with not_found, io, syntax, config (unknown keys are errors) or abi.
  static result<manifest> read(const std::string& folder);

  value to_value() const;

  std::string name, version, description;
  abi_version abi;
  std::string folder;   ///< absolute
  std::string library;  ///< absolute path of the shared library
  std::vector<std::string> agents, tools, models;
  grants needs;  ///< of its agent kinds
};

}  // namespace troupe
