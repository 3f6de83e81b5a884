// SPDX-License-Identifier: Apache-2.0
//
// The carrier of a node: runs its agents on scheduler threads, moves their messages, wakes them at
// their times, knows their names. CAF stands behind it and shows nowhere.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/carrier.hpp"
#include "agent/process.hpp"
#include "agent/tracer.hpp"
#include "base/log.hpp"

namespace troupe {

namespace core {
class inner_carrier;
}

/// What is pointed to belongs to the caller and outlives the carrier.
struct node_options {
  /// Scheduler threads that run agents at the same time; 0: as many as the machine has cores.
  std::size_t threads = 0;
  /// Further ones that take over while some are stuck in a turn.
  std::size_t spare_threads = 4;
  turn_limits turns = {};
  /// Turns longer than that, or twice that, are asked to pause; see watchdog.hpp.
  duration slice = std::chrono::milliseconds(1);
  /// An agent that is in one turn for longer is reported as stuck, and logged.
  duration patience = std::chrono::milliseconds(500);
  event_sink* events = nullptr;
  logger* log = nullptr;
  /// Is shown messages. Shared with agents that can't be ended at shutdown.
  std::shared_ptr<tracer> traces = nullptr;
  /// Must go at the pace of real time. Null: the system's.
  const clock* time = nullptr;
  /// Identity of the node; random if it is not given.
  std::optional<std::array<std::uint64_t, 2>> node = std::nullopt;
  /// For addresses, and what `random` gives to agents; 0: from the system. Any other value makes
  /// addresses easy to guess: for tests.
  std::uint64_t seed = 0;
  /// Gets what is addressed to other nodes, on any thread. None: such messages fail with peer_lost.
  std::function<void(envelope_ptr)> post_elsewhere = nullptr;
};

/// How a node came to rest.
struct shutdown_report {
  /// Agents that were still there in the end and were killed.
  std::size_t killed = 0;
  /// Paths of those that did not even come out of their turn. If there are any, their threads are
  /// left behind: the program should leave by _exit, since they still use what they have.
  std::vector<std::string> stuck;
};

/// Thread-safe. Agents see the carrier inside; this one passes on to it.
class node_carrier final : public carrier {
 public:
  explicit node_carrier(node_options options = {});
  /// As shutdown(0).
  ~node_carrier() override;

  /// Agents that live here; the gateways' own are among them.
  std::size_t population() const;
  /// Waits until none is left. False if some still are after `limit`.
  bool wait_until_empty(duration limit) const;

  /// Waits until all agents are gone or reported as stuck, for `limit`; then kills those that are
  /// left and starts no more. Whoever calls it has told the root to stop and closed the gateways
  /// before. Takes a second longer than `limit` at most. Not from an agent's turn.
  shutdown_report shutdown(duration limit);

  /// This node and this run of it, as agent 0.
  address self() const;

  // -- carrier
  void post(envelope_ptr e) override;
  instant now() const override;
  wall_time wall() const override;
  void wake_at(process& p, instant t) override;
  /// Fails with shutdown once the node is being shut down, with limit above 4 million agents.
  result<address> start(process_init init) override;
  bool bind(std::string_view name, const address& holder, bool replace) override;
  void unbind(const address& holder) override;
  address lookup(std::string_view name) const override;
  bool was_held(std::string_view name) const override;
  std::string path_of(const address& a) const override;
  void report(const runtime_event& event) override;
  void log(log_level level, std::string_view component, std::string_view message,
           value::map fields) override;
  outlet outlet_to(const address& a) override;
  tracer* traces() override;

 private:
  std::unique_ptr<core::inner_carrier> node_;
  bool left_behind_ = false;
};

}  // namespace troupe
