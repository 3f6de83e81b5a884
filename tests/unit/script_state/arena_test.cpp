// SPDX-License-Identifier: Apache-2.0
#include "script/arena.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

namespace troupe::script {
namespace {

struct piece {
  unsigned char* data;
  std::size_t size;
  unsigned char mark;

  bool is_whole() const {
    return std::all_of(data, data + size, [this](unsigned char c) { return c == mark; });
  }
};

TEST(arena, blocks_keep_what_is_in_them_whatever_happens_around_them) {
  std::mt19937 random(7);
  arena memory;
  std::vector<piece> held;
  for (int step = 0; step < 20'000; ++step) {
    const auto size = 1 + random() % (step % 10 == 0 ? 3000 : 200);
    const auto mark = static_cast<unsigned char>(step);
    if (held.size() < 300 && step % 3 != 0) {
      auto* data = static_cast<unsigned char*>(memory.allocate(size));
      ASSERT_NE(data, nullptr);
      ASSERT_EQ(reinterpret_cast<std::uintptr_t>(data) % 16, 0u);
      std::fill_n(data, size, mark);
      held.push_back({data, size, mark});
    } else if (!held.empty()) {
      auto& p = held[random() % held.size()];
      ASSERT_TRUE(p.is_whole());
      if (step % 2 == 0) {
        memory.free(p.data, p.size);
        p = held.back();
        held.pop_back();
        continue;
      }
      p.data = static_cast<unsigned char*>(memory.resize(p.data, p.size, size));
      ASSERT_NE(p.data, nullptr);
      if (size > p.size) std::fill(p.data + p.size, p.data + size, p.mark);
      p.size = size;
      ASSERT_TRUE(p.is_whole());
    }
  }
}  // frees what is held: the leak checker would see it

}  // namespace
}  // namespace troupe::script
