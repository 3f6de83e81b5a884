// SPDX-License-Identifier: Apache-2.0
//
// Frames in a stream of bytes: finds them in what arrives in whatever pieces, and keeps those that
// wait to be written. Knows nothing of what is in them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace troupe {

/// What became of an attempt to read or write.
enum class io_state : std::uint8_t {
  more,     ///< something was moved; there may be more
  blocked,  ///< nothing can be moved now
  closed,   ///< the other end is gone
};

/// Cuts a stream into frames. Its memory grows with what has arrived, never with what a length
/// promises. After a failure it is of no more use: there is no way to find the next frame.
class frame_reader {
 public:
  explicit frame_reader(std::size_t largest) : largest_(largest) {}

  void feed(std::string_view data);
  /// Reads at most `most` bytes from a socket, without waiting unless `wait`.
  io_state read_from(int fd, std::size_t most, bool wait = false);

  /// The next frame without its length, nothing if it is not complete yet; valid until the next
  /// call of any function. Fails with bad_body: `a frame of 4294967295 bytes is above the limit of
  /// 16842752`.
  result<std::optional<std::string_view>> next();

  /// True if a frame has begun and is not complete.
  bool is_partial() const { return buffer_.size() > begin_; }
  /// How many bytes the frame that has begun still needs, at least 1.
  std::size_t missing() const;
  /// Frames handed out so far.
  std::uint64_t count() const { return count_; }

 private:
  std::uint32_t length() const;

  std::size_t largest_;
  std::string buffer_;
  std::size_t begin_ = 0;  ///< where the next frame begins in buffer_
  std::uint64_t count_ = 0;
};

/// What waits to be written. Its owner decides what is too much.
class frame_writer {
 public:
  void put(const bytes& encoded);
  /// Writes to a socket; without waiting unless `wait`. `more` if all is written.
  io_state write_to(int fd, bool wait = false);
  std::size_t size() const { return buffer_.size() - begin_; }
  bool empty() const { return size() == 0; }
  /// Bytes written so far.
  std::uint64_t written() const { return written_; }

 private:
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t written_ = 0;
};

}  // namespace troupe
