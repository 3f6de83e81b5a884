// SPDX-License-Identifier: Apache-2.0
//
// Tools of plugins as the tool actor drives them. Grants, schema and time limit are the actor's to
// check before it calls one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/authority.hpp"
#include "agent/context.hpp"
#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

struct tool_info {
  std::string name;         ///< e.g. `file.read`
  std::string description;  ///< for models
  value parameters;         ///< JSON Schema of the arguments; an object
  std::string origin;       ///< the plugin
  std::uint64_t copy = 0;   ///< of the plugin, which a reload replaces
};

struct tool_request {
  /// Unique in the life of the node; an answer that comes later carries it.
  std::uint64_t id = 0;
  std::string name;
  /// Of the plugin, as tool_info says; 0: the present one.
  std::uint64_t copy = 0;
  /// A packed map that fits the schema.
  bytes args;
  /// Path of the agent that asks, and what it may do.
  std::string caller;
  authority_ptr rights;
  /// Absolute; where relative paths in `args` start.
  std::string folder;
  /// duration::max(): no limit.
  duration time_left = duration::max();
  std::size_t max_result = 1u << 20;  ///< bytes
};

/// An answer that came later, as it arrives at the actor.
struct tool_answer {
  std::uint64_t id = 0;
  bytes value;  ///< one packed value, where there is no failure
  std::optional<error> failure;
};
/// The verb of the events that carry one.
inline constexpr std::string_view tool_answer_verb = "plugin.answer";
/// Body of such an event, and back; fails with bad_body.
bytes pack_tool_answer(std::uint64_t id, const result<bytes>& outcome);
result<tool_answer> unpack_tool_answer(const bytes& body);

/// Where plugin tools come from. Thread-safe; but a plugin expects the calls and cancels of one of
/// its copies one at a time, so those are made in the turns of one agent, which holds that copy.
class tool_source {
 public:
  virtual ~tool_source() = default;
  virtual std::vector<tool_info> tools() const = 0;
  /// Makes the caller the only one that calls the tools of that copy, until it lets go of it. Fails
  /// with overloaded while another is: also one that was ended, up to the end of its last call.
  virtual result<void> hold(std::uint64_t copy) = 0;
  virtual void let_go(std::uint64_t copy) = 0;
  /// The answer (one packed value), or nothing: then it comes as an event through `later`, in any
  /// case. Fails with not_found, too_big (above `max_result`), or as the plugin says.
  virtual std::optional<result<bytes>> call_tool(const tool_request& request,
                                                 const outlet& later) = 0;
  /// Nobody waits for an open call any more. Its answer may still come. `copy` is the request's.
  virtual void cancel_tool(std::string_view name, std::uint64_t copy, std::uint64_t id) = 0;
};

}  // namespace troupe
