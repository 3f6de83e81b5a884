// SPDX-License-Identifier: Apache-2.0
//
// The node as a plugin sees it: its host record and the extensions behind it. What needs a turn is
// in plugin_behaviour.cpp (troupe.agents/1) and plugin_tools.cpp (troupe.tools/1).
#pragma once

#include <troupe/ext/agents.h>
#include <troupe/ext/json.h>
#include <troupe/ext/log.h>
#include <troupe/ext/outlet.h>
#include <troupe/ext/tools.h>

#include <string>

#include "base/log.hpp"

namespace troupe {

/// One for each loaded plugin; lives as long as the plugin may call it.
class plugin_host {
 public:
  plugin_host(logger& log, std::string plugin, std::string node_version);
  plugin_host(const plugin_host&) = delete;
  plugin_host& operator=(const plugin_host&) = delete;

  const troupe_host_t* record() const { return &record_.host; }
  const std::string& plugin() const { return plugin_; }
  void write(std::uint32_t level, std::string_view message, value::map fields) const;

  static const plugin_host& of(const troupe_host_t* host);

 private:
  /// What `of` finds its way back by.
  struct backed_record {
    troupe_host_t host;
    const plugin_host* owner;
  };

  logger& log_;
  std::string plugin_, node_version_;
  backed_record record_;
};

/// The tables that all plugins share.
extern const troupe_agents_host_t agents_host_table;
extern const troupe_outlet_host_t outlet_host_table;
extern const troupe_tools_host_t tools_host_table;

}  // namespace troupe
