// SPDX-License-Identifier: Apache-2.0
#include "base/small_blocks.hpp"

#include <array>
#include <cstdint>
#include <new>

namespace troupe {

namespace {

constexpr std::size_t grain = 32;
constexpr std::size_t classes = 16;  // up to 512 bytes
constexpr std::uint32_t most = 64;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool keeps_blocks = false;
#else
constexpr bool keeps_blocks = true;
#endif

struct free_block {
  free_block* next;
};
struct free_list {
  free_block* first;
  std::uint32_t count;
};
/// Trivial, so that to use it costs no check whether it was made or is gone already.
struct cache {
  std::array<free_list, classes> lists;
  bool is_watched;  ///< freed at the end of the thread
  bool is_closed;   ///< that end has come
};
constinit thread_local cache mine{};

struct at_thread_end {
  ~at_thread_end() {
    mine.is_closed = true;
    for (auto& list : mine.lists)
      while (auto* b = list.first) {
        list.first = b->next;
        ::operator delete(b);
      }
  }
};

/// [[gnu::noinline]]: once a thread.
[[gnu::noinline]] void watch_thread() {
  static thread_local at_thread_end freer;
  static_cast<void>(freer);
  mine.is_watched = true;
}

std::size_t class_of(std::size_t size) {
  return (size - 1) / grain;
}

}  // namespace

void* take_small_block(std::size_t size) {
  if (!keeps_blocks || size - 1 >= classes * grain) return ::operator new(size);
  auto& list = mine.lists[class_of(size)];
  if (auto* b = list.first) {
    list.first = b->next;
    --list.count;
    return b;
  }
  return ::operator new((class_of(size) + 1) * grain);
}

void give_small_block(void* block, std::size_t size) noexcept {
  if (!keeps_blocks || size - 1 >= classes * grain) return ::operator delete(block);
  if (!mine.is_watched) watch_thread();
  auto& list = mine.lists[class_of(size)];
  if (mine.is_closed || list.count >= most) return ::operator delete(block);
  auto* b = static_cast<free_block*>(block);
  b->next = list.first;
  list.first = b;
  ++list.count;
}

}  // namespace troupe
