// SPDX-License-Identifier: Apache-2.0
#include "exe/interrupts.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace troupe::cli {

namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  for (int s : {SIGINT, SIGTERM, SIGHUP, SIGUSR2})
    sigaddset(&set, s);
  return set;
}

}  // namespace

interrupts::interrupts() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  const auto set = watched();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  // A reader that has gone is told by the write that fails.
  signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { run(); });
}

interrupts::~interrupts() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  pthread_kill(thread_.native_handle(), SIGUSR2);
  thread_.join();
  close(event_);
}

void interrupts::run() {
  const auto set = watched();
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    std::lock_guard lock(mutex_);
    if (over_) return;
    if (number == SIGUSR2) continue;
    if (armed_) _exit(128 + number);
    if (!signal_) eventfd_write(event_, 1);
    if (!signal_ || *signal_ == SIGINT) signal_ = number;  // an end is stronger than Ctrl-C
    changed_.notify_all();
  }
}

void interrupts::notify() {
  std::lock_guard lock(mutex_);
  notified_ = true;
  changed_.notify_all();
}

std::optional<int> interrupts::wait(duration limit) {
  std::unique_lock lock(mutex_);
  const auto is_over = [this] { return notified_ || signal_; };
  if (limit == duration::max())
    changed_.wait(lock, is_over);
  else
    changed_.wait_for(lock, limit, is_over);
  notified_ = false;
  return signal_;
}

std::optional<int> interrupts::came() const {
  std::lock_guard lock(mutex_);
  return signal_;
}

void interrupts::forget() {
  std::lock_guard lock(mutex_);
  signal_.reset();
  eventfd_t count = 0;
  eventfd_read(event_, &count);
}

void interrupts::arm() {
  std::lock_guard lock(mutex_);
  armed_ = true;
}

}  // namespace troupe::cli
