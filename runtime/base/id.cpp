// SPDX-License-Identifier: Apache-2.0
#include "base/id.hpp"

#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

namespace troupe {

void random_bytes(void* to, std::size_t n) {
  auto* at = static_cast<char*>(to);
  while (n > 0) {
    auto got = ::getrandom(at, n, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      // Ids that can be guessed would give away the right to send: better no node at all.
      std::perror("troupe: the system's random source failed");
      std::abort();
    }
    at += got;
    n -= static_cast<std::size_t>(got);
  }
}

random_source::random_source(std::uint64_t seed) {
  // SplitMix64, as the authors of xoshiro advise: it spreads even the seeds 0, 1, 2.
  for (auto& word : state_) {
    auto z = (seed += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    word = z ^ (z >> 31);
  }
}

random_source::random_source() {
  // All zero is the one state that the generator never leaves.
  do {
    random_bytes(state_.data(), sizeof(state_));
  } while (state_ == decltype(state_){});
}

std::uint64_t random_source::next() {
  auto& s = state_;
  const auto x = std::rotl(s[0] + s[3], 23) + s[0];
  const auto t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = std::rotl(s[3], 45);
  return x;
}

double random_source::real() {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

std::uint64_t random_source::below(std::uint64_t n) {
  if (n == 0) return 0;
  // What is left above the largest multiple of n would make small results likelier.
  const auto refused = (std::uint64_t{0} - n) % n;
  for (;;) {
    const auto x = next();
    if (x >= refused) return x % n;
  }
}

std::string to_hex(std::string_view data) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  text.reserve(data.size() * 2);
  for (unsigned char c : data) {
    text += digits[c >> 4];
    text += digits[c & 15];
  }
  return text;
}

}  // namespace troupe
