// SPDX-License-Identifier: Apache-2.0
#include "exe/asides.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

namespace troupe::cli {

asides::asides() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  out_ = unique_fd(ends[0]);
  in_ = unique_fd(ends[1]);
  thread_ = std::thread([this] { pass_on(); });
}

asides::~asides() {
  in_.reset();
  if (thread_.joinable()) thread_.join();
}

void asides::show_with(line_reader* reader) {
  const std::lock_guard lock(mutex_);
  reader_ = reader;
}

bool asides::is_empty() const {
  int bytes = 0;
  return !out_ || ::ioctl(out_.get(), FIONREAD, &bytes) != 0 || bytes == 0;
}

void asides::drain(duration limit) {
  std::unique_lock lock(mutex_);
  while (!is_empty()) {
    const auto before = times_shown_;
    if (!shown_.wait_for(lock, limit, [&] { return times_shown_ != before; })) return;
  }
}

void asides::pass_on() {
  char data[4096];
  pollfd readable{out_.get(), POLLIN, 0};
  for (;;) {
    if (::poll(&readable, 1, -1) < 0) continue;  // EINTR alone
    const std::lock_guard lock(mutex_);
    const auto n = ::read(out_.get(), data, sizeof data);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return;
    const std::string_view text(data, static_cast<std::size_t>(n));
    if (reader_ != nullptr)
      reader_->write_aside(text);
    else
      std::fwrite(text.data(), 1, text.size(), stderr);
    ++times_shown_;
    shown_.notify_all();
  }
}

}  // namespace troupe::cli
