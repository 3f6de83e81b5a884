// SPDX-License-Identifier: Apache-2.0
#include "base/nearest.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/utf8.hpp"

namespace troupe {

namespace {

/// Names longer than this are near to nothing: the cost is quadratic and the text may be anyone's.
constexpr std::size_t longest = 100;

/// Optimal string alignment distance.
std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::vector<std::size_t>, 3> rows;  // two above, one above, this one
  for (auto& row : rows)
    row.resize(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j)
    rows[1][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    rows[2][0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = rows[1][j - 1] + (a[i - 1] != b[j - 1]);
      rows[2][j] = std::min({rows[1][j] + 1, rows[2][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        rows[2][j] = std::min(rows[2][j], rows[0][j - 2] + 1);
    }
    std::rotate(rows.begin(), rows.begin() + 1, rows.end());
  }
  return rows[1][b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known) {
  std::string_view best;
  std::size_t best_distance = longest;
  if (word.size() > longest) return best;
  for (const auto candidate : known) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance && d * 2 <= std::max(word.size(), candidate.size())) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string_view>& known) {
  std::string sentence =
      "unknown " + std::string(what) + " \"" + std::string(utf8_prefix(word, longest)) + "\"";
  if (const auto near = nearest(word, known); !near.empty())
    return sentence + ": did you mean \"" + std::string(near) + "\"?";
  const char* separator = ": known are ";
  for (const auto name : known) {
    sentence.append(separator).append(name);
    separator = ", ";
  }
  return sentence;
}

}  // namespace troupe
