// SPDX-License-Identifier: Apache-2.0
//
// All tools of a node by name: built in, from plugins, registered by agents.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/address.hpp"
#include "base/result.hpp"
#include "base/schema.hpp"
#include "plugin/tools.hpp"

namespace troupe {

enum class tool_origin : std::uint8_t { builtin, plugin, agent };

struct known_tool {
  /// `origin` in it: `troupe`, the plugin's name, or the agent's path.
  tool_info info;
  tool_origin origin = tool_origin::builtin;
  schema shape;
  // Of an agent's tool.
  address agent;
  std::string verb;
};

/// Used in one actor's turns.
class tool_registry {
 public:
  /// Bounds for what agents register.
  static constexpr std::size_t max_per_agent = 256;
  static constexpr std::size_t max_description = 8u << 10;
  static constexpr std::size_t max_schema = 64u << 10;

  explicit tool_registry(tool_source& plugins) : plugins_(plugins) {}

  /// The schema must be one.
  void add_builtin(tool_info info);

  /// From the table that the agent at `path` sends. What a member of a pool offers is the pool's,
  /// whose address is `agent` then. Fails with bad_argument or exists.
  result<void> add(const value& table, const address& agent, std::string path,
                   bool is_member = false);
  /// Of no effect if it has none.
  void remove(const address& agent);

  /// Reads anew what plugins offer. Returns a sentence for each tool that can't be offered: its
  /// name is taken, or its schema is none.
  std::vector<error> refresh();

  /// Null if there is none. The pointer lives until a tool is added, removed or refreshed.
  const known_tool* find(std::string_view name) const;
  const std::map<std::string, known_tool, std::less<>>& tools() const { return tools_; }

 private:
  tool_source& plugins_;
  std::map<std::string, known_tool, std::less<>> tools_;
  std::unordered_map<address, std::set<std::string>> by_agent_;
};

}  // namespace troupe
