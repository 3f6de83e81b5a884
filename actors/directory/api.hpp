// SPDX-License-Identifier: Apache-2.0
//
// What the directory answers: groups of agents by name, and topics. Bound as `directory`.
//
// An address is the right to send, so whoever asks for members needs `call` of the group's name; to
// join, and so be called as one of them, needs `topics` of it. To publish and to subscribe need
// `topics` of the name or pattern.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace troupe::directory_api {

/// The registered name of the actor.
inline constexpr std::string_view name = "directory";

/// (group) -> true, or false if the caller is in it already. It leaves by itself when it ends.
/// Fails with bad_argument, denied, limit.
inline constexpr std::string_view join = "join";
/// (group) -> true, or false if the caller was not in it.
inline constexpr std::string_view leave = "leave";
/// (group) -> list of addresses, in the order in which they joined; empty if there is none. Fails
/// with denied.
inline constexpr std::string_view members = "members";
/// () -> {name: number of members}: those whose members the caller may call.
inline constexpr std::string_view groups = "groups";

/// (topic, values...) -> to how many agents it went. Each gets a send `@topic` (agent/control.hpp).
/// Fails with denied, bad_argument.
inline constexpr std::string_view publish = "publish";
/// (pattern, verb) -> true, or false if the caller has subscribed so already. `*` in a pattern
/// stands for any text, `?` for one character. Ends with the caller. Fails with denied, limit.
inline constexpr std::string_view subscribe = "subscribe";
/// (pattern, verb = all) -> true, or false if there was no such subscription.
inline constexpr std::string_view unsubscribe = "unsubscribe";

inline const std::vector<std::string_view> verbs = {join,    leave,     members,    groups,
                                                    publish, subscribe, unsubscribe};

/// Subscriptions of one agent.
inline constexpr std::size_t most_subscriptions = 1000;
/// Characters of a group's name, and groups that one agent may be in.
inline constexpr std::size_t longest_name = 200;
inline constexpr std::size_t most_groups = 1000;

}  // namespace troupe::directory_api
