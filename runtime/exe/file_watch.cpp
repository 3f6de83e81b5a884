// SPDX-License-Identifier: Apache-2.0
#include "exe/file_watch.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <future>
#include <utility>

namespace troupe {

namespace {

namespace fs = std::filesystem;

constexpr long quiet_ns = 50'000'000;

error failed(const std::string& what) {
  return {errc::io, what + ": " + std::strerror(errno)};
}

/// Runs `f` on the poller's thread and waits until it has.
void run_there(poller& io, const std::function<void()>& f) {
  std::promise<void> done;
  io.run([&] {
    f();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace

result<std::unique_ptr<file_watch>> file_watch::open() {
  unique_fd events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!events && errno == EMFILE)
    return error(errc::limit,
                 "files can't be watched: this machine has no inotify instance left for you "
                 "(fs.inotify.max_user_instances)");
  if (!events) return failed("files can't be watched: inotify_init1");
  unique_fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!timer) return failed("files can't be watched: timerfd_create");
  return std::unique_ptr<file_watch>(new file_watch(std::move(events), std::move(timer)));
}

result<void> file_watch::add(const std::string& file) {
  const auto path = fs::path(file).lexically_normal();
  TROUPE_CHECK(add_at(path.parent_path().string(), path.filename().string(), file));
  std::error_code gone;
  const auto real = fs::canonical(path, gone);
  if (gone || real == path) return ok();
  return add_at(real.parent_path().string(), real.filename().string(), file);
}

int file_watch::watch(const std::string& path) {
  return ::inotify_add_watch(
      events_.get(), path.c_str(),
      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF | IN_ONLYDIR);
}

result<void> file_watch::add_at(const std::string& path, const std::string& name,
                                const std::string& file) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = folders_.try_emplace(path);
  auto& f = at->second;
  if (is_new) {
    f.watch = watch(path);
    if (f.watch < 0 && errno == ENOSPC)
      return {errc::limit, path +
                               " is not watched: this machine has no inotify watch left for you "
                               "(fs.inotify.max_user_watches)"};
    if (f.watch < 0) return failed(path + " is not watched");
  }
  f.names[name].insert(file);
  return ok();
}

result<void> file_watch::begin(poller& io, on_change changed) {
  result<void> begun = ok();
  run_there(io, [&] {
    io_ = &io;
    on_change_ = std::move(changed);
    begun = attach();
  });
  return begun;
}

result<void> file_watch::attach() {
  TROUPE_TRY(events, io_->watch(events_.get(), EPOLLIN, [this](auto) { return read_events(); }));
  events_key_ = events;
  TROUPE_TRY(timer, io_->watch(timer_.get(), EPOLLIN, [this](auto) { return tell(); }));
  timer_key_ = timer;
  return ok();
}

void file_watch::end() {
  if (io_ == nullptr) return;
  auto& io = *io_;
  run_there(io, [&] {
    if (events_key_ != 0) io.forget(events_key_, events_.get());
    if (timer_key_ != 0) io.forget(timer_key_, timer_.get());
  });
  // What was ready at that moment has been handled by now.
  run_there(io, [&] { io_ = nullptr; });
}

bool file_watch::read_events() {
  {
    const std::lock_guard lock(mutex_);
    bool has_moved = false;
    alignas(inotify_event) char data[16384];
    for (ssize_t n; (n = ::read(events_.get(), data, sizeof data)) > 0;) {
      for (const char* at = data; at < data + n;) {
        const auto& e = *reinterpret_cast<const inotify_event*>(at);
        at += sizeof e + e.len;
        const bool is_lost = (e.mask & IN_Q_OVERFLOW) != 0;
        has_moved |= is_lost || (e.mask & (IN_MOVE_SELF | IN_DELETE_SELF | IN_IGNORED)) != 0;
        for (const auto& [path, f] : folders_) {
          if (is_lost) note(f);
          if (f.watch != e.wd || e.len == 0) continue;
          if (const auto name = f.names.find(e.name); name != f.names.end())
            changed_.insert(name->second.begin(), name->second.end());
        }
      }
    }
    if (has_moved) look_again();
    tell_soon();
  }
  io_->rearm(events_key_, events_.get(), EPOLLIN);
  return true;
}

void file_watch::note(const folder& f) {
  for (const auto& [name, files] : f.names)
    changed_.insert(files.begin(), files.end());
}

/// Where a folder has gone, or another stands in its place, its files have changed.
void file_watch::look_again() {
  for (auto& [path, f] : folders_) {
    if (f.watch < 0 && !f.is_missing) continue;  // that it is not watched has been told
    const int old = std::exchange(f.watch, watch(path));
    f.is_missing = f.watch < 0;
    if (f.watch == old) continue;
    note(f);
    const bool is_used = std::any_of(folders_.begin(), folders_.end(),
                                     [old](const auto& one) { return one.second.watch == old; });
    if (old >= 0 && !is_used) ::inotify_rm_watch(events_.get(), old);  // it may be gone by itself
  }
}

/// Nobody tells when a folder is there again: it is looked for as often.
void file_watch::tell_soon() {
  const bool is_missing = std::any_of(folders_.begin(), folders_.end(),
                                      [](const auto& one) { return one.second.is_missing; });
  if (changed_.empty() && !is_missing) return;
  const itimerspec soon{.it_interval = {}, .it_value = {.tv_sec = 0, .tv_nsec = quiet_ns}};
  ::timerfd_settime(timer_.get(), 0, &soon, nullptr);  // fails for wrong arguments only
}

bool file_watch::tell() {
  std::uint64_t count;
  // Nothing to read: something happened since the timer went off, and set it again.
  const bool is_over = ::read(timer_.get(), &count, sizeof count) > 0;
  std::vector<std::string> files;
  if (is_over) {
    const std::lock_guard lock(mutex_);
    files.assign(changed_.begin(), changed_.end());
    changed_.clear();
    look_again();
    tell_soon();
  }
  if (!files.empty()) on_change_(std::move(files));
  io_->rearm(timer_key_, timer_.get(), EPOLLIN);
  return true;
}

}  // namespace troupe
