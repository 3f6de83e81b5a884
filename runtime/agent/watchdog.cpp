// SPDX-License-Identifier: Apache-2.0
#include "agent/watchdog.hpp"

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include <csignal>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <thread>
#include <utility>

namespace troupe {
namespace {

/// What is known of one thread that runs turns. Records are never freed, only used again by other
/// threads: a watchdog may look at one whose thread has just ended. There are as many as there were
/// such threads at the same time.
struct record {
  std::atomic<pid_t> tid{0};             // 0: free
  std::atomic<std::uint64_t> owner{0};   // id of the watchdog that this turn belongs to
  std::atomic<std::uint64_t> turn{0};    // odd while in a turn
  std::atomic<std::uint64_t> wanted{0};  // the turn that shall be interrupted
  std::atomic<std::uint64_t> seen{0};    // the turn at the owner's last look
  std::atomic<std::uint64_t> who{0};     // whose turn it is
  std::atomic<bool> hurried{false};      // it had a long turn before
  // Since when the owner has seen this turn, and which it has told of.
  std::atomic<std::uint64_t> late{0};
  std::atomic<std::int64_t> since{0};
  std::atomic<std::uint64_t> told{0};
  // What the signal handler found the thread in, and in which turn.
  std::array<std::atomic<char>, 96> place{};
  std::atomic<std::uint64_t> place_of{0};
  record* next = nullptr;
};

std::atomic<record*> records{nullptr};

// Read in the signal handler, so: no constructor, no lazy allocation.
constinit thread_local interruptible* current = nullptr;
constinit thread_local record* mine = nullptr;
constinit thread_local const std::string* foreign = nullptr;

/// Frees the record when its thread ends.
struct leaver {
  bool armed = false;
  ~leaver() {
    if (!armed) return;
    auto* r = mine;
    mine = nullptr;
    r->owner.store(0, std::memory_order_relaxed);
    r->tid.store(0, std::memory_order_release);
  }
};
thread_local leaver leaving;

/// On the thread that is there: so the text still lives.
void note_place(record& r, const std::string& text) {
  std::size_t n = 0;
  for (; n < text.size() && n + 1 < r.place.size(); ++n)
    r.place[n].store(text[n], std::memory_order_relaxed);
  r.place[n].store('\0', std::memory_order_relaxed);
  r.place_of.store(r.turn.load(std::memory_order_relaxed), std::memory_order_release);
}

void on_signal(int) {
  const auto saved = errno;
  auto* r = mine;
  auto* what = current;
  if (r != nullptr && what != nullptr &&
      r->wanted.load(std::memory_order_relaxed) == r->turn.load(std::memory_order_relaxed))
    what->interrupt();
  if (r != nullptr && foreign != nullptr) note_place(*r, *foreign);
  errno = saved;
}

/// SIGURG, as in Go: ignored by default, used by nobody else, restarts system calls.
void install_handler() {
  static const bool installed = [] {
    struct sigaction action {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    return sigaction(SIGURG, &action, nullptr) == 0;
  }();
  static_cast<void>(installed);
}

record* enlist() {
  const auto tid = static_cast<pid_t>(syscall(SYS_gettid));
  for (auto* r = records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    pid_t nobody = 0;
    if (r->tid.compare_exchange_strong(nobody, tid)) return r;
  }
  auto* r = new record;  // never deleted, see above
  r->tid.store(tid);
  r->next = records.load(std::memory_order_relaxed);
  while (!records.compare_exchange_weak(r->next, r, std::memory_order_release)) {
  }
  return r;
}

/// This thread hardly runs, but late it is of no use: where all cores compute, another's time slice
/// is waited for, 5 ms or more. So it asks for real time, as root may, and others whom the limit
/// RTPRIO allows it; else for a slice so short that it comes first, which Linux knows from 6.12 on.
void ask_to_be_woken_at_once() {
  constexpr sched_param least{1};
  if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &least) == 0) return;
  struct {  // as linux/sched/types.h has it, which older systems don't
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
  } wish{};
  if (syscall(SYS_sched_getattr, 0, &wish, sizeof wish, 0) != 0 || wish.policy != SCHED_OTHER)
    return;
  wish.runtime = 100'000;  // ns, the least there is
  static_cast<void>(syscall(SYS_sched_setattr, 0, &wish, 0));
}

/// So many looks at nothing before the thread sleeps until the next turn.
constexpr int idle_looks = 8;

}  // namespace

void set_running(interruptible* what) noexcept {
  // The handler runs on this thread: the compiler must not move this, the processor can't.
  std::atomic_signal_fence(std::memory_order_seq_cst);
  current = what;
  std::atomic_signal_fence(std::memory_order_seq_cst);
}

interruptible* running() noexcept {
  return current;
}

const std::string* set_foreign(const std::string* name) noexcept {
  std::atomic_signal_fence(std::memory_order_seq_cst);
  const auto* was = std::exchange(foreign, name);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  return was;
}

struct watchdog::impl {
  impl(duration slice, duration patience, std::function<void(const late_turn&)> on_late)
      : slice(slice), patience(patience), on_late(std::move(on_late)), id(next_id.fetch_add(1)) {
    thread = std::thread([this] { watch(); });
  }

  ~impl() {
    stopping.store(true);
    wake();
    thread.join();
  }

  void wake() noexcept {
    asleep.store(false);
    asleep.notify_one();
  }

  void watch() {
    ask_to_be_woken_at_once();
    int idle = 0;
    while (!stopping.load(std::memory_order_relaxed)) {
      const bool busy = look();
      idle = busy ? 0 : idle + 1;
      if (idle < idle_looks) {
        nap();
        continue;
      }
      // Told first, looked again afterwards: a turn that begins in between is seen here or wakes.
      asleep.store(true);
      if (!look() && !stopping.load()) asleep.wait(true);
      asleep.store(false);
      idle = 0;
    }
  }

  /// True if any thread is in a turn, or was since the last look.
  bool look() {
    bool active = false;
    for (auto* r = records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
      if (r->owner.load(std::memory_order_relaxed) != id) continue;
      const auto turn = r->turn.load();
      const bool same = r->seen.exchange(turn, std::memory_order_relaxed) == turn;
      if (!same || turn % 2 != 0) active = true;
      if ((same || r->hurried.load(std::memory_order_relaxed)) && turn % 2 != 0) {
        r->wanted.store(turn, std::memory_order_relaxed);
        // By number and not by handle: if that thread has just ended, the signal is lost, or meets
        // another thread of ours, which has no such turn.
        syscall(SYS_tgkill, getpid(), r->tid.load(), SIGURG);
        if (on_late && same) time_turn(*r, turn);
      }
    }
    return active;
  }

  /// Of a turn that was there at the last look.
  void time_turn(record& r, std::uint64_t turn) {
    const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    if (r.late.exchange(turn, std::memory_order_relaxed) != turn) {
      r.since.store(now, std::memory_order_relaxed);
      return;
    }
    const std::chrono::steady_clock::duration so_far(now - r.since.load(std::memory_order_relaxed));
    if (so_far < patience || r.told.exchange(turn, std::memory_order_relaxed) == turn) return;
    late_turn what{
        r.who.load(std::memory_order_relaxed), std::chrono::duration_cast<duration>(so_far), {}};
    if (r.place_of.load(std::memory_order_acquire) == turn)
      for (std::size_t i = 0; i < r.place.size(); ++i) {
        const char c = r.place[i].load(std::memory_order_relaxed);
        if (c == '\0') break;
        what.in += c;
      }
    if (r.turn.load() == turn) on_late(what);  // still: all of that was of this turn
  }

  void nap() const {
    const auto ns = slice.count();
    timespec t{};
    t.tv_sec = static_cast<time_t>(ns / 1'000'000'000);
    t.tv_nsec = static_cast<long>(ns % 1'000'000'000);
    nanosleep(&t, nullptr);
  }

  static std::atomic<std::uint64_t> next_id;

  const duration slice;
  const duration patience;
  const std::function<void(const late_turn&)> on_late;
  const std::uint64_t id;
  std::atomic<bool> stopping{false};
  std::atomic<bool> asleep{false};
  std::thread thread;
};

std::atomic<std::uint64_t> watchdog::impl::next_id{1};

watchdog::watchdog(duration slice, duration patience,
                   std::function<void(const late_turn&)> on_late) {
  install_handler();
  impl_ = std::make_unique<impl>(slice, patience, std::move(on_late));
}

watchdog::~watchdog() = default;

void watchdog::begin_turn(std::uint64_t who, bool hurried) noexcept {
  if (mine == nullptr) {
    mine = enlist();
    leaving.armed = true;
  }
  auto* r = mine;
  r->owner.store(impl_->id, std::memory_order_relaxed);
  r->who.store(who, std::memory_order_relaxed);
  r->hurried.store(hurried, std::memory_order_relaxed);
  // Sequentially consistent against `asleep`: either the watchdog sees the turn or we see it sleep.
  r->turn.store(r->turn.load(std::memory_order_relaxed) + 1);
  if (impl_->asleep.load()) impl_->wake();
}

void watchdog::end_turn() noexcept {
  auto* r = mine;
  r->turn.store(r->turn.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::size_t watchdog::late_turns() const noexcept {
  std::size_t n = 0;
  for (auto* r = records.load(std::memory_order_acquire); r != nullptr; r = r->next) {
    const auto turn = r->turn.load();
    const bool is_told = turn % 2 != 0 && r->told.load(std::memory_order_relaxed) == turn;
    if (is_told && r->owner.load(std::memory_order_relaxed) == impl_->id) ++n;
  }
  return n;
}

}  // namespace troupe
