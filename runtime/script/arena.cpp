// SPDX-License-Identifier: Apache-2.0
#include "script/arena.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace troupe::script {

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool has_chunks = false;
#else
constexpr bool has_chunks = true;
#endif

}  // namespace

arena::~arena() {
  while (auto* o = outside_) {
    outside_ = o->next;
    std::free(o);
  }
  for (std::size_t i = 0; i < chunk_count_; ++i)
    std::free(chunks_[i]);
}

bool arena::holds(const void* block) const {
  const auto at = reinterpret_cast<std::uintptr_t>(block);
  for (std::size_t i = 0; i < chunk_count_; ++i)
    if (at - reinterpret_cast<std::uintptr_t>(chunks_[i]) < chunk_size) return true;
  return false;
}

/// From the last chunk, or a new one. What is left of the one before is lost: a block at most.
void* arena::carve(std::size_t size) noexcept {
  if (static_cast<std::size_t>(end_ - at_) < size) {
    if (!has_chunks || chunk_count_ == most_chunks) return nullptr;
    auto* chunk = static_cast<char*>(std::malloc(chunk_size));
    if (chunk == nullptr) return nullptr;
    chunks_[chunk_count_++] = chunk;
    at_ = chunk;
    end_ = chunk + chunk_size;
  }
  auto* block = at_;
  at_ += size;
  return block;
}

void arena::link(outside* o) {
  if (o->next != nullptr) o->next->before = o;
  (o->before != nullptr ? o->before->next : outside_) = o;
}

void* arena::take_outside(std::size_t size) noexcept {
  auto* o = static_cast<outside*>(std::malloc(sizeof(outside) + size));
  if (o == nullptr) return nullptr;
  o->next = outside_;
  o->before = nullptr;
  link(o);
  return o + 1;
}

void* arena::allocate(std::size_t size) noexcept {
  if (size <= largest) {
    const auto c = class_of(size);
    if (auto* b = free_[c]) {
      free_[c] = b->next;
      return b;
    }
    if (auto* b = carve((c + 1) * grain)) return b;
  }
  return take_outside(size);
}

void arena::free(void* block, std::size_t size) noexcept {
  if (block == nullptr) return;
  if (holds(block)) {
    auto* b = static_cast<free_block*>(block);
    b->next = free_[class_of(size)];
    free_[class_of(size)] = b;
    return;
  }
  auto* o = static_cast<outside*>(block) - 1;
  if (o->next != nullptr) o->next->before = o->before;
  (o->before != nullptr ? o->before->next : outside_) = o->next;
  std::free(o);
}

void* arena::resize(void* block, std::size_t old_size, std::size_t size) noexcept {
  if (!holds(block)) {
    auto* o = static_cast<outside*>(block) - 1;
    auto* moved = static_cast<outside*>(std::realloc(o, sizeof(outside) + size));
    if (moved == nullptr) return size <= old_size ? block : nullptr;
    link(moved);
    return moved + 1;
  }
  if (size <= largest && class_of(size) == class_of(old_size)) return block;
  // A smaller block stays where it is: it is freed as what it has become.
  if (size <= old_size) return block;
  auto* moved = allocate(size);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, old_size);
  free(block, old_size);
  return moved;
}

}  // namespace troupe::script
