// SPDX-License-Identifier: Apache-2.0
//
// One loaded copy of a plugin: its library, what it was given, and its checked records.
#pragma once

#include <troupe/ext/agents.h>
#include <troupe/ext/models.h>
#include <troupe/ext/tools.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "plugin/host.hpp"
#include "plugin/manifest.hpp"

namespace troupe {

/// Immutable once loaded, so any thread may read it. Shared by the agents, codecs and calls that
/// use it and by the catalog, which closes it last.
class plugin_instance {
 public:
  /// Checks the file, loads it, opens the plugin and compares what it offers with what its manifest
  /// says. `copy`: as a library of its own (reload). Fails with abi, io, config, or as the plugin
  /// says.
  static result<std::shared_ptr<plugin_instance>> load(const manifest& about, logger& log,
                                                       const std::string& node_version, bool copy);

  /// Tells the plugin that the node stops. Nothing of it is used any more.
  void close();

  const manifest& about() const { return about_; }
  void* self() const { return self_; }

  const std::vector<const troupe_agent_kind_t*>& agents() const { return agents_; }
  const std::vector<const troupe_tool_t*>& tools() const { return tools_; }
  const std::vector<const troupe_model_provider_t*>& providers() const { return providers_; }

  /// Null if there is none of that name.
  const troupe_agent_kind_t* agent(std::string_view name) const;
  const troupe_tool_t* tool(std::string_view name) const;
  const troupe_model_provider_t* provider(std::string_view name) const;

 private:
  plugin_instance(const manifest& about, logger& log, const std::string& node_version)
      : about_(about), host_(log, about.name, node_version) {}
  result<void> open(const troupe_plugin_t* record);
  result<void> collect();
  error wrong(const std::string& why) const;

  manifest about_;
  plugin_host host_;
  const troupe_plugin_t* record_ = nullptr;
  void* self_ = nullptr;
  std::vector<const troupe_agent_kind_t*> agents_;
  std::vector<const troupe_tool_t*> tools_;
  std::vector<const troupe_model_provider_t*> providers_;
};

}  // namespace troupe
