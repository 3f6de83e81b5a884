// SPDX-License-Identifier: Apache-2.0
//
// What a behaviour may ask of the runtime: the lower half of the seam. In the node and in the
// simulation the process implements it; in a worker the channel does, which sends each call of it
// on as a frame. So nothing here blocks or returns what only the node can know: who asks for such a
// thing names it by an id of its own choice, and the answer comes as an envelope with that id.
//
// It stays small because models, tools, stores and groups are actors too.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "agent/envelope.hpp"
#include "base/log.hpp"
#include "base/result.hpp"

namespace troupe {

/// An address, or a name that is resolved at each use: a path from the app's root (`desk/writer`),
/// a sibling (`./writer`) or a registered name.
using target = std::variant<address, std::string>;

struct call_options {
  duration timeout = std::chrono::seconds(30);
  /// Parts that the callee may send before more are granted; 0: the caller wants none.
  std::uint32_t credit = 0;
};

/// The one thread-safe way into an agent, for completions of `http/`, a channel's reader and a
/// plugin's own threads. Copyable; may outlive its agent and even the node: what comes then is
/// dropped.
class outlet {
 public:
  /// What the carrier puts behind it.
  class sink {
   public:
    virtual ~sink() = default;
    /// Called from any thread. False if nobody will ever see it.
    virtual bool post(std::string_view verb, bytes body) = 0;
  };

  outlet() = default;
  explicit outlet(std::shared_ptr<sink> to) : sink_(std::move(to)) {}

  /// Delivers an `event` to the agent. False if the agent has ended.
  bool post(std::string_view verb, bytes body) const {
    return sink_ && sink_->post(verb, std::move(body));
  }

 private:
  std::shared_ptr<sink> sink_;  ///< shared: held by every thread that may still complete something
};

/// All functions are called in the agent's turn, and only from `receive` or `resume`. `on` is the
/// cause under which something is done: deadline, chain, trace and cancel follow from it;
/// `no_cause` if there is none. A cause that is not open is refused: calls under it fail with
/// `cancelled`.
class context {
 public:
  virtual ~context() = default;

  virtual const address& self() const = 0;
  /// Place in the tree, e.g. `desk/writer`.
  virtual const std::string& path() const = 0;
  virtual const authority_ptr& own_authority() const = 0;
  /// Time at which this turn began, more or less.
  virtual instant now() const = 0;
  virtual wall_time wall() const = 0;
  virtual std::uint64_t random() = 0;

  // Messages. `args` is a packed list; the body of a reply or part is one packed value.
  virtual void send(cause_id on, const target& to, std::string_view verb, bytes args) = 0;
  /// Answered, in any case, by one `reply` or `error` with `id`, after any number of `part`s.
  virtual void call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
                    const call_options& options = {}) = 0;
  /// Answered by `reply` (nil) with `id` after `delay`: a wait of its own, out of turn like an
  /// answer, so that a serial agent may sleep while it serves `on` (a timer is a message and waits
  /// for its turn).
  virtual void sleep(cause_id on, call_id id, duration delay) = 0;
  /// Takes a call or sleep back: no answer will come any more.
  virtual void cancel(call_id id) = 0;
  /// Lets the callee send that many more parts.
  virtual void grant(call_id id, std::uint32_t parts) = 0;
  /// Fails with no_credit until a `credit` comes; with too_big above 64 KiB; with cancelled where
  /// the caller has taken the call back; with not_found where the cause is no open call.
  virtual result<void> part(cause_id on, bytes body) = 0;
  /// Answers a call; ignored if it is answered already or no call.
  virtual void reply(cause_id on, bytes body) = 0;
  virtual void fail(cause_id on, const error& why) = 0;
  /// The handler is through with this message: its slot is free. A call not yet answered stays
  /// open.
  virtual void done(cause_id on) = 0;

  // Agents.
  /// Starts a child below this agent (a child spec as plain data); reply: its address.
  virtual void spawn(cause_id on, call_id id, const value& spec) = 0;
  /// Reply: the address, or error no_such_agent.
  virtual void find(call_id id, std::string_view name) = 0;
  /// Gives this agent a further name; reply: nil, or error exists.
  virtual void bind(call_id id, std::string_view name) = 0;
  /// Ends this agent when the current `receive` or `resume` returns. The first reason counts.
  virtual void exit(error reason) = 0;
  /// Sends an exit signal. `kill` can't be trapped.
  virtual void exit(const target& whom, error reason) = 0;
  /// Delivers `down` with `id` when it ends; at once if it has.
  virtual void monitor(monitor_id id, const target& whom) = 0;
  virtual void demonitor(monitor_id id) = 0;
  virtual void link(const target& whom) = 0;
  virtual void unlink(const target& whom) = 0;
  /// From now on exit signals other than kill are delivered as `exit` instead of ending this agent.
  virtual void trap_exits(bool on) = 0;

  // Time.
  /// Delivers `timer` with `id` once, after `delay`. The same id replaces what was set.
  virtual void set_timer(timer_id id, duration delay) = 0;
  virtual void cancel_timer(timer_id id) = 0;

  virtual void log(log_level level, std::string_view message, value::map fields = {}) = 0;
  virtual outlet make_outlet() = 0;
};

}  // namespace troupe
