// SPDX-License-Identifier: Apache-2.0
//
// What an agent does with a message: the upper half of the seam. A Lua script, an agent kind of a
// plugin, a worker behind a channel and every built-in actor is one. The lower half is context.hpp;
// between them stands the process, which holds the rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/envelope.hpp"
#include "base/value.hpp"

namespace troupe {

class context;

/// How far a turn of a behaviour came.
enum class progress : std::uint8_t {
  idle,       ///< nothing left to compute until something is delivered
  preempted,  ///< stopped in the middle; wants `resume` in a later turn
};

/// How many messages an agent may serve at the same time.
struct concurrency {
  /// Messages that may be open at once; `unlimited` for actors that never wait inside a handler.
  std::uint32_t slots = 1;
  /// Verbs that take no slot: they may run while others wait.
  std::vector<std::string> overlapping = {};

  static constexpr std::uint32_t unlimited = 0xffffffff;
};

/// All functions are called in the agent's turn: one at a time, though not always on the same
/// thread. None throws. The destructor runs in a turn as well, and is all that happens on a kill.
class behaviour {
 public:
  virtual ~behaviour() = default;

  /// Handles one message. Which ones come: every kind of envelope.hpp up to `event`.
  ///
  /// A message that is served (send, call, down, exit, timer; start and stop) has a `cause`. It is
  /// open until `context::done(cause)`; a serial agent gets its next message only then. A call may
  /// be answered before or after `done`. What belongs to something already open comes out of turn:
  /// part, reply and error (`id` is the call that this behaviour made), credit and cancel (`cause`
  /// is the call it serves), event.
  ///
  /// `start` comes first and is answered with `reply` (ready) or `fail` (ends with that reason).
  /// `stop` asks to end in order: what was open is cancelled already, no further message will come;
  /// clean up, then `context::exit`. An agent with unlimited slots is also told of `stop` before it
  /// is ready, and of `down` and `timer` (out of turn, without a cause) before that and while it
  /// stops: a supervisor waits for its children then.
  virtual progress receive(context& ctx, envelope_ptr message) = 0;

  /// Goes on after `preempted`. Nothing else is delivered in between.
  virtual progress resume(context& ctx);

  /// Asked before the start and again when it has succeeded.
  virtual concurrency overlap() const { return {}; }

  /// What `inspect` shows of the inside: a small map.
  virtual value inspect() const { return value::map{}; }

  /// Answers a verb of the runtime (control.hpp) with `reply` or `fail`, then `done`; at once or
  /// later. Called between `preempted` and `resume` as well, and while the agent is suspended, so
  /// nothing that takes long may be done in it: `preempted` asks for a `resume` to do it.
  virtual progress control(context& ctx, envelope_ptr request);
};

inline progress behaviour::resume(context&) {
  return progress::idle;
}

}  // namespace troupe
