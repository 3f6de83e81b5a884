// SPDX-License-Identifier: Apache-2.0
//
// Random plain data for property tests: every type, every shape, edges more often than chance
// would have them.
#pragma once

#include "base/id.hpp"
#include "base/value.hpp"

namespace troupe {

class value_maker {
 public:
  explicit value_maker(std::uint64_t seed) : random_(seed) {}

  /// At most `depth` lists and maps inside each other.
  value any(std::size_t depth);
  /// The same, of what JSON has: no binary, no addresses, no NaN or infinity, text keys.
  value json(std::size_t depth);
  std::int64_t integer();
  double number();
  std::string text();
  std::string noise();
  random_source& random() { return random_; }

 private:
  value key();
  random_source random_;
};

}  // namespace troupe
