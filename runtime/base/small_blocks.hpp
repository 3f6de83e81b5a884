// SPDX-License-Identifier: Apache-2.0
//
// Memory for what a message is made of: envelopes and bodies, made and freed with each message,
// often on different threads. Each thread keeps a few free blocks by size, so that most messages
// cost no call of malloc.
#pragma once

#include <cstddef>

namespace troupe {

/// Like operator new and sized operator delete. A block may be freed on any thread. What a thread
/// keeps is bounded (64 blocks of a size, of at most 512 bytes each) and freed when it ends; under
/// AddressSanitizer nothing is kept, so that it sees each use after free.
void* take_small_block(std::size_t size);
void give_small_block(void* block, std::size_t size) noexcept;

}  // namespace troupe
