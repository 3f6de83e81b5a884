// SPDX-License-Identifier: Apache-2.0
#include "exe/main_output.hpp"

#include <cstdio>
#include <utility>

#include "base/msgpack.hpp"
#include "exe/cli.hpp"

namespace troupe::cli {

main_output::main_output(std::function<void()> changed)
    : changed_(std::move(changed)), thread_([this] { run(); }) {}

main_output::~main_output() {
  close();
  thread_.join();
}

void main_output::part(bytes body, std::function<void()> taken) {
  add([this, body = std::move(body)] { write_part(body); }, std::move(taken));
}

void main_output::finish(value answer, bool json) {
  add(
      [this, answer = std::move(answer), json] {
        auto done = write_answer(answer, json);
        const std::lock_guard lock(mutex_);
        printed_ = std::move(done);
      },
      [] {});
}

void main_output::add(std::function<void()> write, std::function<void()> taken) {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return;
  orders_.push_back({std::move(write), std::move(taken)});
  wake_.notify_all();
}

bool main_output::is_idle() const {
  const std::lock_guard lock(mutex_);
  return orders_.empty() && !is_writing_;
}

bool main_output::is_broken() const {
  const std::lock_guard lock(mutex_);
  return is_broken_;
}

result<void> main_output::printed() const {
  const std::lock_guard lock(mutex_);
  return printed_;
}

void main_output::close() {
  const std::lock_guard lock(mutex_);
  is_closed_ = true;
  orders_.clear();
  wake_.notify_all();
}

bool main_output::has_ended(duration limit) {
  std::unique_lock lock(mutex_);
  return wake_.wait_for(lock, limit, [this] { return has_ended_; });
}

void main_output::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return is_closed_ || !orders_.empty(); });
    if (is_closed_) break;
    const auto next = std::move(orders_.front());
    orders_.pop_front();
    is_writing_ = true;
    lock.unlock();
    next.write();
    const bool broken = std::ferror(stdout) != 0;  // waits for a write: not for others to ask
    lock.lock();
    is_writing_ = false;
    is_broken_ = broken;
    if (is_closed_) break;
    // Within the lock, so that `close` is the end of it.
    next.taken();
    changed_();
  }
  has_ended_ = true;
  wake_.notify_all();
}

void main_output::write_part(const bytes& body) {
  auto v = unpack(body.view());
  if (!v) return;
  if (!v->is_string()) {
    finish_line();
    (void)print_result(*v, true);
    return;
  }
  said_ += v->as_string();
  std::fwrite(v->as_string().data(), 1, v->as_string().size(), stdout);
  std::fflush(stdout);
  in_line_ = !said_.ends_with('\n');
}

result<void> main_output::write_answer(const value& answer, bool json) {
  finish_line();
  if (!json && !said_.empty() && answer.is_string() && answer.as_string() == said_) return ok();
  return print_result(answer, json);
}

void main_output::finish_line() {
  if (std::exchange(in_line_, false)) std::fputc('\n', stdout);
}

}  // namespace troupe::cli
