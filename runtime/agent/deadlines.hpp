// SPDX-License-Identifier: Apache-2.0
//
// The times at which a process has something to do. Most deadlines never come true, since the
// answer comes first; so dropping one costs nothing until as many are stale as are live.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "base/clock.hpp"

namespace troupe {

/// A heap with lazy deletion. Its owner knows which entries are live. Not thread-safe.
class deadlines {
 public:
  struct entry {
    instant at;
    std::uint64_t id;
    bool is_timer;
  };

  /// The earliest entry's time, live or stale; never if there is none.
  instant earliest() const { return heap_.empty() ? never : heap_.front().at; }

  /// `is_live(entry)` is asked only when stale entries are swept out, which happens once there may
  /// be more of them than of the `live` ones.
  template <class IsLive>
  void push(entry e, std::size_t live, IsLive is_live) {
    if (heap_.size() >= 2 * live + 64) {
      std::erase_if(heap_, [&](const entry& x) { return !is_live(x); });
      std::make_heap(heap_.begin(), heap_.end(), later);
    }
    heap_.push_back(e);
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  /// Takes out the earliest entry.
  entry pop() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    auto e = heap_.back();
    heap_.pop_back();
    return e;
  }

 private:
  static bool later(const entry& a, const entry& b) { return a.at > b.at; }
  std::vector<entry> heap_;
};

}  // namespace troupe
