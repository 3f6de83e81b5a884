// SPDX-License-Identifier: Apache-2.0
//
// A stack of messages that the reader takes as a whole and turns around: a push is one compare and
// swap, and no writer ever follows a pointer, so there is no ABA problem and nothing to reclaim.
#include "agent/mailbox.hpp"

#include <algorithm>

namespace troupe {
namespace {

// States of `newest_` other than a message's address. Addresses of envelopes have these bits clear.
constexpr std::uintptr_t empty = 0;  // the reader is awake or scheduled
constexpr std::uintptr_t poked = 1;  // a flag beside `empty` or an address
constexpr std::uintptr_t asleep = 2;
constexpr std::uintptr_t closed = 4;
static_assert(alignof(envelope) >= 8);

constexpr int count_shift = 40;
constexpr std::uint64_t weight_mask = (std::uint64_t{1} << count_shift) - 1;
// A part of what fits, so that writers which overshoot at the same time can't overflow it.
constexpr std::uint32_t max_messages = 1u << 23;
constexpr std::uint64_t max_bytes = std::uint64_t{1} << 38;

bool counts(const envelope& e) {
  return e.kind == kind::send || e.kind == kind::call;
}

std::uint64_t load_of(const envelope& e) {
  return (std::uint64_t{1} << count_shift) + e.weight();
}

envelope* oldest_first(std::uintptr_t newest) {
  auto* e = reinterpret_cast<envelope*>(newest);
  envelope* reversed = nullptr;
  while (e != nullptr) {
    envelope* next = e->next;
    e->next = reversed;
    reversed = e;
    e = next;
  }
  return reversed;
}

}  // namespace

mailbox::mailbox(const mailbox_limits& limits) : newest_(closed) {
  reopen(limits);
}

mailbox::~mailbox() {
  for (envelope* e = close(); e != nullptr;) {
    const envelope_ptr dropped(e);
    e = e->next;
  }
}

mailbox::pushed mailbox::push(envelope_ptr& e) {
  std::uintptr_t seen = newest_.load(std::memory_order_relaxed);
  if (seen == closed) return pushed::closed;
  const std::uint64_t load = counts(*e) ? load_of(*e) : 0;
  if (load != 0) {
    const std::uint64_t before = load_.fetch_add(load, std::memory_order_relaxed);
    if ((before >> count_shift) >= max_messages_.load(std::memory_order_relaxed) ||
        ((before + load) & weight_mask) > max_bytes_.load(std::memory_order_relaxed)) {
      load_.fetch_sub(load, std::memory_order_relaxed);
      return pushed::full;
    }
  }
  const auto mine = reinterpret_cast<std::uintptr_t>(e.get());
  std::uintptr_t wanted = 0;
  do {
    if (seen == closed) {
      if (load != 0) load_.fetch_sub(load, std::memory_order_relaxed);
      return pushed::closed;
    }
    const bool alone = seen == asleep;
    e->next = alone ? nullptr : reinterpret_cast<envelope*>(seen & ~poked);
    wanted = alone ? mine : mine | (seen & poked);
    // Acquire: what the reader did before it fell asleep happened before it is scheduled again.
  } while (!newest_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel,
                                          std::memory_order_relaxed));
  static_cast<void>(e.release());  // the reader may have deleted it already
  return seen == asleep ? pushed::schedule : pushed::queued;
}

bool mailbox::poke() {
  std::uintptr_t seen = newest_.load(std::memory_order_relaxed);
  while (seen != closed) {
    const std::uintptr_t wanted = seen == asleep ? empty : seen | poked;
    if (newest_.compare_exchange_weak(seen, wanted, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
      return seen == asleep;
  }
  return false;
}

envelope* mailbox::take_all() {
  std::uintptr_t seen = newest_.load(std::memory_order_relaxed);
  if (seen == empty || seen == asleep || seen == closed) return nullptr;
  seen = newest_.exchange(empty, std::memory_order_acq_rel);
  if ((seen & poked) != 0) was_poked_ = true;
  return oldest_first(seen & ~poked);
}

void mailbox::release(const envelope& e) {
  if (counts(e)) load_.fetch_sub(load_of(e), std::memory_order_relaxed);
}

bool mailbox::try_sleep() {
  if (was_poked_) {
    was_poked_ = false;
    return false;
  }
  std::uintptr_t seen = empty;
  if (newest_.compare_exchange_strong(seen, asleep, std::memory_order_acq_rel,
                                      std::memory_order_relaxed))
    return true;
  // A poke alone is honoured by this refusal; with messages the flag stays for take_all.
  seen = poked;
  newest_.compare_exchange_strong(seen, empty, std::memory_order_acq_rel,
                                  std::memory_order_relaxed);
  return false;
}

envelope* mailbox::close() {
  const std::uintptr_t seen = newest_.exchange(closed, std::memory_order_acq_rel);
  was_poked_ = false;
  return seen == asleep || seen == closed ? nullptr : oldest_first(seen & ~poked);
}

void mailbox::reopen(const mailbox_limits& limits) {
  max_messages_.store(std::min(limits.messages, max_messages), std::memory_order_relaxed);
  max_bytes_.store(std::min<std::uint64_t>(limits.bytes, max_bytes), std::memory_order_relaxed);
  newest_.store(asleep, std::memory_order_release);
}

std::uint32_t mailbox::count() const {
  return static_cast<std::uint32_t>(load_.load(std::memory_order_relaxed) >> count_shift);
}

std::size_t mailbox::weight() const {
  return load_.load(std::memory_order_relaxed) & weight_mask;
}

}  // namespace troupe
