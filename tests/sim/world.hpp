// SPDX-License-Identifier: Apache-2.0
//
// One simulated world: a tree of real supervisors, pools and Lua agents, which calls, crashes,
// kills, cancels, floods and administers itself as a seed decides, with a ledger between each
// behaviour and its context. The same seed gives the same story, to the last message.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/ledger.hpp"
#include "sim/sabotage.hpp"

namespace troupe::test {

struct world_options {
  std::uint64_t seed = 1;
  test::sabotage sabotage = test::sabotage::none;
  /// Gets each line of the story.
  std::function<void(const std::string&)> print = {};
};

struct story {
  std::uint64_t hash = 0;
  std::uint64_t length = 0;  ///< events
  std::uint64_t steps = 0;
  std::vector<breach> breaches;
  /// How often something happened, so that a test can see that the worlds are not idle.
  std::map<std::string, std::uint64_t> counts;
};

/// Runs a world from its start to its end. Uses one thread; worlds in different threads share
/// nothing.
story run_world(const world_options& with);

}  // namespace troupe::test
