// SPDX-License-Identifier: Apache-2.0
//
// What a worker asks for, on its way to the context in the node. Nothing it says is trusted: each
// frame is checked, what it may leave open is bounded, and who it is it does not get to say.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "base/error.hpp"
#include "base/result.hpp"
#include "channel/frame.hpp"

namespace troupe {

/// Used in the turns of one agent.
class request_gate {
 public:
  /// `most_open`: calls, monitors, timers and links at the same time, each.
  explicit request_gate(std::size_t most_open) : most_open_(most_open) {}

  /// A message goes to the worker.
  void note(const envelope& e);
  /// A frame comes from it. An error says how it broke the protocol, or which bound it hit.
  result<void> apply(context& ctx, const frame& f);

  /// Served and not yet done.
  std::size_t open_messages() const { return messages_.size(); }
  bool is_started() const { return started_; }
  /// The start that is not answered, or no_cause.
  cause_id start() const { return start_; }
  const concurrency& overlap() const { return overlap_; }
  /// What the agent showed of itself last; nil if it never did.
  const value& inside() const { return inside_; }
  /// Does the worker answer the runtime's verbs, at any time?
  bool takes_control() const { return takes_control_; }
  /// Inspections that it has answered since this was asked last; `inside` is what it said.
  std::vector<cause_id> take_inspected() { return std::exchange(inspected_, {}); }
  /// Set once the worker has asked to end.
  const std::optional<error>& exit_reason() const { return exit_; }

 private:
  using ids = std::unordered_set<std::uint64_t>;
  struct request {
    std::string_view name;
    result<void> (request_gate::*apply)(context&, field_reader&);
  };
  static const request requests[];

  result<void> started(context&, field_reader&);
  result<void> send(context&, field_reader&);
  result<void> call(context&, field_reader&);
  result<void> sleep(context&, field_reader&);
  result<void> cancel(context&, field_reader&);
  result<void> grant(context&, field_reader&);
  result<void> part(context&, field_reader&);
  result<void> reply(context&, field_reader&);
  result<void> fail(context&, field_reader&);
  result<void> done(context&, field_reader&);
  result<void> spawn(context&, field_reader&);
  result<void> find(context&, field_reader&);
  result<void> bind(context&, field_reader&);
  result<void> exit(context&, field_reader&);
  result<void> exit_to(context&, field_reader&);
  result<void> monitor(context&, field_reader&);
  result<void> demonitor(context&, field_reader&);
  result<void> link(context&, field_reader&);
  result<void> unlink(context&, field_reader&);
  result<void> trap_exits(context&, field_reader&);
  result<void> set_timer(context&, field_reader&);
  result<void> cancel_timer(context&, field_reader&);
  result<void> log(context&, field_reader&);
  result<void> show(context&, field_reader&);

  result<void> bounded(std::size_t open, std::string_view what) const;
  /// Adds the id of a request that will be answered.
  result<void> open(ids& to, std::uint64_t id, std::string_view what);

  const std::size_t most_open_;
  ids messages_, calls_, monitors_, timers_;
  ids inspections_;  ///< open ones
  std::vector<cause_id> inspected_;
  bool takes_control_ = false;
  std::unordered_set<address> links_;
  std::unordered_set<std::string> named_links_;  ///< made by name: whose they are is not known here
  cause_id start_ = no_cause;
  bool started_ = false;
  concurrency overlap_;
  value inside_;
  std::optional<error> exit_;
};

}  // namespace troupe
