// SPDX-License-Identifier: Apache-2.0
//
// Where a script drops what a call gave it, and with it the `nil, err` of its failure.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

struct dropped_result {
  int line = 0;
  std::string function;  ///< `troupe.call`
};

/// Statements that are nothing but a call of a function in `fallible` (full names). A function is
/// known by what a local holds (`local llm = require("troupe.llm")`, `local call = troupe.call`); a
/// name that means two things in the file is not known. Methods (`chat:ask`) are not looked at.
std::vector<dropped_result> dropped_results(std::string_view source,
                                            const std::set<std::string, std::less<>>& fallible);

/// The names of modules that a script requires as a text.
std::set<std::string> required_modules(std::string_view source);

}  // namespace troupe::cli
