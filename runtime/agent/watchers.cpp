// SPDX-License-Identifier: Apache-2.0
#include "agent/watchers.hpp"

#include <algorithm>

namespace troupe {

namespace {

/// Up to here a scan is as quick as a look-up.
constexpr std::size_t few = 32;

}  // namespace

void watcher_list::add(const address& who, monitor_id id) {
  list_.push_back({who, id});
  if (places_)
    places_->insert_or_assign(list_.back(), static_cast<std::uint32_t>(list_.size() - 1));
  else if (list_.size() > few)
    tidy();
}

void watcher_list::remove(const address& who, monitor_id id) {
  const watcher wanted{who, id};
  if (!places_) {
    std::erase(list_, wanted);
    return;
  }
  const auto at = places_->find(wanted);
  if (at == places_->end()) return;
  list_[at->second] = {};
  places_->erase(at);
  if (++gone_ > list_.size() / 2) tidy();
}

/// Closes the gaps.
void watcher_list::tidy() {
  std::erase_if(list_, [](const watcher& w) { return w.id == 0; });
  list_.shrink_to_fit();
  gone_ = 0;
  if (list_.size() <= few) return places_.reset();
  places_ = std::make_unique<places>();
  for (std::size_t i = 0; i < list_.size(); ++i)
    places_->insert_or_assign(list_[i], static_cast<std::uint32_t>(i));
}

}  // namespace troupe
