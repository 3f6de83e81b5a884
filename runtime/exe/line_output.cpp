// SPDX-License-Identifier: Apache-2.0
#include "exe/line_output.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

namespace troupe {

namespace {

constexpr const char* clear_line = "\r\x1b[K";

/// So much at a time, so that what goes out slowly is seen to go out.
constexpr std::size_t most_at_once = PIPE_BUF;

}  // namespace

struct line_output::state {
  using time = std::chrono::steady_clock;

  state(int to, std::function<std::string(std::uint64_t)> of_dropped)
      : fd(to), dropped_line(std::move(of_dropped)) {}

  struct entry {
    std::string text;
    line_kind kind;
    std::uint64_t lines;  ///< that are lost if it can't be written
  };

  const int fd;
  const std::function<std::string(std::uint64_t)> dropped_line;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<entry> waiting;
  std::array<std::size_t, 3> waiting_bytes{};  ///< by kind
  std::uint64_t dropped = 0;                   ///< since the last line that waits
  std::uint64_t written = 0;                   ///< pieces of lines
  time::time_point moved_at;                   ///< when something went out or began to wait
  bool has_drawn = false;
  bool is_writing = false;
  bool has_failed = false;  ///< the last write: what was dropped is told with the next line
  bool is_cut = false;      ///< it failed within its line
  bool is_closed = false;

  bool has_more() const { return !waiting.empty() || (dropped > 0 && !has_failed); }
  bool is_idle() const { return !has_more() && !is_writing; }

  void push(std::string text, line_kind kind, std::uint64_t lines) {
    if (std::exchange(has_drawn, false)) text.insert(0, clear_line);
    waiting_bytes[static_cast<std::size_t>(kind)] += text.size();
    waiting.push_back({std::move(text), kind, lines});
  }

  void push_dropped() {
    const auto n = std::exchange(dropped, 0);
    push(dropped_line(n), line_kind::sentence, n);
  }

  void add(std::string text, line_kind kind, std::uint64_t lines) {
    if (is_idle()) moved_at = time::now();
    if (dropped > 0) push_dropped();
    push(std::move(text), kind, lines);
    changed.notify_all();
  }

  bool wait_for_room(std::unique_lock<std::mutex>& lock, line_kind kind, std::size_t size) {
    const auto fits = [&](std::size_t bound) {
      const auto before = waiting_bytes[static_cast<std::size_t>(kind)];
      return before == 0 || before + size <= bound;
    };
    const auto pause_ends = time::now() + longest_pause;
    while (!fits(most_waiting)) {
      const auto stands_still = moved_at + longest_standstill;
      const auto now = time::now();
      if (now >= stands_still) return false;
      const bool may_be_late = fits(most_late);
      if (may_be_late && now >= pause_ends) return true;
      changed.wait_until(lock, may_be_late ? std::min(pause_ends, stands_still) : stands_still);
    }
    return true;
  }

  void run() {
    std::unique_lock lock(mutex);
    for (;;) {
      changed.wait(lock, [this] { return is_closed || has_more(); });
      if (!has_more()) return;
      if (waiting.empty()) push_dropped();
      auto next = std::move(waiting.front());
      waiting.pop_front();
      waiting_bytes[static_cast<std::size_t>(next.kind)] -= next.text.size();
      if (is_cut) next.text.insert(0, "\n");
      is_writing = true;
      lock.unlock();
      const bool is_written = put(next.text);
      lock.lock();
      is_writing = false;
      has_failed = !is_written;
      if (!is_written) dropped += next.lines;
      move();
    }
  }

  bool put(std::string_view text) {
    while (!text.empty()) {
      const auto n = ::write(fd, text.data(), std::min(text.size(), most_at_once));
      if (n > 0) {
        text.remove_prefix(static_cast<std::size_t>(n));
        is_cut = !text.empty();
        const std::lock_guard lock(mutex);
        move();
      } else if (n < 0 && errno == EAGAIN) {  // whoever shares it made it so
        pollfd writable{fd, POLLOUT, 0};
        ::poll(&writable, 1, -1);
      } else if (n == 0 || errno != EINTR) {
        return false;
      }
    }
    return true;
  }

  void move() {
    moved_at = time::now();
    ++written;
    changed.notify_all();
  }
};

line_output::line_output(int fd, std::function<std::string(std::uint64_t)> dropped)
    : state_(std::make_shared<state>(fd, std::move(dropped))),
      thread_([s = state_] { s->run(); }) {}

line_output::~line_output() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->has_drawn) state_->add("", line_kind::sentence, 0);
  }
  const bool is_written = drain(longest_standstill);
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

void line_output::write(std::string line, line_kind kind) {
  std::unique_lock lock(state_->mutex);
  if (kind == line_kind::sentence || state_->wait_for_room(lock, kind, line.size()))
    state_->add(std::move(line), kind, 1);
  else
    ++state_->dropped;
}

void line_output::draw(std::string text) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_idle()) return;
  state_->has_drawn = true;
  state_->add(std::move(text), line_kind::sentence, 0);
  state_->has_drawn = true;
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
