// SPDX-License-Identifier: Apache-2.0
#include "channel/poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>

#include "base/unique_fd.hpp"

namespace troupe {

namespace {

constexpr poller::key wake_key = 0;

error failed(const char* what) {
  return {errc::io, std::string(what) + " failed: " + std::strerror(errno)};
}

}  // namespace

struct poller::impl {
  struct task {
    std::function<void()> what;
    task* next = nullptr;
  };

  unique_fd epoll, wake;
  std::atomic<key> last_key{wake_key};
  /// Newest first; pushed from any thread, taken as a whole by the poller's.
  std::atomic<task*> tasks{nullptr};
  std::thread thread;
  // From here on the poller's thread alone.
  std::unordered_map<key, ready_function> watched;
  bool ends = false;

  void push(std::function<void()> what) {
    auto* t = new task{std::move(what)};  // owned by the list until run_tasks takes it
    t->next = tasks.load(std::memory_order_relaxed);
    while (!tasks.compare_exchange_weak(t->next, t, std::memory_order_release,
                                        std::memory_order_relaxed)) {
    }
  }

  void wake_up() {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread is awake.
    [[maybe_unused]] const auto n = ::write(wake.get(), &one, sizeof one);
  }

  void run_tasks() {
    task* oldest = nullptr;
    for (auto* t = tasks.exchange(nullptr, std::memory_order_acquire); t != nullptr;) {
      auto* next = std::exchange(t->next, oldest);
      oldest = t;
      t = next;
    }
    while (oldest != nullptr) {
      std::unique_ptr<task> t(oldest);
      oldest = t->next;
      t->what();
    }
  }

  void loop() {
    while (!ends)
      step(-1);
    drop_all();
  }

  void step(int ms) {
    std::array<epoll_event, 64> ready;
    const int n = ::epoll_wait(epoll.get(), ready.data(), ready.size(), ms);
    // What is watched is known before it can be ready: see watch.
    run_tasks();
    for (int i = 0; i < n; ++i)  // below zero after a signal
      handle(ready[static_cast<std::size_t>(i)]);
  }

  void drop_all() {
    run_tasks();
    watched.clear();
    run_tasks();
  }

  void handle(const epoll_event& e) {
    if (e.data.u64 == wake_key) {
      std::uint64_t count;
      [[maybe_unused]] const auto n = ::read(wake.get(), &count, sizeof count);
      return run_tasks();
    }
    const auto found = watched.find(e.data.u64);
    if (found != watched.end() && !found->second(e.events)) watched.erase(found);
  }
};

poller::poller() : impl_(std::make_unique<impl>()) {}

result<std::unique_ptr<poller>> poller::open() {
  TROUPE_TRY(p, open_manual());
  p->impl_->thread = std::thread([i = p->impl_.get()] { i->loop(); });
  return p;
}

result<std::unique_ptr<poller>> poller::open_manual() {
  std::unique_ptr<poller> p(new poller());
  auto& i = *p->impl_;
  i.epoll = unique_fd(::epoll_create1(EPOLL_CLOEXEC));
  if (!i.epoll) return failed("epoll_create1");
  i.wake = unique_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!i.wake) return failed("eventfd");
  epoll_event e{.events = EPOLLIN, .data = {.u64 = wake_key}};
  if (::epoll_ctl(i.epoll.get(), EPOLL_CTL_ADD, i.wake.get(), &e) != 0) return failed("epoll_ctl");
  return p;
}

void poller::step(int ms) {
  impl_->step(ms);
}

poller::~poller() {
  if (impl_->thread.joinable()) {
    run([i = impl_.get()] { i->ends = true; });
    impl_->thread.join();
  } else {
    impl_->drop_all();
  }
}

result<poller::key> poller::watch(int fd, std::uint32_t events, ready_function ready) {
  const auto k = ++impl_->last_key;
  impl_->push([i = impl_.get(), k, ready = std::move(ready)]() mutable {
    i->watched.emplace(k, std::move(ready));
  });
  epoll_event e{.events = events | EPOLLONESHOT, .data = {.u64 = k}};
  if (::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_ADD, fd, &e) == 0) return k;
  auto why = failed("epoll_ctl");
  run([i = impl_.get(), k] { i->watched.erase(k); });
  return why;
}

void poller::rearm(key k, int fd, std::uint32_t events) {
  epoll_event e{.events = events | EPOLLONESHOT, .data = {.u64 = k}};
  ::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_MOD, fd, &e);  // fails only if `fd` is not watched
}

void poller::forget(key k, int fd) {
  ::epoll_ctl(impl_->epoll.get(), EPOLL_CTL_DEL, fd, nullptr);
  run([i = impl_.get(), k] { i->watched.erase(k); });
}

void poller::run(std::function<void()> task) {
  impl_->push(std::move(task));
  impl_->wake_up();
}

}  // namespace troupe
