// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace troupe {

bool is_utf8(std::string_view data) {
  const auto* at = reinterpret_cast<const unsigned char*>(data.data());
  const auto* end = at + data.size();
  while (at != end) {
    if (end - at >= 8) {  // most text is ASCII: eight bytes at a time
      std::uint64_t word;
      std::memcpy(&word, at, 8);
      if ((word & 0x8080808080808080) == 0) {
        at += 8;
        continue;
      }
    }
    const unsigned lead = *at++;
    if (lead < 0x80) continue;
    int more = 1;
    unsigned low = 0x80, high = 0xbf;  // what the second byte may be
    if (lead >= 0xc2 && lead <= 0xdf) {
    } else if (lead >= 0xe0 && lead <= 0xef) {
      more = 2;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
    } else if (lead >= 0xf0 && lead <= 0xf4) {
      more = 3;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
    } else {
      return false;
    }
    if (end - at < more || *at < low || *at > high) return false;
    for (int i = 1; i < more; ++i)
      if ((at[i] & 0xc0) != 0x80) return false;
    at += more;
  }
  return true;
}

std::string_view utf8_prefix(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
    --most;
  return text.substr(0, most);
}

}  // namespace troupe
