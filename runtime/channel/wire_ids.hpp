// SPDX-License-Identifier: Apache-2.0
//
// Ids of requests in a worker: what its agent chose, and what the channel uses for it. The latter
// are never used twice, so an answer that was under way when its request was taken back can't be
// mistaken for that of the next request with the agent's id.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace troupe {

class wire_ids {
 public:
  /// `own` must not be open.
  std::uint64_t open(std::uint64_t own) {
    const auto wire = ++last_;
    to_wire_[own] = wire;
    to_own_[wire] = own;
    return wire;
  }

  std::optional<std::uint64_t> wire(std::uint64_t own) const { return look_up(to_wire_, own); }
  std::optional<std::uint64_t> own(std::uint64_t wire) const { return look_up(to_own_, wire); }

  /// Closes it and says what it was on the channel.
  std::optional<std::uint64_t> close(std::uint64_t own) {
    const auto w = wire(own);
    if (w) {
      to_wire_.erase(own);
      to_own_.erase(*w);
    }
    return w;
  }

 private:
  using ids = std::unordered_map<std::uint64_t, std::uint64_t>;
  static std::optional<std::uint64_t> look_up(const ids& in, std::uint64_t id) {
    const auto found = in.find(id);
    if (found == in.end()) return std::nullopt;
    return found->second;
  }

  ids to_wire_, to_own_;
  std::uint64_t last_ = 0;
};

}  // namespace troupe
