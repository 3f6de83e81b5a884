// SPDX-License-Identifier: Apache-2.0
//
// The well-behaved half: calls each of many agents every 100 ms from a thread outside the node, and
// keeps how long each answer took, from the moment the call was made.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <thread>
#include <vector>

#include "core/gateway.hpp"

namespace troupe::test {

class traffic {
 public:
  /// Calls the verb `ask` of all of them in turns. `door` outlives it.
  traffic(gateway& door, std::vector<std::string> agents);
  ~traffic();
  traffic(const traffic&) = delete;
  traffic& operator=(const traffic&) = delete;

  /// What was seen in a phase.
  struct figures {
    std::size_t calls = 0;
    std::size_t failed = 0;
    std::string first_failure;
    std::chrono::microseconds p50{}, p99{}, most{};
  };
  /// Begins to call.
  void begin();
  /// Calls that were answered since.
  std::size_t answered() const { return answered_.load(); }
  /// Stops calling, waits until all calls are answered, however long that takes.
  figures end();

 private:
  void run();

  static constexpr std::chrono::milliseconds period{100};

  gateway& door_;
  const std::vector<std::string> agents_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> open_{0};
  std::atomic<std::size_t> answered_{0};
  // Written in turns of the gateway's agent, one at a time; read when all is answered.
  std::vector<std::chrono::nanoseconds> took_;
  std::size_t failed_ = 0;
  std::string first_failure_;
};

}  // namespace troupe::test
