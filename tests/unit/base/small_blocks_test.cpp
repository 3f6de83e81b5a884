// SPDX-License-Identifier: Apache-2.0
#include "base/small_blocks.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <thread>
#include <utility>
#include <vector>

namespace troupe {
namespace {

TEST(small_blocks, hold_what_they_are_asked_for_and_do_not_overlap) {
  std::vector<std::pair<unsigned char*, std::size_t>> held;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t size = 0; size < 700; ++size) {
      held.emplace_back(static_cast<unsigned char*>(take_small_block(size)), size);
      std::memset(held.back().first, static_cast<int>(size % 251), size);
    }
    for (auto [block, size] : held)
      for (std::size_t i = 0; i < size; ++i)
        ASSERT_EQ(block[i], size % 251);
    for (auto [block, size] : held)
      give_small_block(block, size);
    held.clear();
  }
}

TEST(small_blocks, may_be_freed_on_another_thread) {
  std::vector<void*> held;
  for (int i = 0; i < 1000; ++i)
    held.push_back(take_small_block(40));
  std::thread([&] {
    for (auto* block : held)
      give_small_block(block, 40);
    give_small_block(take_small_block(40), 40);
  }).join();  // what that thread kept is gone with it: the leak checker would see it
}

}  // namespace
}  // namespace troupe
