// SPDX-License-Identifier: Apache-2.0
#include "core/lane_table.hpp"

#include <caf/actor_cast.hpp>

#include "core/lane.hpp"

namespace troupe::core {

lane* lane_table::acquire() {
  const std::lock_guard lock(mutex_);
  if (closed_) return nullptr;
  if (!free_.empty()) {
    lane* const l = free_.back();
    free_.pop_back();
    return l;
  }
  const auto slot = last_slot_ + 1;
  const auto number = slot / chunk_size;
  if (number >= max_chunks) return nullptr;
  if (chunks_[number].load(std::memory_order_relaxed) == nullptr) {
    owned_chunks_.push_back(std::make_unique<chunk>());
    chunks_[number].store(owned_chunks_.back().get(), std::memory_order_release);
  }
  owned_lanes_.push_back(make_(slot));
  auto* const l = static_cast<lane*>(caf::actor_cast<caf::abstract_actor*>(owned_lanes_.back()));
  (*owned_chunks_.back())[slot % chunk_size].store(l, std::memory_order_release);
  last_slot_ = slot;
  return l;
}

void lane_table::release(lane& l) {
  const std::lock_guard lock(mutex_);
  free_.push_back(&l);
}

void lane_table::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

bool lane_table::is_closed() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

void lane_table::for_each(const std::function<void(lane&)>& f) {
  for (std::uint32_t slot = 1;; ++slot) {
    lane* const l = at(slot);
    if (l == nullptr) return;
    f(*l);
  }
}

void lane_table::clear() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  free_.clear();
  owned_lanes_.clear();
}

}  // namespace troupe::core
