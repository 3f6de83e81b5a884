// SPDX-License-Identifier: Apache-2.0
//
// Why something failed or ended: the one record for errors and exit reasons, in C++, in Lua, in the
// C ABI and on the wire. How a function hands it back is in result.hpp.
//
// Why not std::error_code? An error crosses processes and nodes and is read by people: it needs a
// sentence, an origin and data, not a number that means something only in one binary.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/value.hpp"

namespace troupe {

/// The runtime's codes: a closed list. Scripts make further ones with troupe.error(code, ...).
/// X(name, what it says)
#define TROUPE_ERROR_CODES(X)                                                  \
  X(normal, "ended because its work was done (exit reason)")                   \
  X(shutdown, "ended because it was told to (exit reason)")                    \
  X(kill, "ended at once, without a chance to clean up (exit reason)")         \
  X(killed, "what others see of an agent that was killed (exit reason)")       \
  X(crash, "a raise that nobody caught (exit reason)")                         \
  X(limit, "a limit was hit; data.what names it")                              \
  X(down, "the agent that was asked ended before it answered; cause says why") \
  X(no_such_agent, "the address or name leads to no living agent")             \
  X(unknown_verb, "the agent has no such verb")                                \
  X(timeout, "the deadline passed before there was an answer")                 \
  X(cancelled, "the caller went away or took the call back")                   \
  X(deadlock, "the call would wait for itself")                                \
  X(overloaded, "a mailbox or queue is full; try later")                       \
  X(peer_lost, "the connection to the other node broke")                       \
  X(bad_argument, "an argument has the wrong type or value")                   \
  X(bad_body, "a message body can't be packed or is not what it should be")    \
  X(too_big, "a body or value is above its limit")                             \
  X(no_credit, "the reader has not asked for more parts yet")                  \
  X(denied, "the agent's grants do not cover this")                            \
  X(budget, "the budget of a place in the tree does not cover this")           \
  X(exists, "the id or name is taken")                                         \
  X(running, "the child runs already")                                         \
  X(restarting, "the child is being restarted")                                \
  X(not_found, "there is no such thing")                                       \
  X(failed, "an expected failure without a code of its own")                   \
  X(io, "the operating system refused a file or socket operation")             \
  X(syntax, "a file or text can't be parsed")                                  \
  X(config, "an app file, option or setting is wrong")                         \
  X(abi, "a plugin does not fit this node")                                    \
  X(unsupported, "this build or system can't do that")                         \
  X(unreachable, "the endpoint can't be reached")                              \
  X(unauthorized, "the endpoint refused the credentials")                      \
  X(rate_limited, "the endpoint asks to wait; retry_after says how long")      \
  X(bad_request, "the endpoint refused the request as it is")                  \
  X(bad_response, "the endpoint answered something that can't be understood")  \
  X(unavailable, "the endpoint failed on its side")                            \
  X(steps, "the model still called tools when its steps were used up")         \
  X(internal, "a defect of Troupe itself")

enum class errc : std::uint8_t {
#define TROUPE_X(name, text) name,
  TROUPE_ERROR_CODES(TROUPE_X)
#undef TROUPE_X
};

/// The code as it is written everywhere, e.g. "no_such_agent".
std::string_view to_string(errc code);

/// Why something failed or ended. A plain record: copy it freely.
struct error {
  error() = default;
  error(errc code, std::string message);
  error(std::string code, std::string message)
      : code(std::move(code)), message(std::move(message)) {}

  bool is(errc c) const { return code == troupe::to_string(c); }

  /// Another error with this one as its cause.
  error wrapped(errc outer, std::string outer_message) const;

  /// One line: `code: message`, the origin and the causes behind it.
  std::string describe() const;

  std::string code;
  /// One sentence that names the thing and the reason.
  std::string message;
  /// Path or address of the agent it came from; empty where it arose here.
  std::string from;
  value data;
  std::shared_ptr<const error> cause;  ///< shared: records are immutable once they are causes
  /// Where a script raised it; several lines.
  std::string traceback;
  /// True if the same request may succeed later.
  bool retryable = false;
  /// Seconds to wait before that; 0 if unknown.
  double retry_after = 0;

  friend bool operator==(const error& a, const error& b);
};

/// As plain data (a map with the fields that are set), and back. A value that is no such map
/// becomes `failed` with the value as its data.
value to_value(const error& e);
error error_from(const value& v);

/// Exit reasons that are no failure: normal and shutdown.
bool is_normal_exit(const error& reason);

}  // namespace troupe
