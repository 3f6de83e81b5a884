// SPDX-License-Identifier: Apache-2.0
//
// Who lives in this node and how it is called: agents by id, with their paths and names, and for a
// while why those that ended did. Off the way of messages, unless an address lost its slot.
#pragma once

#include <array>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/name_table.hpp"
#include "base/error.hpp"

namespace troupe::core {

/// Thread-safe: sixteen locks by agent and sixteen by name, each held for a few instructions.
class names {
 public:
  /// How many that have ended are remembered, newest first to be forgotten last.
  static constexpr std::size_t remembered = 1024;
  /// And so many of the names that each of them had, its path first.
  static constexpr std::size_t remembered_names = 4;

  /// False if there is one with that id already.
  bool add(const address& a, std::string path);
  /// Why it ends; before `remove`.
  void note_reason(const address& a, const error& reason);
  /// It has ended: its names are free, its path and reason are kept for a while.
  void remove(const address& a);

  /// 0 if no such agent lives here.
  std::uint32_t slot_of(const address& a) const;
  /// Empty if it was never here or is forgotten.
  std::string path_of(const address& a) const;
  /// Why it ended, or is just ending; nothing if it lives, was never here or is forgotten.
  std::optional<error> reason_of(const address& a) const;

  /// False if somebody else has the name and `replace` is not set, or `holder` does not live here.
  bool bind(std::string_view name, const address& holder, bool replace);
  /// Takes `holder` from its names; see name_table for where they lead then.
  void unbind(const address& holder);
  address lookup(std::string_view name) const;
  /// True if the name is free, and who held it last has ended and is not forgotten yet.
  bool was_held(std::string_view name) const;

 private:
  struct resident {
    std::uint32_t slot = 0;  ///< 0: has ended
    std::string path;
    std::vector<std::string> names;  ///< also after its end
    std::optional<error> reason;
  };
  // A lock of the first kind may be held while one of the second is taken, not the other way.
  struct alignas(64) agent_shard {
    mutable std::mutex mutex;
    std::unordered_map<std::uint64_t, resident> agents;
  };
  struct alignas(64) name_shard {
    mutable std::mutex mutex;
    name_table table;
  };
  static constexpr std::size_t shards = 16;

  agent_shard& shard_of(const address& a) { return agents_[a.agent % shards]; }
  const agent_shard& shard_of(const address& a) const { return agents_[a.agent % shards]; }
  name_shard& shard_of(std::string_view name) {
    return names_[std::hash<std::string_view>{}(name) % shards];
  }
  const name_shard& shard_of(std::string_view name) const {
    return names_[std::hash<std::string_view>{}(name) % shards];
  }
  void free_names(const resident& r, const address& whose);
  void forget_names(const resident& r, std::size_t first, std::uint64_t agent);

  std::array<agent_shard, shards> agents_;
  std::array<name_shard, shards> names_;
  std::mutex ended_mutex_;
  std::deque<std::uint64_t> ended_;
};

}  // namespace troupe::core
