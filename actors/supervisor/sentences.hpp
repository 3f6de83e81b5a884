// SPDX-License-Identifier: Apache-2.0
//
// How a supervisor says times and reasons to people.
#pragma once

#include <cstdio>
#include <string>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/utf8.hpp"

namespace troupe {

inline std::string in_seconds(duration d) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g s", to_seconds(d));
  return text;
}

/// A reason as one line of at most 500 bytes, whatever a child put into it.
inline std::string in_one_line(const error& why) {
  constexpr std::size_t most = 500;
  auto line = why.describe();
  if (line.size() > most) line = std::string(utf8_prefix(line, most - 3)) + "...";
  for (auto& c : line)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return line;
}

}  // namespace troupe
