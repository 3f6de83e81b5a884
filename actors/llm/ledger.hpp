// SPDX-License-Identifier: Apache-2.0
//
// What models have cost, per agent and below each place of the tree, and what budgets still hold. A
// restart of an agent does not refill them: places are known by their path.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/authority.hpp"
#include "base/result.hpp"

namespace troupe {

/// One request's tokens and money.
struct spending {
  std::uint64_t input = 0;  ///< cached ones included
  std::uint64_t output = 0;
  std::uint64_t cached = 0;  ///< of `input`
  double cost = 0;
  std::uint64_t calls = 0;

  std::uint64_t tokens() const { return input + output; }
  spending& operator+=(const spending& other);
};

/// `the budget of desk/writer`.
std::string budget_of(const budget_place& place);
/// The innermost budget that caps the cost, or null.
const budget_place* place_with_cost(const authority& who);

class ledger {
 public:
  /// What a request may use at most is set aside in all budgets of `who`, or in none. Fails with
  /// budget and a sentence that names the place, what it holds and what was asked.
  result<void> reserve(const authority& who, const spending& most, instant now);
  /// The request is over: what it used in truth takes the place of what was set aside.
  void settle(const authority& who, const spending& reserved, const spending& used, instant now);

  /// The tightest of each kind: { tokens, cost, calls }.
  value left(const authority& who, instant now);
  /// What `path` and each place below it have spent, by path; of the root: all.
  value below(std::string_view path) const;

  /// Places whose spending passed their `warn` share since the last call; for the log.
  std::vector<std::string> take_warnings();

 private:
  struct account {
    spending spent, reserved;  ///< `spent` of the current period
    instant period_began;
    bool warned = false;
  };
  account& of(const budget_place& place, instant now);

  std::map<std::string, account> budgets_;
  /// By the path of an agent and of each place above it.
  std::map<std::string, spending> totals_;
  std::vector<std::string> warnings_;
};

}  // namespace troupe
