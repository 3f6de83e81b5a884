// SPDX-License-Identifier: Apache-2.0
//
// An entry lies on the level of the highest group of six bits in which its tick differs from the
// present one, in the slot that those bits name. So the lowest occupied slot of the lowest occupied
// level is next; when its time comes its entries are due, or fall to a lower level.
#include "core/timer_wheel.hpp"

#include <algorithm>
#include <bit>

namespace troupe::core {

void timer_wheel::set(wheel_entry& e, std::uint64_t tick) {
  cancel(e);
  e.due = std::min(std::max(tick, now_), nothing - 1);
  e.is_set = true;
  insert(e);
}

void timer_wheel::insert(wheel_entry& e) {
  const auto differs = (e.due ^ now_) | (slots - 1);
  const auto level = static_cast<std::size_t>(63 - std::countl_zero(differs)) / bits;
  const auto slot = static_cast<std::size_t>(e.due >> (level * bits)) % slots;
  auto& r = rings_[level];
  e.level = static_cast<std::uint8_t>(level);
  e.slot = static_cast<std::uint8_t>(slot);
  e.previous = r.last[slot];
  e.next = nullptr;
  (e.previous != nullptr ? e.previous->next : r.first[slot]) = &e;
  r.last[slot] = &e;
  r.occupied |= std::uint64_t{1} << slot;
}

void timer_wheel::cancel(wheel_entry& e) {
  if (!e.is_set) return;
  auto& r = rings_[e.level];
  (e.previous != nullptr ? e.previous->next : r.first[e.slot]) = e.next;
  (e.next != nullptr ? e.next->previous : r.last[e.slot]) = e.previous;
  if (r.first[e.slot] == nullptr) r.occupied &= ~(std::uint64_t{1} << e.slot);
  e.previous = e.next = nullptr;
  e.is_set = false;
}

std::uint64_t timer_wheel::next() const {
  for (std::size_t level = 0; level < levels; ++level) {
    if (rings_[level].occupied == 0) continue;
    const auto slot = static_cast<std::uint64_t>(std::countr_zero(rings_[level].occupied));
    const auto shift = level * bits;
    const auto above = shift + bits >= 64 ? 0 : now_ >> (shift + bits) << (shift + bits);
    return above | slot << shift;
  }
  return nothing;
}

wheel_entry* timer_wheel::take_slot(std::size_t level, std::size_t slot) {
  auto& r = rings_[level];
  wheel_entry* list = r.first[slot];
  r.first[slot] = r.last[slot] = nullptr;
  r.occupied &= ~(std::uint64_t{1} << slot);
  return list;
}

wheel_entry* timer_wheel::advance(std::uint64_t tick) {
  wheel_entry* due = nullptr;
  wheel_entry** end = &due;
  for (auto at = next(); at <= tick && at != nothing; at = next()) {
    now_ = at;
    const auto level = static_cast<std::size_t>(
        std::find_if(rings_.begin(), rings_.end(), [](const ring& r) { return r.occupied != 0; }) -
        rings_.begin());
    const auto slot = static_cast<std::size_t>(std::countr_zero(rings_[level].occupied));
    for (wheel_entry* e = take_slot(level, slot); e != nullptr;) {
      wheel_entry& one = *e;
      e = e->next;
      if (level > 0) {
        insert(one);
        continue;
      }
      one.is_set = false;
      one.previous = one.next = nullptr;
      *end = &one;
      end = &one.next;
    }
  }
  now_ = std::max(now_, tick);
  return due;
}

}  // namespace troupe::core
