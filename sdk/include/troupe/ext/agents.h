// SPDX-License-Identifier: Apache-2.0
//
// Extension troupe.agents/1: kinds of agents that live in a plugin. The plugin's record lists the
// kinds; the node's record of the same id holds what an agent may ask of the runtime. A child spec
// starts one with `start = { plugin = "clock", kind = "ticker" }`, in the node or in a worker.
#pragma once

#include "../plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_AGENTS "troupe.agents/1"

/// One turn of one agent; the handle by which the node's functions know who asks. Good until the
/// function that got it returns.
typedef struct troupe_turn troupe_turn_t;

// -- messages -------------------------------------------------------------------------------------

// Kinds of messages. The first group is served: it has a `cause`, and a serial agent gets the next
// one only when this one is done. (DOWN and TIMER reach an agent with TROUPE_ANY_SLOTS out of turn
// and without a cause while it starts or stops.)
#define TROUPE_KIND_SEND 1u   ///< verb; body: list of arguments; wants no answer
#define TROUPE_KIND_CALL 2u   ///< verb; body: list of arguments; wants `reply` or `fail`
#define TROUPE_KIND_START 3u  ///< the first of every agent; body: map { first, last_exit }
#define TROUPE_KIND_STOP 4u   ///< end in order; body: the reason
#define TROUPE_KIND_DOWN 5u   ///< a monitored agent ended; id: monitor; body: the reason
#define TROUPE_KIND_EXIT 6u   ///< a linked agent ended and this one traps; body: the reason
#define TROUPE_KIND_TIMER 7u  ///< id: timer
// The second group belongs to something open and comes out of turn.
#define TROUPE_KIND_REPLY 8u    ///< the answer to a call; id: that call; body: one value
#define TROUPE_KIND_ERROR 9u    ///< the failure of a call; id: that call; body: the error as a map
#define TROUPE_KIND_PART 10u    ///< a piece of the answer; id: that call; body: one value
#define TROUPE_KIND_CREDIT 11u  ///< the caller takes `credit` more parts; cause: the call served
#define TROUPE_KIND_CANCEL 12u  ///< the caller went away; cause: the call served, to be `done`
#define TROUPE_KIND_EVENT 13u   ///< from an outlet; verb, body: as posted

typedef struct troupe_envelope {
  uint32_t size;
  uint32_t kind;
  uint64_t
      cause;  ///< names this message while it is open; 0 in the second group but where it says so
  uint64_t id;
  troupe_text_t verb;
  troupe_bytes_t body;
  troupe_address_t from;
  double time_left;  ///< seconds until its deadline; below zero: it has none
  uint32_t credit;
  uint32_t reserved;
} troupe_envelope_t;

// -- the plugin's side ----------------------------------------------------------------------------

#define TROUPE_ANY_SLOTS 0xffffffffu

typedef struct troupe_agent_kind {
  uint32_t size;
  uint32_t slots;      ///< messages that may be open at once: 0 or 1: serial; TROUPE_ANY_SLOTS
  troupe_text_t name;  ///< as in plugin.json and in a child spec
  troupe_text_t description;
  const troupe_text_t* overlapping;  ///< verbs that may run while others are open; may be null
  uint32_t overlapping_count;
  uint32_t reserved;
  void* data;  ///< the plugin's own

  /// [turn] Makes an agent, in its first turn, before `receive` sees START: it may send, call and
  /// set timers already. `options`: a map. On failure the agent ends with that error.
  int32_t (*create)(void* plugin, const struct troupe_agent_kind* kind, troupe_turn_t* turn,
                    troupe_bytes_t options, void** agent, const troupe_result_t* result);
  /// [turn] Handles one message. For the first group answers
  /// TROUPE_DONE: it is done; a call or start not answered yet is answered with nil (ready), and a
  ///   stop ends the agent;
  /// TROUPE_OPEN: it stays open until `done`; its answer, or after stop `exit`, comes later;
  /// TROUPE_UNKNOWN: as done, but a call fails with unknown_verb.
  /// For the second group always TROUPE_DONE. Anything else ends the agent.
  int32_t (*receive)(void* agent, troupe_turn_t* turn, const troupe_envelope_t* message);
  /// [turn] The agent has ended, however that came. No other function is called any more.
  void (*destroy)(void* agent);
  /// [turn] A small map for people who look inside. May be null.
  void (*inspect)(void* agent, const troupe_result_t* result);
} troupe_agent_kind_t;

typedef struct troupe_agents {
  uint32_t size;
  uint32_t count;
  const troupe_agent_kind_t* const* kinds;
} troupe_agents_t;

// -- the node's side ------------------------------------------------------------------------------

typedef struct troupe_call_options {
  uint32_t size;
  uint32_t credit;  ///< parts the callee may send before `grant`; 0: wants none
  double timeout;   ///< seconds; 0: the default, 30
} troupe_call_options_t;

/// All are [turn]. `cause` is the message under which something is done: its deadline, its chain of
/// callers, its trace and its cancel hold for it; 0: under none. Ids of calls, monitors and timers
/// are the agent's own choice, each unique among its open ones, those of calls from 1 to 2^63 - 1.
/// Waiting is not possible: answers come as messages. Bodies that are no MessagePack, and text that
/// is not UTF-8, end the agent.
typedef struct troupe_agents_host {
  uint32_t size;
  uint32_t reserved;

  // Who and when.
  void (*self)(troupe_turn_t* turn, troupe_address_t* self);
  troupe_text_t (*path)(troupe_turn_t* turn);
  double (*now)(troupe_turn_t* turn);   ///< monotonic
  double (*wall)(troupe_turn_t* turn);  ///< since 1970, UTC
  uint64_t (*random)(troupe_turn_t* turn);

  // Messages.
  void (*send)(troupe_turn_t* turn, uint64_t cause, const troupe_target_t* to, troupe_text_t verb,
               troupe_bytes_t args);
  /// Answered, in any case, by one REPLY or ERROR with `id`. `options` may be null.
  void (*call)(troupe_turn_t* turn, uint64_t cause, uint64_t id, const troupe_target_t* to,
               troupe_text_t verb, troupe_bytes_t args, const troupe_call_options_t* options);
  /// Answered by REPLY (nil) with `id` after that many seconds, out of turn like any answer, so
  /// that a serial agent may wait while it serves `cause`. A timer is a message and waits for its
  /// turn.
  void (*sleep)(troupe_turn_t* turn, uint64_t cause, uint64_t id, double seconds);
  /// Takes a call or sleep back: no answer comes any more.
  void (*cancel)(troupe_turn_t* turn, uint64_t id);
  void (*grant)(troupe_turn_t* turn, uint64_t id, uint32_t parts);
  /// Sends a piece of the answer, at most 64 KiB. Fails with no_credit until CREDIT comes, with
  /// not_found where the caller wants no parts. `result` may be null.
  int32_t (*part)(troupe_turn_t* turn, uint64_t cause, troupe_bytes_t body,
                  const troupe_result_t* result);
  void (*reply)(troupe_turn_t* turn, uint64_t cause, troupe_bytes_t body);
  void (*fail)(troupe_turn_t* turn, uint64_t cause, const troupe_error_t* error);
  /// Frees the slot of a message that was left open.
  void (*done)(troupe_turn_t* turn, uint64_t cause);

  // Agents.
  /// Starts a child from a child spec; REPLY: its address.
  void (*spawn)(troupe_turn_t* turn, uint64_t cause, uint64_t id, troupe_bytes_t spec);
  void (*find)(troupe_turn_t* turn, uint64_t id, troupe_text_t name);  ///< REPLY: the address
  void (*bind)(troupe_turn_t* turn, uint64_t id, troupe_text_t name);  ///< REPLY: nil, or exists
  /// Ends this agent after this turn's function returns; null: with `normal`. The first reason
  /// counts. A call it has not answered fails with `down`, whatever its function returns.
  void (*exit)(troupe_turn_t* turn, const troupe_error_t* reason);
  /// Sends an exit signal to another agent.
  void (*signal)(troupe_turn_t* turn, const troupe_target_t* to, const troupe_error_t* reason);
  void (*monitor)(troupe_turn_t* turn, uint64_t id, const troupe_target_t* whom);
  void (*demonitor)(troupe_turn_t* turn, uint64_t id);
  void (*link)(troupe_turn_t* turn, const troupe_target_t* whom);
  void (*unlink)(troupe_turn_t* turn, const troupe_target_t* whom);
  void (*trap_exits)(troupe_turn_t* turn, int32_t on);

  // Time.
  /// Delivers TIMER with `id` once, after that many seconds. The same id replaces what was set.
  void (*set_timer)(troupe_turn_t* turn, uint64_t id, double seconds);
  void (*cancel_timer)(troupe_turn_t* turn, uint64_t id);

  /// Writes to the log under the agent's path; `level` as in log.h; `fields`: a map, or empty.
  void (*log)(troupe_turn_t* turn, uint32_t level, troupe_text_t message, troupe_bytes_t fields);
} troupe_agents_host_t;

#ifdef __cplusplus
}
#endif
