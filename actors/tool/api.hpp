// SPDX-License-Identifier: Apache-2.0
//
// Messages of the tool actor, the agent at `tool`.
//
// | verb     | arguments                                | answer                                  |
// |----------|------------------------------------------|-----------------------------------------|
// | call     | name, args (a map; nil: none)            | what the tool answers                   |
// | list     | globs of names (a list or one; nil: `*`) | list of { name, description, params,    |
// |          |                                          |   origin } by name: those that the      |
// |          |                                          |   caller may use                        |
// | register | { name, description, params, verb }      | true                                    |
// | refresh  |                                          | true; plugins' tools were read anew     |
//
// A call is refused with not_found (no such tool; the nearest one is named), denied (the caller's
// grants have no `tools` glob for it), bad_argument (the arguments do not fit `params`),
// overloaded, or fails as the tool fails; after the time limit it fails with timeout, which names
// the tool. Parts of an agent's tool pass through under the caller's credit; other tools send none.
//
// The tools of a plugin run one at a time in the agent `tool/PLUGIN`: where one does not return,
// those of that plugin wait, up to 1 000 calls, until it is loaded anew; no others do. A tool actor
// that is started anew refuses them (overloaded) as long as a call of the last one has not
// returned.
//
// An agent registers a verb of its own as a tool: `name` begins with the agent's id, or that of a
// place above it, and a dot (`writer.draft`, of `desk/writer`); `params` is a JSON Schema of an
// object (nil: no arguments). The call arrives as that verb with the arguments as its one argument.
// A tool lives as long as its agent. The agent at the same path may register it again, as after a
// restart; for any other the name is taken (exists).
//
// What a member of a pool registers is one tool of the pool: `readers.draft`, of all members of
// `desk/readers`. Its calls go through the pool, to a free member, or, by key, to the one that the
// arguments pick, all together. It lives as long as the pool.
#pragma once

#include <string_view>

namespace troupe::tool_api {

inline constexpr std::string_view name = "tool";
inline constexpr std::string_view call = "call";
inline constexpr std::string_view list = "list";
inline constexpr std::string_view register_tool = "register";
inline constexpr std::string_view refresh = "refresh";

}  // namespace troupe::tool_api
