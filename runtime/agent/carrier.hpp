// SPDX-License-Identifier: Apache-2.0
//
// What moves messages and time below the processes. There are two: core/ (CAF) in a node, and the
// simulation in sim/ (virtual time, seeded order).
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agent/context.hpp"
#include "agent/envelope.hpp"
#include "agent/mailbox.hpp"
#include "base/clock.hpp"
#include "base/msgpack.hpp"
#include "base/result.hpp"

namespace troupe {

class behaviour;
class launcher;
class process;
class tracer;

/// Something that operators and the observer want to know.
struct runtime_event {
  enum class what : std::uint8_t {
    started,
    ended,
    dead_letter,
    late_reply,
    expired,
    restarted,  ///< by its supervisor
    given_up,   ///< it crashed and its supervisor will not start it again
    stuck,      ///< it does not come out of a turn; its thread was replaced
    progress,   ///< it said how far it is
  };
  what what = what::started;
  address agent = {};
  std::string path = {};
  /// ended: the reason; dead_letter: why, with the verb in its `data`; restarted,
  /// given_up: why it had ended.
  error reason = {};
  /// restarted: {ms: from its end until it was ready again, count: restarts of its supervisor
  /// within the period, intensity: how many are allowed}. stuck: {ms: in that turn so far, in: the
  /// foreign code it is in, e.g. `plugin clock: ticker: receive`, if it is in any}. progress:
  /// {fraction, text}.
  value data = {};
};

/// Where runtime events go: the observer, a test. Called from any thread, in an agent's turn as
/// well: it must not block.
class event_sink {
 public:
  virtual ~event_sink() = default;
  virtual void on_event(const runtime_event& event) = 0;
};

/// Everything a new agent begins with.
struct process_init {
  std::string path;
  /// Who starts it and gets the answer; may stop it. Nobody for the root.
  address parent;
  std::unique_ptr<behaviour> actions;
  authority_ptr rights;
  mailbox_limits mailbox;
  body_limits bodies;
  /// Where relative paths start in the specs of what it spawns.
  std::string base_folder = {};
  /// What `spawn` uses; null where spawning is not possible.
  launcher* makes_children = nullptr;
};

/// What a supervisor needs of its carrier. Both functions may be called from any thread.
class starter {
 public:
  virtual ~starter() = default;

  /// Makes an agent whose mailbox is open; it runs when its first message, `start`, comes.
  virtual result<address> start(process_init init) = 0;

  virtual void report(const runtime_event& event) = 0;
};

/// Functions marked [turn] are called by a process in its own turn; all others from any thread.
class carrier : public starter {
 public:
  /// Puts a message into a mailbox, or answers it there and then (see bounce.hpp): to a dead or
  /// unknown address, into a full mailbox, to a node that is not connected. A null `to` is unknown
  /// as well.
  virtual void post(envelope_ptr e) = 0;

  virtual instant now() const = 0;
  virtual wall_time wall() const = 0;

  /// [turn] Runs the process again at `t` or soon after. A later call replaces an earlier one.
  virtual void wake_at(process& p, instant t) = 0;

  // Names of this node. A path leads to the newest of its holders, any other name has only one.
  virtual bool bind(std::string_view name, const address& holder, bool replace) = 0;
  /// Takes `holder` from all its names: each leads to its newest holder then, or is free.
  virtual void unbind(const address& holder) = 0;
  virtual address lookup(std::string_view name) const = 0;
  /// True if nobody has the name, but somebody had it who ended not long ago: whoever is to come
  /// after it may be on the way.
  virtual bool was_held(std::string_view name) const = 0;
  /// For messages to people; empty if unknown.
  virtual std::string path_of(const address& a) const = 0;

  virtual void log(log_level level, std::string_view component, std::string_view message,
                   value::map fields) = 0;
  virtual outlet outlet_to(const address& a) = 0;
  /// Who is shown messages; null where nobody ever is. Outlives all agents.
  virtual tracer* traces() { return nullptr; }
};

}  // namespace troupe
