// SPDX-License-Identifier: Apache-2.0
#include "channel/frame_stream.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "channel/frame.hpp"

namespace troupe {

namespace {

/// Buffers give back what is above this once they are empty.
constexpr std::size_t keep = 256u << 10;

io_state state_of(ssize_t moved) {
  if (moved > 0) return io_state::more;
  if (moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return io_state::blocked;
  return io_state::closed;  // an end, a reset: the other one is gone
}

/// Drops what lies before `begin`, when that costs less than it is worth.
void drop_front(std::string& buffer, std::size_t& begin) {
  if (begin == buffer.size()) {
    buffer.clear();
    if (buffer.capacity() > keep) buffer.shrink_to_fit();
    begin = 0;
  } else if (begin > buffer.size() / 2) {
    buffer.erase(0, begin);
    begin = 0;
  }
}

}  // namespace

void frame_reader::feed(std::string_view data) {
  drop_front(buffer_, begin_);
  buffer_.append(data);
}

io_state frame_reader::read_from(int fd, std::size_t most, bool wait) {
  drop_front(buffer_, begin_);
  const auto before = buffer_.size();
  buffer_.resize(before + most);
  ssize_t n;
  do {
    n = ::recv(fd, buffer_.data() + before, most, wait ? 0 : MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  const auto state = state_of(n);
  buffer_.resize(before + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  return state;
}

std::uint32_t frame_reader::length() const {
  std::uint32_t n = 0;
  for (std::size_t i = 0; i < frame_header; ++i)
    n = n << 8 | static_cast<unsigned char>(buffer_[begin_ + i]);
  return n;
}

result<std::optional<std::string_view>> frame_reader::next() {
  if (buffer_.size() - begin_ < frame_header) return std::optional<std::string_view>();
  const std::size_t n = length();
  if (n == 0) return {errc::bad_body, "a frame has no bytes"};
  if (n > largest_)
    return {errc::bad_body, "a frame of " + std::to_string(n) + " bytes is above the limit of " +
                                std::to_string(largest_)};
  if (buffer_.size() - begin_ - frame_header < n) return std::optional<std::string_view>();
  const std::string_view payload(buffer_.data() + begin_ + frame_header, n);
  begin_ += frame_header + n;
  ++count_;
  return std::optional<std::string_view>(payload);
}

std::size_t frame_reader::missing() const {
  const auto have = buffer_.size() - begin_;
  if (have < frame_header) return frame_header - have;
  const auto whole = frame_header + std::min<std::size_t>(length(), largest_);
  return whole > have ? whole - have : 1;
}

void frame_writer::put(const bytes& encoded) {
  drop_front(buffer_, begin_);
  buffer_.append(encoded.view());
}

io_state frame_writer::write_to(int fd, bool wait) {
  while (!empty()) {
    const auto n =
        ::send(fd, buffer_.data() + begin_, size(), MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return state_of(n);
    begin_ += static_cast<std::size_t>(n);
    written_ += static_cast<std::uint64_t>(n);
  }
  drop_front(buffer_, begin_);
  return io_state::more;
}

}  // namespace troupe
