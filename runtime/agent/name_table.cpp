// SPDX-License-Identifier: Apache-2.0
#include "agent/name_table.hpp"

namespace troupe {

bool name_table::bind(std::string_view name, const address& holder, bool replace) {
  auto& e = entries_.try_emplace(std::string(name)).first->second;
  if (!e.is_free && !(e.newest == holder)) {
    if (!replace) return false;
    e.behind.remove(holder);
    e.behind.push_front(e.newest);
  }
  e.newest = holder;
  e.is_free = false;
  return true;
}

void name_table::unbind(std::string_view name, const address& holder) {
  const auto at = entries_.find(name);
  if (at == entries_.end() || at->second.is_free) return;
  auto& e = at->second;
  if (!(e.newest == holder)) {
    e.behind.remove(holder);
  } else if (e.behind.empty()) {
    e.is_free = true;
  } else {
    e.newest = e.behind.front();
    e.behind.pop_front();
  }
}

void name_table::forget(std::string_view name, std::uint64_t agent) {
  const auto at = entries_.find(name);
  if (at != entries_.end() && at->second.is_free && at->second.newest.agent == agent)
    entries_.erase(at);
}

address name_table::lookup(std::string_view name) const {
  const auto at = entries_.find(name);
  return at != entries_.end() && !at->second.is_free ? at->second.newest : address{};
}

bool name_table::was_held(std::string_view name) const {
  const auto at = entries_.find(name);
  return at != entries_.end() && at->second.is_free;
}

}  // namespace troupe
