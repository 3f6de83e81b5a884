// SPDX-License-Identifier: Apache-2.0
#include "core/names.hpp"

#include <algorithm>
#include <utility>

namespace troupe::core {

bool names::add(const address& a, std::string path) {
  auto& shard = shard_of(a);
  const std::lock_guard lock(shard.mutex);
  const auto [at, is_new] = shard.agents.try_emplace(a.agent);
  if (!is_new) return false;
  at->second.slot = a.slot;
  at->second.path = std::move(path);
  return true;
}

void names::note_reason(const address& a, const error& reason) {
  auto& shard = shard_of(a);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(a.agent);
  if (at != shard.agents.end()) at->second.reason = reason;
}

void names::remove(const address& a) {
  {
    auto& shard = shard_of(a);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.agents.find(a.agent);
    if (at == shard.agents.end()) return;
    auto& names = at->second.names;
    free_names(at->second, a);
    forget_names(at->second, remembered_names, a.agent);
    if (names.size() > remembered_names) {
      names.resize(remembered_names);
      names.shrink_to_fit();
    }
    at->second.slot = 0;
  }
  address forgotten;
  {
    const std::lock_guard lock(ended_mutex_);
    ended_.push_back(a.agent);
    if (ended_.size() <= remembered) return;
    forgotten.agent = ended_.front();
    ended_.pop_front();
  }
  auto& shard = shard_of(forgotten);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(forgotten.agent);
  if (at == shard.agents.end()) return;
  forget_names(at->second, 0, forgotten.agent);
  shard.agents.erase(at);
}

std::uint32_t names::slot_of(const address& a) const {
  const auto& shard = shard_of(a);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(a.agent);
  return at != shard.agents.end() ? at->second.slot : 0;
}

std::string names::path_of(const address& a) const {
  const auto& shard = shard_of(a);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(a.agent);
  return at != shard.agents.end() ? at->second.path : std::string();
}

std::optional<error> names::reason_of(const address& a) const {
  const auto& shard = shard_of(a);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(a.agent);
  return at != shard.agents.end() ? at->second.reason : std::nullopt;
}

bool names::bind(std::string_view name, const address& holder, bool replace) {
  auto& shard = shard_of(holder);
  const std::lock_guard lock(shard.mutex);
  const auto agent = shard.agents.find(holder.agent);
  if (agent == shard.agents.end() || agent->second.slot == 0) return false;
  auto& place = shard_of(name);
  const std::lock_guard name_lock(place.mutex);
  if (!place.table.bind(name, holder, replace)) return false;
  agent->second.names.emplace_back(name);
  return true;
}

void names::unbind(const address& holder) {
  auto& shard = shard_of(holder);
  const std::lock_guard lock(shard.mutex);
  const auto at = shard.agents.find(holder.agent);
  if (at != shard.agents.end()) free_names(at->second, holder);
}

void names::free_names(const resident& r, const address& whose) {
  for (const auto& name : r.names) {
    auto& place = shard_of(name);
    const std::lock_guard lock(place.mutex);
    place.table.unbind(name, whose);
  }
}

void names::forget_names(const resident& r, std::size_t first, std::uint64_t agent) {
  for (auto i = first; i < r.names.size(); ++i) {
    auto& place = shard_of(r.names[i]);
    const std::lock_guard lock(place.mutex);
    place.table.forget(r.names[i], agent);
  }
}

address names::lookup(std::string_view name) const {
  const auto& place = shard_of(name);
  const std::lock_guard lock(place.mutex);
  return place.table.lookup(name);
}

bool names::was_held(std::string_view name) const {
  const auto& place = shard_of(name);
  const std::lock_guard lock(place.mutex);
  return place.table.was_held(name);
}

}  // namespace troupe::core
