// SPDX-License-Identifier: Apache-2.0
//
// What somebody meant who wrote a name that nobody knows: for sentences about unknown keys, hooks
// and options.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// The one of `known` that is closest to `word` (insertions, deletions, replacements and swaps of
/// neighbours each count one), the first of several; empty if more than half of it would differ.
std::string_view nearest(std::string_view word, const std::vector<std::string_view>& known);

/// `unknown key "strat": did you mean "strategy"?`, or all known ones if none is close. `what` is
/// the kind of name.
std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string_view>& known);

}  // namespace troupe
