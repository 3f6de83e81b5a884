// SPDX-License-Identifier: Apache-2.0
//
// Where an agent can be reached: one incarnation of it, anywhere. Knowing an address is the right
// to send to it, so it can't be guessed and is never reused; it keeps nothing alive.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/value.hpp"

namespace troupe {

/// 32 bytes on the wire: node (16), incarnation (8), agent (8). Plain data; copy it freely.
struct address {
  /// Identity of the node, for as long as its keys live; all zero in `nobody`.
  std::array<std::uint64_t, 2> node{};
  /// Which run of that node.
  std::uint64_t incarnation = 0;
  /// Random, never a counter.
  std::uint64_t agent = 0;
  /// Where this node keeps the agent, or 0 if not known. A shortcut of the carrier: no part of the
  /// identity, never sent anywhere.
  std::uint32_t slot = 0;

  static constexpr std::size_t wire_size = 32;

  explicit operator bool() const { return agent != 0; }
  friend bool operator==(const address& a, const address& b) {
    // Not a.node == b.node, which calls memcmp: this is asked several times a message.
    return a.agent == b.agent && a.incarnation == b.incarnation && a.node[0] == b.node[0] &&
           a.node[1] == b.node[1];
  }

  /// `<3f9a01c2>`: enough for people to tell agents apart; can't be turned back into an address.
  std::string to_string() const;
};

/// The 32 bytes, and back (agent 0 if `data` is not exactly 32 bytes).
std::array<char, address::wire_size> to_wire(const address& a);
address address_from_wire(std::string_view data);

/// As plain data: MessagePack extension type 1, and back (nobody if it is anything else).
inline constexpr std::int8_t address_extension = 1;
value to_value(const address& a);
address address_from(const value& v);

}  // namespace troupe

template <>
struct std::hash<troupe::address> {
  std::size_t operator()(const troupe::address& a) const noexcept {
    return static_cast<std::size_t>(a.agent);  // random already
  }
};
