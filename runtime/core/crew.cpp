// SPDX-License-Identifier: Apache-2.0
#include "core/crew.hpp"

#include <algorithm>
#include <utility>

namespace troupe::core {

namespace {

/// As long as a turn lasts at most: whoever is in the same turn after it is slow.
constexpr auto look_period = std::chrono::milliseconds(2);
/// After that many looks in the same turn a thread counts as stuck (20 ms).
constexpr std::uint32_t looks_until_stuck = 10;
/// After that many (4 ms) it does where jobs wait behind it: no turn of a script lasts so long.
constexpr std::uint32_t looks_until_in_the_way = 2;
/// The lookout stops looking after that many looks at nothing (10 ms).
constexpr std::uint32_t idle_looks_until_asleep = 5;
/// A thread with fewer jobs fetches from the common queue at once, others every so many turns.
constexpr std::uint32_t few = 64;
/// Where there are always others, they get so many times as long as a slow turn took before the
/// next one: who floods others is not to be quicker than they are.
constexpr int share_of_others = 3;
/// The clock is read every so many turns, and only while a slow job waits.
constexpr std::uint64_t turns_between_looks = 64;
/// About a microsecond: less than it costs to park and be woken.
constexpr int spins = 40;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

class alignas(64) crew::member {
 public:
  run_queue queue;
  std::size_t index = 0;
  /// Jobs taken. Written by its thread alone.
  std::atomic<std::uint64_t> turns{0};

  // Its thread alone:
  bool searching = false;
  bool take_last = false;
  using stop_watch = std::chrono::steady_clock;
  bool runs_slow = false;  ///< its job is a slow one, taken at slow_since
  stop_watch::time_point slow_since, others_until;

  // Under the lock:
  bool works = false;
  bool woken = false;
  bool woken_to_take_last = false;
  std::uint64_t turns_seen = 0;
  std::uint32_t looks = 0;
  std::condition_variable wake;
};

crew::crew(std::size_t at_work, std::size_t spares)
    : at_work_(std::max<std::size_t>(at_work, 1)), spares_(spares), limit_(at_work_) {
  for (std::size_t i = 0; i < at_work_ + spares_; ++i) {
    members_.push_back(std::make_unique<member>());
    members_.back()->index = i;
  }
}

crew::~crew() = default;

std::size_t crew::working() const {
  const std::lock_guard lock(mutex_);
  return working_;
}

// -- jobs come in ---------------------------------------------------------------------------------

void crew::submit(void* job) {
  member* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    common_.push_back(job);
    common_size_.store(common_.size(), std::memory_order_relaxed);
    if (may_wake()) woken = wake_one(false);
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void crew::submit(member& m, void* job) {
  const auto count = m.queue.push(job);
  if (count == 0)
    overflow(m, job);
  else if (count >= 2 && may_wake_.load(std::memory_order_relaxed))
    offer();
}

void crew::postpone(member& m, void* job) {
  member* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    slow_.push_back(job);
    slow_size_.store(slow_.size(), std::memory_order_relaxed);
    // Alone it goes on here.
    if ((slow_.size() >= 2 || !common_.empty() || m.queue.size() > 0) && may_wake())
      woken = wake_one(false);
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void crew::overflow(member& m, void* job) {
  run_queue older;
  m.queue.move_half(older, 1);
  const std::lock_guard lock(mutex_);
  while (void* one = older.pop())
    common_.push_back(one);
  common_.push_back(job);
  common_size_.store(common_.size(), std::memory_order_relaxed);
}

/// Wakes somebody to share the work.
void crew::offer() {
  member* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (may_wake()) woken = wake_one(false);
  }
  if (woken != nullptr) woken->wake.notify_one();
}

// -- jobs go out ----------------------------------------------------------------------------------

void* crew::next(member& m) {
  const auto turn = m.turns.load(std::memory_order_relaxed) + 1;
  m.turns.store(turn, std::memory_order_relaxed);
  if (std::exchange(m.runs_slow, false)) {
    const auto now = member::stop_watch::now();
    m.others_until = now + share_of_others * (now - m.slow_since);
  }
  if (!m.works) park(m);  // its first time
  for (;;) {
    if (too_many_.load(std::memory_order_relaxed)) park(m, true);
    if (common_size_.load(std::memory_order_relaxed) != 0 &&
        (turn % few == 0 || m.queue.size() < few))
      fetch(m);
    const auto slow = [&] { return slow_size_.load(std::memory_order_relaxed) != 0; };
    void* job = nullptr;
    if (turn % turns_between_looks == 0 && slow() && member::stop_watch::now() >= m.others_until)
      job = take_slow(m);
    if (job == nullptr) job = m.queue.pop();
    for (int i = 0; job == nullptr && i < spins; ++i) {
      if (common_size_.load(std::memory_order_relaxed) != 0) break;
      job = steal(m);
      if (job == nullptr && slow()) job = take_slow(m);
      if (job == nullptr) relax();
    }
    if (job != nullptr) {
      if (m.searching) found(m);
      return job;
    }
    if (common_size_.load(std::memory_order_relaxed) == 0) park(m);
  }
}

void* crew::take_slow(member& m) {
  const std::lock_guard lock(mutex_);
  if (slow_.empty()) return nullptr;
  void* job = slow_.front();
  slow_.pop_front();
  slow_size_.store(slow_.size(), std::memory_order_relaxed);
  m.runs_slow = true;
  m.slow_since = member::stop_watch::now();
  return job;
}

/// Moves this thread's share of the common queue to the end of its own.
void crew::fetch(member& m) {
  {
    const std::lock_guard lock(mutex_);
    const auto room = run_queue::capacity - m.queue.size();
    auto share = std::min<std::size_t>({common_.size() / at_work_ + 1, common_.size(), room});
    for (; share > 0; --share) {
      m.queue.push(common_.front());
      common_.pop_front();
    }
    common_size_.store(common_.size(), std::memory_order_relaxed);
  }
  if (m.queue.size() >= 2 && may_wake_.load(std::memory_order_relaxed)) offer();
}

void* crew::steal(member& m) {
  const std::uint32_t least = m.take_last ? 1 : 2;
  for (std::size_t i = 1; i < members_.size(); ++i) {
    auto& victim = members_[(m.index + i) % members_.size()]->queue;
    if (victim.size() >= least && victim.move_half(m.queue, least) != 0) return m.queue.pop();
  }
  return nullptr;
}

/// The search is over: the next one may be woken, and is if there is more to do.
void crew::found(member& m) {
  m.searching = m.take_last = false;
  member* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    --searching_;
    if (may_wake() && has_work()) woken = wake_one(false);
    hint();
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void crew::leave(member& m) {
  member* woken = nullptr;
  {
    const std::lock_guard lock(mutex_);
    give_back(m);
    if (std::exchange(m.works, false)) --working_;  // it may never have asked for a job
    if (m.searching) --searching_;
    if (may_wake() && has_work()) woken = wake_one(false);
    hint();
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void* crew::left_over() {
  const std::lock_guard lock(mutex_);
  auto& left = common_.empty() ? slow_ : common_;
  if (left.empty()) return nullptr;
  void* job = left.front();
  left.pop_front();
  return job;
}

// -- sleeping and waking, with the lock held ------------------------------------------------------

/// Work that a thread more could take.
bool crew::has_work() const {
  return !common_.empty() || !slow_.empty() ||
         std::any_of(members_.begin(), members_.end(),
                     [](const auto& m) { return m->queue.size() >= 2; });
}

void crew::hint() {
  may_wake_.store(may_wake(), std::memory_order_relaxed);
  too_many_.store(working_ > limit_, std::memory_order_relaxed);
}

/// Takes somebody from the parked ones; the caller notifies it.
crew::member* crew::wake_one(bool take_last) {
  // The youngest, whose caches are warm; the lookout only if there is no other.
  auto pick = std::find_if(parked_.rbegin(), parked_.rend(),
                           [this](const member* m) { return m != lookout_; });
  if (pick == parked_.rend()) pick = parked_.rbegin();
  member* const m = *pick;
  m->woken = true;
  m->woken_to_take_last = take_last;
  unpark(*m);
  ++searching_;
  hint();
  // A lookout that has seen nothing for a while has to look again.
  if (lookout_ != nullptr && idle_looks_ >= idle_looks_until_asleep) {
    idle_looks_ = 0;
    lookout_->wake.notify_one();
  }
  return m;
}

void crew::unpark(member& m) {
  parked_.erase(std::find(parked_.begin(), parked_.end(), &m));
  m.works = true;
  m.looks = 0;
  ++working_;
  if (lookout_ != &m) return;
  lookout_ = parked_.empty() ? nullptr : parked_.back();
  idle_looks_ = 0;
  if (lookout_ != nullptr) lookout_->wake.notify_one();
}

void crew::give_back(member& m) {
  while (void* job = m.queue.pop())
    common_.push_back(job);
  common_size_.store(common_.size(), std::memory_order_relaxed);
}

/// Waits until there is something to do; with `even_with_work`, until others may not do it.
void crew::park(member& m, bool even_with_work) {
  std::unique_lock lock(mutex_);
  if (even_with_work) {
    if (working_ <= limit_) return hint();
    give_back(m);
  }
  if (m.works) {
    m.works = false;
    --working_;
    if (m.searching) --searching_;
  }
  m.searching = m.take_last = false;
  parked_.push_back(&m);
  if (lookout_ == nullptr) {
    lookout_ = &m;
    idle_looks_ = 0;
  }
  m.woken = m.woken_to_take_last = false;
  for (;;) {
    if (!m.woken && working_ < limit_ && has_work()) {
      unpark(m);
      ++searching_;
      m.woken = true;
    }
    hint();
    if (m.woken) break;
    if (lookout_ == &m && idle_looks_ < idle_looks_until_asleep) {
      if (m.wake.wait_for(lock, look_period) == std::cv_status::timeout && !m.woken) look_around();
    } else {
      m.wake.wait(lock);
    }
  }
  m.searching = true;
  m.take_last = m.woken_to_take_last;
}

/// What the lookout does: finds threads that are slow, and work that waits behind them.
void crew::look_around() {
  idle_looks_ = working_ > 0 ? 0 : idle_looks_ + 1;
  std::size_t stuck = 0;
  bool hidden_work = false;
  for (const auto& m : members_) {
    if (!m->works) continue;
    const auto turns = m->turns.load(std::memory_order_relaxed);
    if (turns != m->turns_seen) {
      m->turns_seen = turns;
      m->looks = 0;
      continue;
    }
    const bool hides_work = m->queue.size() > 0;
    hidden_work = hidden_work || hides_work;
    if (++m->looks >= (hides_work ? looks_until_in_the_way : looks_until_stuck)) ++stuck;
  }
  limit_ = at_work_ + std::min(stuck, spares_);
  if (may_wake() && (hidden_work || has_work())) wake_one(hidden_work)->wake.notify_one();
}

}  // namespace troupe::core
