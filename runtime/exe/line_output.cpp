// SPDX-License-Identifier: Apache-2.0
#include "exe/line_output.hpp"

#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

/// How long the last words may take where nobody reads them any more.
constexpr duration longest_farewell = std::chrono::seconds(1);

/// False once nobody can read it: then there is no one to tell either.
bool put(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

struct line_output::state {
  state(int to, std::function<std::string(std::uint64_t)> of_dropped)
      : fd(to), dropped_line(std::move(of_dropped)) {}

  const int fd;
  const std::function<std::string(std::uint64_t)> dropped_line;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> waiting;
  std::size_t waiting_bytes = 0;
  std::uint64_t dropped = 0;  ///< since the last line that waits
  std::uint64_t written = 0;
  bool is_writing = false;
  bool is_closed = false;

  bool is_idle() const { return waiting.empty() && dropped == 0 && !is_writing; }

  void add(std::string text) {
    waiting_bytes += text.size();
    waiting.push_back(std::move(text));
    changed.notify_all();
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return is_closed || !waiting.empty() || dropped > 0; });
      if (waiting.empty() && dropped == 0) return;
      std::string next;
      if (waiting.empty()) {
        next = dropped_line(std::exchange(dropped, 0));
      } else {
        next = std::move(waiting.front());
        waiting.pop_front();
        waiting_bytes -= next.size();
      }
      is_writing = true;
      lock.unlock();
      put(fd, next);
      lock.lock();
      is_writing = false;
      ++written;
      changed.notify_all();
    }
  }
};

line_output::line_output(int fd, std::function<std::string(std::uint64_t)> dropped)
    : state_(std::make_shared<state>(fd, std::move(dropped))),
      thread_([s = state_] { s->run(); }) {}

line_output::~line_output() {
  const bool is_written = drain(longest_farewell);
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_closed = true;
    state_->changed.notify_all();
  }
  if (is_written)
    thread_.join();
  else
    thread_.detach();
}

void line_output::write(std::string line) {
  const std::lock_guard lock(state_->mutex);
  // Behind lines that were dropped comes the one that says so.
  if (state_->dropped > 0 || state_->waiting_bytes + line.size() > most_waiting) {
    ++state_->dropped;
    return;
  }
  state_->add(std::move(line));
}

void line_output::write_if_idle(std::string text) {
  const std::lock_guard lock(state_->mutex);
  if (state_->is_idle()) state_->add(std::move(text));
}

bool line_output::drain(duration limit) {
  std::unique_lock lock(state_->mutex);
  for (;;) {
    const auto before = state_->written;
    const auto has_moved = [&] { return state_->is_idle() || state_->written != before; };
    if (!state_->changed.wait_for(lock, limit, has_moved)) return false;
    if (state_->is_idle()) return true;
  }
}

}  // namespace troupe
