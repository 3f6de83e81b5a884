// SPDX-License-Identifier: Apache-2.0
#include "core/alarm.hpp"

#include <utility>
#include <vector>

namespace troupe::core {

namespace {

/// About half a millisecond: finer than agents can tell, coarser than a wake-up costs.
constexpr std::uint64_t tick = 1u << 19;

}  // namespace

alarm::alarm(std::function<instant()> now, std::function<void(std::uint32_t)> ring)
    : now_(std::move(now)), ring_(std::move(ring)), began_(now_()), thread_([this] { run(); }) {}

alarm::~alarm() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

std::uint64_t alarm::tick_after(instant t) const {
  if (t <= began_) return 0;
  return (static_cast<std::uint64_t>((t - began_).count()) + tick - 1) / tick;
}

std::uint64_t alarm::tick_before(instant t) const {
  return t <= began_ ? 0 : static_cast<std::uint64_t>((t - began_).count()) / tick;
}

void alarm::set(wheel_entry& e, instant at) {
  if (at == never) return cancel(e);
  const auto due = tick_after(at);
  bool earlier = false;
  {
    const std::lock_guard lock(mutex_);
    wheel_.set(e, due);
    earlier = due < sleeps_until_;
    if (earlier) sleeps_until_ = due;  // whoever comes next need not wake it again
  }
  if (earlier) wake_.notify_one();
}

void alarm::cancel(wheel_entry& e) {
  const std::lock_guard lock(mutex_);
  wheel_.cancel(e);
}

void alarm::run() {
  std::vector<std::uint32_t> due;
  std::unique_lock lock(mutex_);
  while (!over_) {
    const auto now = now_();
    for (const auto* e = wheel_.advance(tick_before(now)); e != nullptr; e = e->next)
      due.push_back(e->owner);
    if (!due.empty()) {
      sleeps_until_ = 0;  // awake
      lock.unlock();
      for (const auto owner : due)
        ring_(owner);
      due.clear();
      lock.lock();
      continue;
    }
    sleeps_until_ = wheel_.next();
    if (sleeps_until_ == timer_wheel::nothing)
      wake_.wait(lock);
    else
      wake_.wait_for(lock, began_ + duration(sleeps_until_ * tick) - now);
  }
}

}  // namespace troupe::core
