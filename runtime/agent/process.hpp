// SPDX-License-Identifier: Apache-2.0
//
// The rules around a behaviour, written once and without any library: queue order and control lane,
// serial or concurrent, call table, deadlines, cause, cancel, credit, links, monitors, exit rules,
// timers, dead letters. It is the context that its behaviour sees. A carrier moves its messages.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/carrier.hpp"
#include "agent/context.hpp"
#include "agent/deadlines.hpp"
#include "base/id.hpp"

namespace troupe {

/// When a turn gives way to others.
struct turn_limits {
  std::uint32_t messages = 100;
  duration time = std::chrono::milliseconds(2);
};

enum class turn_end : std::uint8_t {
  asleep,  ///< nothing to do; whoever pushes next schedules it. The process must not be touched any
           ///< more: it may run on another thread already.
  more,    ///< goes to the tail of the run queue
  ended,   ///< over; its mailbox is closed and drained, the carrier destroys it
};

/// Used by one thread at a time.
class process final : public context {
 public:
  /// `c` and `inbox` outlive the process.
  process(carrier& c, mailbox& inbox, const address& self, process_init init, std::uint64_t seed);
  ~process() override;

  /// Runs one turn.
  turn_end run(const turn_limits& limits);

  /// Ends it from outside its turns, at shutdown of the carrier: as a kill, with `reason`.
  void abandon(const error& reason);

  // -- context
  const address& self() const override { return self_; }
  const std::string& path() const override { return init_.path; }
  const authority_ptr& own_authority() const override { return init_.rights; }
  instant now() const override { return now_; }
  wall_time wall() const override;
  std::uint64_t random() override { return random_.next(); }
  void send(cause_id on, const target& to, std::string_view verb, bytes args) override;
  void call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
            const call_options& options) override;
  void cancel(call_id id) override;
  void grant(call_id id, std::uint32_t parts) override;
  result<void> part(cause_id on, bytes body) override;
  void reply(cause_id on, bytes body) override;
  void fail(cause_id on, const error& why) override;
  void done(cause_id on) override;
  void spawn(cause_id on, call_id id, const value& spec) override;
  void find(call_id id, std::string_view name) override;
  void bind(call_id id, std::string_view name) override;
  void exit(error reason) override;
  void exit(const target& whom, error reason) override;
  void monitor(monitor_id id, const target& whom) override;
  void demonitor(monitor_id id) override;
  void link(const target& whom) override;
  void unlink(const target& whom) override;
  void trap_exits(bool on) override { traps_ = on; }
  void set_timer(timer_id id, duration delay) override;
  void cancel_timer(timer_id id) override;
  void log(log_level level, std::string_view message, value::map fields) override;
  outlet make_outlet() override;

 private:
  struct impl;
};

}  // namespace troupe
