// SPDX-License-Identifier: Apache-2.0
#include "exe/asides.hpp"

#include <fcntl.h>

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

void asides::pass_on() {
  char data[4096];
  for (ssize_t n; (n = ::read(out_.get(), data, sizeof data)) > 0 || (n < 0 && errno == EINTR);) {
    if (n < 0) continue;
    const std::string_view text(data, static_cast<std::size_t>(n));
    const std::lock_guard lock(mutex_);
    if (reader_ != nullptr)
      reader_->write_aside(text);
    else
      std::fwrite(text.data(), 1, text.size(), stderr);
  }
}

}  // namespace troupe::cli
