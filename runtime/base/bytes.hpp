// SPDX-License-Identifier: Apache-2.0
//
// Immutable bytes, counted by reference, in one allocation: the body of a message. Packed once by
// its sender, read by every receiver, written as it is to a worker's channel and to the wire.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

namespace troupe {

/// A handle to shared immutable bytes. Copying costs one atomic increment; handles of the same
/// bytes may be used and dropped on different threads. An empty handle reads as no bytes.
class bytes {
 public:
  bytes() = default;
  /// A copy of `data`.
  explicit bytes(std::string_view data);
  bytes(const bytes& other) noexcept : block_(other.block_) {
    if (block_ != nullptr) block_->references.fetch_add(1, std::memory_order_relaxed);
  }
  bytes(bytes&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  bytes& operator=(bytes other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~bytes() {
    if (block_ != nullptr && block_->references.fetch_sub(1, std::memory_order_acq_rel) == 1)
      release(block_);
  }

  const char* data() const { return block_ != nullptr ? block_->data() : nullptr; }
  std::size_t size() const { return block_ != nullptr ? block_->size : 0; }
  bool empty() const { return size() == 0; }
  std::string_view view() const { return {data(), size()}; }

  friend bool operator==(const bytes& a, const bytes& b) { return a.view() == b.view(); }

 private:
  struct block {
    std::atomic<std::uint32_t> references;
    std::uint32_t size;
    const char* data() const { return reinterpret_cast<const char*>(this + 1); }
    char* data() { return reinterpret_cast<char*>(this + 1); }
  };
  static void release(block* b) noexcept;

  block* block_ = nullptr;
};

}  // namespace troupe
