// SPDX-License-Identifier: Apache-2.0
//
// An agent that does what a test tells it, so that what the test asks for is asked for by an agent
// and seen by the ledger. On any carrier.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"

namespace troupe::test {

/// What it is to do; it looks here at each event of its outlet.
struct prompts {
  std::mutex mutex;  ///< guards the rest
  std::deque<std::function<void(context&)>> orders;

  void add(std::function<void(context&)> f) {
    const std::lock_guard lock(mutex);
    orders.push_back(std::move(f));
  }
};

/// Grants one more part for every second that comes, and ends when it is told to.
std::unique_ptr<behaviour> make_prompter(std::shared_ptr<prompts> from);

}  // namespace troupe::test
