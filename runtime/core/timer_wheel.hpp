// SPDX-License-Identifier: Apache-2.0
//
// A hierarchical timer wheel: any number of wishes, each set, moved and taken back at the same
// small cost, and the next one found without a scan. No thread and no clock; see alarm.hpp.
#pragma once

#include <array>
#include <cstdint>

namespace troupe::core {

/// In the owner's hands, not the wheel's; must be taken back before it is destroyed.
struct wheel_entry {
  wheel_entry* previous = nullptr;
  wheel_entry* next = nullptr;
  std::uint64_t due = 0;
  std::uint8_t level = 0, slot = 0;
  bool is_set = false;
  /// Whom it wakes.
  std::uint32_t owner = 0;
};

/// Time is counted in ticks of the user's choice, from 0. Not thread-safe.
class timer_wheel {
 public:
  static constexpr std::uint64_t nothing = UINT64_MAX;

  timer_wheel() = default;
  timer_wheel(const timer_wheel&) = delete;
  timer_wheel& operator=(const timer_wheel&) = delete;

  /// Wishes for `tick`, in place of what was wished before. One that is past is due at once.
  void set(wheel_entry& e, std::uint64_t tick);
  void cancel(wheel_entry& e);

  /// When advance has something to do next, be it only to sort: no later than the next due entry.
  /// `nothing` if it is empty.
  std::uint64_t next() const;

  /// Moves on to `tick` and takes out what is due by then, in order of ticks: linked by `next`.
  wheel_entry* advance(std::uint64_t tick);

 private:
  static constexpr int bits = 6;
  static constexpr std::size_t slots = 1u << bits;
  static constexpr std::size_t levels = (64 + bits - 1) / bits;

  void insert(wheel_entry& e);
  wheel_entry* take_slot(std::size_t level, std::size_t slot);

  struct ring {
    /// A bit for each slot that holds something.
    std::uint64_t occupied = 0;
    std::array<wheel_entry*, slots> first{};
    std::array<wheel_entry*, slots> last{};
  };
  std::array<ring, levels> rings_{};
  std::uint64_t now_ = 0;
};

}  // namespace troupe::core
