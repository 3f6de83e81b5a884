// SPDX-License-Identifier: Apache-2.0
//
// Random ids, and their text.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace troupe {

/// Fills `n` bytes from the system's random source.
void random_bytes(void* to, std::size_t n);

/// A fast seeded generator (xoshiro256++) for ids, jitter and `random`: unpredictable only as far
/// as its seed is. Not thread-safe.
class random_source {
 public:
  explicit random_source(std::uint64_t seed);
  /// Seeded by the system.
  random_source();
  std::uint64_t next();
  /// In [0, 1).
  double real();
  /// In [0, n); 0 if n is 0.
  std::uint64_t below(std::uint64_t n);

 private:
  std::array<std::uint64_t, 4> state_;
};

/// Lower-case hexadecimal of bytes.
std::string to_hex(std::string_view data);

}  // namespace troupe
