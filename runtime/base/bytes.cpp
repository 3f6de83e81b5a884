// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.hpp"

#include <cassert>
#include <cstring>
#include <limits>
#include <new>

#include "base/small_blocks.hpp"

namespace troupe {

bytes::bytes(std::string_view data) {
  if (data.empty()) return;
  assert(data.size() <= std::numeric_limits<std::uint32_t>::max());
  block_ = new (take_small_block(sizeof(block) + data.size()))
      block{1, static_cast<std::uint32_t>(data.size())};
  std::memcpy(block_->data(), data.data(), data.size());
}

void bytes::release(block* b) noexcept {
  const auto size = sizeof(block) + b->size;
  b->~block();
  give_small_block(b, size);
}

}  // namespace troupe
