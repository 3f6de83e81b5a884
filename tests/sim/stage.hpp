// SPDX-License-Identifier: Apache-2.0
//
// Where a scenario plays: on the simulation's carrier or on a node's, with a ledger on either. The
// scenario can't tell which, but by the clock.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "agent/launcher.hpp"
#include "sim/ledger.hpp"

namespace troupe::test {

/// For one thread, the test's. What it takes over ends before it does.
class stage {
 public:
  explicit stage(bool in_node) : book(in_node) {}
  virtual ~stage() = default;

  /// Starts an agent and waits until it is ready. One that can't be started ends the test.
  virtual address add(process_init init) = 0;
  virtual void send(const target& to, std::string_view verb, value::array args = {}) = 0;
  virtual result<value> call(const target& to, std::string_view verb, value::array args = {},
                             call_options options = {}) = 0;
  virtual void exit(const target& whom, errc reason) = 0;
  /// Waits until it has ended; why it did.
  virtual error end_of(const address& a) = 0;
  /// Waits until that is so.
  virtual void until(const std::function<bool()>& is_so) = 0;
  virtual address lookup(const std::string& name) const = 0;
  /// What supervisors start their children with.
  virtual starter& starts() = 0;
  /// Ends all that still lives.
  virtual void close() = 0;

  ledger book;
};

std::unique_ptr<stage> simulated_stage(std::uint64_t seed, bool messages_travel);
std::unique_ptr<stage> node_stage(std::size_t threads, std::size_t spare_threads);

/// What several agents write down. Thread-safe.
class notes {
 public:
  void add(std::string line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return lines_.size();
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace troupe::test
