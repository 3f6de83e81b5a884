// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor/child_table.hpp"

#include <unordered_set>
#include <utility>

namespace troupe {

std::string_view to_string(child_state s) {
  constexpr std::string_view names[] = {"stopped", "starting", "running", "stopping", "restarting"};
  return names[static_cast<std::size_t>(s)];
}

child_record& child_table::add(std::string id, std::shared_ptr<const child_spec> spec,
                               authority_ptr rights) {
  const auto key = ++last_key_;
  if (id.empty()) id = spec->id + "-" + std::to_string(key);
  by_id_.emplace(id, key);
  auto& c = by_key_[key];
  c.key = key;
  c.id = std::move(id);
  c.spec = std::move(spec);
  c.rights = std::move(rights);
  return c;
}

void child_table::remove(child_record& c) {
  note(c, 0, 0);
  by_agent_.erase(c.placed_as);
  by_id_.erase(c.id);
  by_key_.erase(c.key);
}

void child_table::place(child_record& c, const address& at) {
  by_agent_.erase(std::exchange(c.placed_as, at.agent));
  by_agent_[at.agent] = c.key;
  c.at = at;
}

void child_table::reorder(const std::vector<child_record*>& first) {
  const auto order = keys();
  std::vector<std::uint64_t> wanted;
  wanted.reserve(order.size());
  for (const auto* c : first)
    wanted.push_back(c->key);
  const std::unordered_set<std::uint64_t> named(wanted.begin(), wanted.end());
  for (const auto key : order)
    if (!named.contains(key)) wanted.push_back(key);
  for (const auto key : wanted) {
    auto node = by_key_.extract(key);
    auto& c = node.mapped();
    c.key = node.key() = ++last_key_;
    by_id_[c.id] = c.key;
    if (c.placed_as != 0) by_agent_[c.placed_as] = c.key;
    if (c.watch != 0) by_watch_[c.watch] = c.key;
    if (c.start_call != 0) by_call_[c.start_call] = c.key;
    by_key_.insert(std::move(node));
  }
}

child_record* child_table::find(std::uint64_t key) {
  auto at = by_key_.find(key);
  return at != by_key_.end() ? &at->second : nullptr;
}

child_record* child_table::find(std::string_view id) {
  auto at = by_id_.find(std::string(id));
  return at != by_id_.end() ? find(at->second) : nullptr;
}

const child_record* child_table::find(std::string_view id) const {
  auto at = by_id_.find(std::string(id));
  return at != by_id_.end() ? &by_key_.at(at->second) : nullptr;
}

child_record* child_table::find(const address& at) {
  auto found = by_agent_.find(at.agent);
  return found != by_agent_.end() ? find(found->second) : nullptr;
}

child_record* child_table::watched_by(monitor_id watch) {
  auto at = by_watch_.find(watch);
  return at != by_watch_.end() ? find(at->second) : nullptr;
}

child_record* child_table::started_by(call_id call) {
  auto at = by_call_.find(call);
  return at != by_call_.end() ? find(at->second) : nullptr;
}

void child_table::note(child_record& c, monitor_id watch, call_id start_call) {
  if (c.watch != watch) {
    by_watch_.erase(std::exchange(c.watch, watch));
    if (watch != 0) by_watch_[watch] = c.key;
  }
  if (c.start_call != start_call) {
    by_call_.erase(std::exchange(c.start_call, start_call));
    if (start_call != 0) by_call_[start_call] = c.key;
  }
}

std::vector<std::uint64_t> child_table::keys(std::uint64_t first) const {
  std::vector<std::uint64_t> keys;
  for (auto at = by_key_.lower_bound(first); at != by_key_.end(); ++at)
    keys.push_back(at->first);
  return keys;
}

}  // namespace troupe
