// SPDX-License-Identifier: Apache-2.0
//
// A map from 64-bit ids to small records, flat and without an allocation per entry: the call,
// monitor and timer tables of a process, which are touched by every message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace troupe {

/// Linear probing with back-shift deletion. Pointers to records are good until the next insert or
/// erase. Iteration order is a function of the history of inserts and erases alone. Not
/// thread-safe.
template <class Record>
class id_table {
 public:
  struct entry {
    std::uint64_t id = 0;  ///< 0: free
    Record record;
  };

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  Record* find(std::uint64_t id) {
    if (size_ == 0) return nullptr;
    for (auto i = home(id);; i = next(i)) {
      if (entries_[i].id == id) return &entries_[i].record;
      if (entries_[i].id == 0) return nullptr;
    }
  }

  /// Sets the record of `id`, which must not be 0.
  Record& put(std::uint64_t id, Record record) {
    if ((size_ + 1) * 4 > entries_.size() * 3) grow();
    auto i = home(id);
    while (entries_[i].id != 0 && entries_[i].id != id)
      i = next(i);
    if (entries_[i].id == 0) ++size_;
    entries_[i] = {id, std::move(record)};
    return entries_[i].record;
  }

  bool erase(std::uint64_t id) {
    if (size_ == 0) return false;
    auto i = home(id);
    while (entries_[i].id != id) {
      if (entries_[i].id == 0) return false;
      i = next(i);
    }
    // Moves back what would no longer be found across the hole.
    for (auto j = next(i); entries_[j].id != 0; j = next(j)) {
      const auto h = home(entries_[j].id);
      if (((j - h) & mask()) >= ((j - i) & mask())) {
        entries_[i] = std::move(entries_[j]);
        i = j;
      }
    }
    entries_[i] = entry{};
    --size_;
    return true;
  }

  /// Calls f(id, record) for each entry; f must not change the table.
  template <class F>
  void for_each(F f) {
    for (auto& e : entries_)
      if (e.id != 0) f(e.id, e.record);
  }

 private:
  std::size_t mask() const { return entries_.size() - 1; }
  std::size_t home(std::uint64_t id) const {
    return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15u) >> 20) & mask();
  }
  std::size_t next(std::size_t i) const { return (i + 1) & mask(); }
  void grow() {
    std::vector<entry> old(entries_.empty() ? 4 : entries_.size() * 2);
    old.swap(entries_);
    size_ = 0;
    for (auto& e : old)
      if (e.id != 0) put(e.id, std::move(e.record));
  }

  std::vector<entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace troupe
