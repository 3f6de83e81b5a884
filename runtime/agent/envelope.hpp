// SPDX-License-Identifier: Apache-2.0
//
// What travels between agents: one message with everything the runtime needs to know about it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agent/address.hpp"
#include "agent/authority.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/small_blocks.hpp"

namespace troupe {

/// Chosen by whoever makes the call, unique among the open ones of that agent; from 1 to
/// 2^63 - 1.
using call_id = std::uint64_t;
/// From here on the ids of calls belong to the runtime; behaviours use those below, but for 0.
inline constexpr call_id first_own_call = call_id{1} << 63;
using monitor_id = std::uint64_t;
using timer_id = std::uint64_t;
/// Names a message that is being served; given by the process at delivery, unique in one agent's
/// life.
using cause_id = std::uint64_t;
inline constexpr cause_id no_cause = 0;

enum class kind : std::uint8_t {
  // Between agents; `verb` and `body` are the sender's.
  send,    ///< no answer; body: list of arguments
  call,    ///< wants an answer; body: list of arguments, id: call, credit: parts it may send
  part,    ///< a piece of the answer; id: call, body: one value
  credit,  ///< the caller takes `credit` more parts; id: call
  cancel,  ///< the caller takes the call back; id: call
  reply,   ///< the answer; id: call, body: one value
  error,   ///< the failure that stands for the answer; id: call, body: an error
  // What the runtime says.
  start,  ///< the first message of every agent: a call by its parent; body: {first, last_exit}
  stop,   ///< end in order: a call's waits are over; body: the reason
  down,   ///< a monitored agent ended; id: monitor, body: the reason
  exit,   ///< a linked agent ended, or an exit signal came, and this agent traps; body: the reason
  timer,  ///< id: timer
  event,  ///< something from an outlet; verb, body: as posted
  // Between processes; a behaviour never sees these.
  monitor,      ///< tell `from` when you end; id: monitor
  demonitor,    ///< id: monitor
  link,         ///< `from` and you end together
  unlink,       ///<
  exit_signal,  ///< end, unless you trap; body: the reason; `linked` is set if it came by a link
};
std::string_view to_string(kind k);

// Verbs of the runtime: no agent's own verb begins with `@`.
/// Made a `start` by `context::call`: the first call of a parent to an agent that it has made.
inline constexpr std::string_view start_verb = "@start";
/// Answered by the process itself, at once, also while its behaviour waits or computes.
inline constexpr std::string_view inspect_verb = "@inspect";

/// Who waits for whom to get here, innermost first; a send, for which nobody waits, begins a new
/// one. Immutable and shared by all calls made under it.
struct chain_link {
  address caller;
  std::shared_ptr<const chain_link> outer;  ///< shared: many calls, one way here
  std::uint32_t length = 1;
};
using call_chain = std::shared_ptr<const chain_link>;
inline constexpr std::uint32_t max_chain_length = 64;

/// W3C trace context: all zero if there is none.
struct trace_context {
  std::array<std::uint64_t, 2> trace{};
  std::uint64_t span = 0;
  bool sampled = false;
};

struct envelope {
  /// The next in whatever queue owns this one.
  envelope* next = nullptr;
  troupe::kind kind = kind::send;
  bool linked = false;
  std::uint32_t credit = 0;
  address from, to;
  std::uint64_t id = 0;
  /// Set by the receiving process at delivery; until then the order of its arrival.
  cause_id cause = no_cause;
  instant deadline = never;
  std::string verb;
  bytes body;
  /// The callers of `from`; `from` itself is not in it.
  call_chain chain;
  authority_ptr sender;
  trace_context trace;

  static void* operator new(std::size_t size) { return take_small_block(size); }
  static void operator delete(void* e, std::size_t size) { give_small_block(e, size); }

  /// What counts towards a mailbox's bound in bytes.
  std::size_t weight() const { return sizeof(envelope) + body.size() + verb.capacity(); }
};
using envelope_ptr = std::unique_ptr<envelope>;

/// An error as a body, and back.
bytes pack_error(const error& e);
error unpack_error(const bytes& body);
/// That a body is above the limit of bodies: too_big.
error body_too_big(std::size_t size, std::size_t limit);

}  // namespace troupe
