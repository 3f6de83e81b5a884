// SPDX-License-Identifier: Apache-2.0
//
// All plugins of a node or a worker, by name. Adding one reads its manifest and runs no code of it;
// it is loaded when something of it is used for the first time, and stays.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/behaviour.hpp"
#include "base/log.hpp"
#include "plugin/codec.hpp"
#include "plugin/manifest.hpp"
#include "plugin/tools.hpp"

namespace troupe {

class plugin_instance;

/// Thread-safe. Must outlive everything that came out of it.
class catalog final : public tool_source, public codec_source {
 public:
  /// `log` outlives the catalog. `node_version` is what plugins are told.
  catalog(logger& log, std::string node_version);
  /// The node has stopped: closes the plugins, the last loaded first.
  ~catalog() override;
  catalog(const catalog&) = delete;
  catalog& operator=(const catalog&) = delete;

  /// Adds the plugin in `folder`. Fails as manifest::read does, or with exists (its name, or the
  /// name of a tool or provider of it, is taken).
  result<void> add(const std::string& folder);
  /// Adds every folder of `folder` that holds a plugin.json; what could not be added is returned. A
  /// missing `folder` is no failure.
  std::vector<error> add_all(const std::string& folder);
  /// What is there, in the order in which it was added.
  std::vector<manifest> plugins() const;
  /// Fails with not_found.
  result<manifest> find(std::string_view plugin) const;

  /// Loads a plugin if it is not loaded yet. Fails with not_found, abi, io, or as the plugin says;
  /// a failure lasts until `reload`.
  result<void> load(std::string_view plugin);
  /// Reads a plugin's manifest again and loads its library beside the present copy. What is made
  /// from now on uses it; what is there goes on with the old one. On failure nothing changes.
  /// The file has to be a new one in the place of the old: code of the first copy is mapped from
  /// it.
  result<void> reload(std::string_view plugin);

  /// A behaviour for `start = { plugin, kind }`. Fails with not_found (naming the nearest), or as
  /// `load` does. `options`: a map.
  result<std::unique_ptr<behaviour>> make_agent(std::string_view plugin, std::string_view kind,
                                                const value& options);

  // -- tool_source. Plugins that can't be loaded are logged and left out of `tools`.
  std::vector<tool_info> tools() const override;
  result<void> hold(std::uint64_t copy) override;
  void let_go(std::uint64_t copy) override;
  std::optional<result<bytes>> call_tool(const tool_request& request, const outlet& later) override;
  void cancel_tool(std::string_view name, std::uint64_t copy, std::uint64_t id) override;

  // -- codec_source
  result<std::unique_ptr<model_codec>> make_codec(std::string_view provider, const value& options,
                                                  const std::string& folder) override;
  std::vector<std::string> providers() const override;

 private:
  /// A plugin and its copy, once loaded.
  class entry;
  /// What is there at one time; replaced as a whole, so that readers need no lock.
  struct table;

  template <class Change>
  result<void> replace_table(Change&& change);
  std::shared_ptr<entry> find_entry(std::string_view plugin) const;
  std::shared_ptr<entry> find_copy(std::uint64_t copy) const;
  /// The present one, or that copy of the plugin.
  std::shared_ptr<entry> find_tool(std::string_view name, std::uint64_t copy) const;
  std::shared_ptr<entry> find_provider_of(std::vector<std::string> manifest::*names,
                                          std::string_view name) const;

  logger& log_;
  const std::string node_version_;
  /// Shared: a reader keeps the table it looks at.
  std::atomic<std::shared_ptr<const table>> table_;
};

}  // namespace troupe
