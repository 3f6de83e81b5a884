// SPDX-License-Identifier: Apache-2.0
//
// The memory of one Lua state: many small blocks that live and die together. The first of them come
// from a few chunks, by size; when the state ends, its chunks are freed and no block is looked at.
//
// Why not malloc alone? Half of what it takes to start and end an agent was spent in it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace troupe::script {

/// For one thread at a time. Holds at most `most_chunks` chunks more than what was asked for; all
/// else comes from malloc. Under AddressSanitizer everything does, so that it sees each misuse.
class arena {
 public:
  arena() = default;
  /// Frees every block.
  ~arena();
  arena(const arena&) = delete;
  arena& operator=(const arena&) = delete;

  /// Null if there is no memory.
  void* allocate(std::size_t size) noexcept;
  /// `size` as it was asked for last.
  void free(void* block, std::size_t size) noexcept;
  /// Null, and the block as it was, if there is no memory; never when it shrinks.
  void* resize(void* block, std::size_t old_size, std::size_t size) noexcept;

 private:
  static constexpr std::size_t grain = 16, largest = 256;
  static constexpr std::size_t chunk_size = 4u << 10, most_chunks = 8;

  struct free_block {
    free_block* next;
  };
  /// Before each block of malloc's.
  struct alignas(16) outside {
    outside* next;
    outside* before;
  };

  static std::size_t class_of(std::size_t size) { return (size - 1) / grain; }
  bool holds(const void* block) const;
  void* carve(std::size_t size) noexcept;
  void* take_outside(std::size_t size) noexcept;
  void link(outside* o);

  std::array<free_block*, largest / grain> free_{};
  char* at_ = nullptr;
  char* end_ = nullptr;
  std::array<char*, most_chunks> chunks_{};
  std::size_t chunk_count_ = 0;
  outside* outside_ = nullptr;
};

}  // namespace troupe::script
