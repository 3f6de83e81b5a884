// SPDX-License-Identifier: Apache-2.0
//
// The worker's half of a channel: a context that sends each call of it on as a frame. What only a
// worker can know it keeps itself: which ids its agent uses, and how many parts it may still send.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/id.hpp"
#include "channel/frame.hpp"
#include "channel/greeting.hpp"
#include "channel/wire_ids.hpp"

namespace troupe {

/// Used by the one thread that runs the agent.
class remote_context final : public context {
 public:
  /// Takes each frame as it is made.
  using sink_function = std::function<void(bytes)>;

  remote_context(greeting hello, const clock& time, outlet events, sink_function to);

  // -- for the loop that drives the agent

  /// Before a turn.
  void begin_turn() { now_ = time_.now(); }
  /// After a turn: says that the agent has started, if that is news; shows what `inspect` shows,
  /// at most once a second.
  void end_turn(const behaviour& agent);
  /// Before a message is delivered: puts the agent's ids into it. False if it is for nobody any
  /// more and must be dropped.
  bool admit(envelope& e);
  /// A message that is delivered next, before any other: a request that failed on this side.
  envelope_ptr take_local();
  /// Set once the agent has asked to end.
  const std::optional<error>& exit_reason() const { return exit_; }
  /// Ends the agent's part in the conversation.
  void send_exit(const error& why);

  // -- context
  const address& self() const override { return hello_.self; }
  const std::string& path() const override { return hello_.path; }
  const authority_ptr& own_authority() const override { return hello_.rights; }
  instant now() const override { return now_; }
  wall_time wall() const override { return time_.wall(); }
  std::uint64_t random() override { return random_.next(); }
  void send(cause_id on, const target& to, std::string_view verb, bytes args) override;
  void call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
            const call_options& options) override;
  void sleep(cause_id on, call_id id, duration delay) override;
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
  void trap_exits(bool on) override;
  void set_timer(timer_id id, duration delay) override;
  void cancel_timer(timer_id id) override;
  void log(log_level level, std::string_view message, value::map fields) override;
  outlet make_outlet() override { return events_; }

 private:
  /// A call that the agent serves.
  struct open_call {
    std::uint32_t credit = 0;
    bool answered = false, served = false, cancelled = false;
  };

  result<void> emit(const frame& f);
  /// What fits unless the agent made a name of megabytes; that ends it.
  void emit_small(const frame& f);
  void emit_request(call_id id, frame f);
  void show(const behaviour& agent);
  void fail_locally(call_id id, const error& why);
  open_call* find_open(cause_id on);
  void close_if_over(cause_id on);

  const greeting hello_;
  const clock& time_;
  const outlet events_;
  const sink_function to_;
  instant now_;
  random_source random_;
  wire_ids calls_, monitors_, timers_;
  std::unordered_map<cause_id, open_call> open_;
  std::deque<envelope_ptr> local_;
  cause_id start_ = no_cause;
  instant shown_{};
  std::optional<bytes> started_;  ///< the answer to `start`, until it is sent
  std::optional<error> exit_;
};

}  // namespace troupe
