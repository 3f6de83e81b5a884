// SPDX-License-Identifier: Apache-2.0
//
// What the observer answers. Bound as `observer`. It tells of all agents, so whoever asks needs
// `call` of `observer`; anyone may report progress.
//
// An event is {n: number, growing by one, at: seconds since 1970, what: started, ended,
// dead_letter, late_reply, expired, restarted, given_up or progress, path, agent: its address as
// text (never one that could be sent to), reason: an error, data}; the last two only where there is
// something to say.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::observer_api {

/// The registered name of the actor.
inline constexpr std::string_view name = "observer";

/// () -> {started, ended, crashed, restarted, given_up, dead_letters, late_replies, expired,
/// unseen}: since the node began. `crashed` are those of `ended` with any reason but normal and
/// shutdown; `unseen` were counted, but came too fast to be kept as events.
inline constexpr std::string_view counters = "counters";
/// (limit = 100, path glob = "*") -> list of the newest events, oldest first. At most `kept`.
inline constexpr std::string_view events = "events";
/// (path glob = "*") in parts: each event as it comes, as long as the caller grants credit. A part
/// that follows on events without credit has `dropped`, their number. Goes on until it is taken
/// back. Fails with overloaded above `most_followers`.
inline constexpr std::string_view follow = "follow";
/// (path glob, {count = 100, seconds = 10, bytes = 1 MiB, rate = 1000, body = 1024}) in parts: each
/// message that a matching agent gets or sends, as {at, kind, out: it sent it, path, peer, verb,
/// size: of the body in bytes, body: the arguments or the answer if they have no more than `body`
/// bytes, reason: of an error or end, as text}. Ends with {shown, dropped, ended} when so many were
/// shown (count), so much time has passed (seconds), or the parts were so big together (bytes).
/// What comes faster than `rate` a second, or than the caller reads, is dropped and counted. The
/// observer's own messages and those of the caller are not shown. Fails with overloaded above 16
/// traces, bad_argument.
inline constexpr std::string_view trace = "trace";
/// (fraction from 0 to 1, text): a send. Makes an event `progress` of its sender with both as data.
inline constexpr std::string_view progress = "progress";

inline const std::vector<std::string_view> verbs = {counters, events, follow, trace, progress};

inline constexpr std::size_t kept = 1000;
inline constexpr std::size_t most_followers = 64;
/// Bytes of a progress text.
inline constexpr std::size_t longest_text = 1000;

}  // namespace troupe::observer_api
