// SPDX-License-Identifier: Apache-2.0
//
// Verbs of the runtime: calls that an agent's process takes itself, at once, also while the agent
// waits, computes or is suspended. Where the agent's inside is concerned its behaviour answers, in
// `behaviour::control`. Only the agent itself, those above it in the tree and who is granted `call`
// of its path may ask; everyone else gets denied.
//
// `@inspect` is in envelope.hpp: (whole = false) -> a map; see process::inspection for the shared
// part. With `whole`, the lists of calls, links and monitors and the inside in full are added.
// Without it a worker is not asked: what it said last is shown.
#pragma once

#include <string_view>
#include <vector>

#include "agent/envelope.hpp"

namespace troupe {

/// () -> true, also if it is suspended already. Nothing is delivered to the agent from now on and
/// what it computes stands still; mail waits, deadlines pass. Kill and stop act as always.
inline constexpr std::string_view suspend_verb = "@suspend";
/// () -> true, also if it was not suspended.
inline constexpr std::string_view resume_verb = "@resume";
/// () -> what the agent keeps in its state, whole. Fails with unsupported where there is none.
inline constexpr std::string_view state_verb = "@state";
/// (state) -> true. Puts another state into its place, at a wait of the agent or between messages.
inline constexpr std::string_view replace_state_verb = "@replace_state";
/// () -> {version, from, slots, overlapping}. Swaps the agent's code for what its file holds now,
/// at a wait of the agent or between messages; `from` is the version before. Fails as the file
/// does; then nothing is changed. A suspended agent has to be resumed first.
inline constexpr std::string_view upgrade_verb = "@upgrade";

/// A send by the directory: (verb, topic, values...) for the `own` verb of a subscriber.
inline constexpr std::string_view topic_verb = "@topic";

inline const std::vector<std::string_view> control_verbs = {
    inspect_verb, suspend_verb, resume_verb, state_verb, replace_state_verb, upgrade_verb};

/// True for a message that a process takes itself.
inline bool is_control(const envelope& e) {
  return e.kind == kind::call && !e.verb.empty() && e.verb.front() == '@';
}

/// Of `@inspect`: does it ask for all?
inline bool wants_whole(const envelope& e) {
  return e.body.view() == "\x91\xc3";  // [true]
}

}  // namespace troupe
