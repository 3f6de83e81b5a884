// SPDX-License-Identifier: Apache-2.0
#include "http/ip.hpp"

#include <arpa/inet.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

namespace troupe {

namespace {

struct range4 {
  std::uint32_t network;
  int bits;
};

// The IANA special-purpose registries (RFC 6890 and its updates), without the globally reachable
// ones.
constexpr range4 special4[] = {
    {0x00000000, 8},   // "this network"
    {0x0a000000, 8},   // private
    {0x64400000, 10},  // shared by carriers
    {0x7f000000, 8},   // loopback
    {0xa9fe0000, 16},  // link-local, cloud metadata
    {0xac100000, 12},  // private
    {0xc0000000, 24},  // protocol assignments
    {0xc0000200, 24},  // documentation
    {0xc0586300, 24},  // 6to4 relays
    {0xc0a80000, 16},  // private
    {0xc6120000, 15},  // benchmarks
    {0xc6336400, 24},  // documentation
    {0xcb007100, 24},  // documentation
    {0xe0000000, 3},   // multicast, reserved, broadcast
};

bool is_public4(std::uint32_t ip) {
  for (const auto& range : special4)
    if ((ip ^ range.network) >> (32 - range.bits) == 0) return false;
  return true;
}

using address6 = std::array<std::uint8_t, 16>;

std::uint32_t word(const address6& ip, std::size_t at) {
  return std::uint32_t{ip[at]} << 24 | std::uint32_t{ip[at + 1]} << 16 |
         std::uint32_t{ip[at + 2]} << 8 | ip[at + 3];
}

bool is_public6(const address6& ip) {
  // Everything routed lies in 2000::/3; NAT64 and mapped addresses are IPv4 in other clothes.
  if (word(ip, 0) == 0 && word(ip, 4) == 0 && word(ip, 8) == 0xffff)
    return is_public4(word(ip, 12));
  if (word(ip, 0) == 0x0064ff9b && word(ip, 4) == 0 && word(ip, 8) == 0)
    return is_public4(word(ip, 12));
  if ((ip[0] & 0xe0) != 0x20) return false;
  if (ip[0] == 0x20 && ip[1] == 0x02) return is_public4(word(ip, 2));  // 6to4
  if (word(ip, 0) >> 9 == 0x20010000u >> 9) return false;              // 2001::/23: Teredo, ORCHID
  if (word(ip, 0) == 0x20010db8) return false;                         // documentation
  if (word(ip, 0) >> 12 == 0x3fff0000u >> 12) return false;            // documentation
  return true;
}

}  // namespace

bool is_public_address(std::string_view ip) {
  const std::string text(ip);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return is_public4(ntohl(v4.s_addr));
  in6_addr v6{};
  if (inet_pton(AF_INET6, text.c_str(), &v6) != 1) return false;
  address6 octets;
  std::memcpy(octets.data(), &v6, octets.size());
  return is_public6(octets);
}

}  // namespace troupe
