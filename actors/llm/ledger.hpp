// SPDX-License-Identifier: Apache-2.0
//
// What models have cost, per agent and below each place of the tree, and what budgets still hold. A
// restart of an agent does not refill them: places are known by their path.
//
// Of the places that have spent something, `most_rows` are known: above that, the one without any
// below it that has not spent for the longest time is forgotten; the sums of those above it hold
// what it spent. The budget of a temporary agent, which nothing starts again, ends with it, and so
// do those below it. All others last as long as the node, also where a supervisor has deleted the
// child: one of that id that is started later has what is left. So children that come and go under
// ever new ids, each with a budget of its own, should be temporary.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/authority.hpp"
#include "base/result.hpp"

namespace troupe {

/// One request's tokens, money and time.
struct spending {
  std::uint64_t input = 0;  ///< cached ones included
  std::uint64_t output = 0;
  std::uint64_t cached = 0;  ///< of `input`
  double cost = 0;
  std::uint64_t calls = 0;
  double time = 0;  ///< seconds from the request to its end

  std::uint64_t tokens() const { return input + output; }
  spending& operator+=(const spending& other);
};

/// `the budget of desk/writer`.
std::string budget_of(const budget_place& place);
/// The innermost budget that caps the cost, or null.
const budget_place* place_with_cost(const authority& who);

class ledger {
 public:
  static constexpr std::size_t most_rows = 10'000;

  explicit ledger(std::size_t rows = most_rows) : most_rows_(rows) {}

  /// What a request may use at most is set aside in all budgets of `who`, or in none, and then no
  /// account is opened either. Fails with budget and a sentence that names the place, what it holds
  /// and what was asked. Nobody knows how long a call will take: one that finds time left may use
  /// more.
  result<void> reserve(const authority& who, const spending& most, instant now);
  /// The request is over: what it used in truth takes the place of what was set aside.
  void settle(const authority& who, const spending& reserved, const spending& used, instant now);

  /// The tightest of each kind: { tokens, cost, calls, time }.
  value left(const authority& who, instant now) const;
  /// What `path` and each place below it have spent, by path; of the root: all.
  value below(std::string_view path) const;

  /// Places of temporary agents whose budgets are kept since the last call: `close` shall be called
  /// when they have ended.
  std::vector<std::string> take_opened();
  /// The agent there has ended for good: the budgets of it and of all below it are forgotten, once
  /// nothing is set aside in them.
  void close(const std::string& path);

  /// How many budgets are kept.
  std::size_t accounts() const { return budgets_.size(); }

  /// Places whose spending passed their `warn` share since the last call; for the log.
  std::vector<std::string> take_warnings();

 private:
  struct account {
    spending spent, reserved;  ///< `spent` of the current period
    instant period_began;
    bool warned = false;
    bool is_closed = false;  ///< forgotten once nothing is reserved
  };
  struct row {
    spending spent;
    std::uint64_t last = 0;   ///< when it spent something, by last_
    std::uint32_t below = 0;  ///< rows right below it
  };
  /// What is known of a place in its present period; nothing is kept of it.
  account seen(const budget_place& place, instant now) const;
  account& of(const budget_place& place, instant now);
  void count(std::string_view path, const spending& used);
  void forget_oldest();

  const std::size_t most_rows_;
  std::map<std::string, account> budgets_;
  /// By the path of an agent and of each place above it.
  std::map<std::string, row, std::less<>> rows_;
  /// Those without a row below them, the one that spent longest ago first.
  std::set<std::pair<std::uint64_t, std::string>> leaves_;
  std::uint64_t last_ = 0;
  std::vector<std::string> opened_, warnings_;
};

}  // namespace troupe
