// SPDX-License-Identifier: Apache-2.0
//
// [private] All lanes of a node, by slot: found without a lock, added in chunks that stay where
// they are.
#pragma once

#include <array>
#include <atomic>
#include <caf/actor_control_block.hpp>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace troupe::core {

class lane;

class lane_table {
 public:
  static constexpr std::uint32_t chunk_size = 1024, max_chunks = 4096;

  /// `make` makes the lane of a slot.
  explicit lane_table(std::function<caf::strong_actor_ptr(std::uint32_t slot)> make)
      : make_(std::move(make)) {}

  /// [any thread, no lock] The lane of a slot, or null if there is none. Slots count from 1.
  lane* at(std::uint32_t slot) const {
    if (slot / chunk_size >= max_chunks) return nullptr;
    const auto* c = chunks_[slot / chunk_size].load(std::memory_order_acquire);
    return c != nullptr ? (*c)[slot % chunk_size].load(std::memory_order_acquire) : nullptr;
  }

  /// A free lane, or null if there are 4 million in use. Fails once it is closed, too.
  lane* acquire();
  void release(lane& l);

  /// Hands out none any more. What is asked for then is null; which are in use does not change but
  /// by release.
  void close();
  bool is_closed() const;
  /// Calls `f` with each lane there is.
  void for_each(const std::function<void(lane&)>& f);
  /// Frees all lanes; none may be used any more.
  void clear();

 private:
  using chunk = std::array<std::atomic<lane*>, chunk_size>;

  const std::function<caf::strong_actor_ptr(std::uint32_t)> make_;
  std::array<std::atomic<chunk*>, max_chunks> chunks_{};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<chunk>> owned_chunks_;
  std::vector<caf::strong_actor_ptr> owned_lanes_;
  std::vector<lane*> free_;
  std::uint32_t last_slot_ = 0;
  bool closed_ = false;
};

}  // namespace troupe::core
