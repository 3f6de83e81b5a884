// SPDX-License-Identifier: Apache-2.0
//
// What a supervisor answers: OTP's verbs, as messages. Arguments and answers are plain data.
//
// Who may ask: its parent (the agent that spawns, for an implicit supervisor), and whoever is
// granted `call` of its path or of `<path>.<verb>`; everyone else gets denied, since the answers
// hold addresses, and an address is the right to send. A child that is started for somebody gets no
// more than that one has itself. While one operation runs, others wait; a child that asks its own
// supervisor out of its start gets deadlock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/address.hpp"
#include "base/value.hpp"

namespace troupe::supervisor_api {

/// (child spec) -> address, or nil if the child said "ignore", or {address, info} if it answered
/// its start with something else than nil (never from an implicit supervisor). The child stands
/// behind all others. With simple_one_for_one: (options, over those of the template), and the
/// child's id is the template's and a number. Fails with config (the spec), running (data.address:
/// it runs already), exists (it is there, but stopped), restarting, or as its start failed; then
/// nothing is kept.
inline constexpr std::string_view start_child = "start_child";
/// (id) -> as start_child. Starts one that is stopped. Fails with not_found, running, restarting,
/// or as its start failed; then it stays stopped. Fails with bad_argument for one of a template:
/// such a child is forgotten when it stops.
inline constexpr std::string_view restart_child = "restart_child";
/// (id) -> true, also if it was stopped already. A temporary child is forgotten. Fails with
/// not_found. Children of a template are named by address or by id, here and below; one that has
/// ended already is true as well.
inline constexpr std::string_view terminate_child = "terminate_child";
/// (id) -> true. Forgets one that is stopped. Fails with not_found, running, restarting; with
/// bad_argument for one of a template.
inline constexpr std::string_view delete_child = "delete_child";
/// () -> list of child_info, newest first.
inline constexpr std::string_view which_children = "which_children";
/// (id) -> child_info with `exits`: its last ends, at most ten, newest first, each {at: seconds
/// since 1970, lived: seconds, reason}. Fails with not_found.
inline constexpr std::string_view which_child = "which_child";
/// () -> {specs, active, supervisors, workers}. One that is restarting is no active one.
inline constexpr std::string_view count_children = "count_children";
/// (id) -> child spec. Fails with not_found.
inline constexpr std::string_view get_childspec = "get_childspec";
/// (tree, as in an app file) -> {added, changed, kept}: paths below this supervisor. Merges: flags
/// hold at once; what a spec says of restarts and stops as well, the rest of it at the child's next
/// start; new children are added in their place but not started; those that the tree does not name
/// stay (`kept`). Supervisors below that run are merged too; a pool whose size alone is new is
/// resized. Fails with config and changes nothing. Whoever asks must be granted all that the
/// supervisor has.
inline constexpr std::string_view upgrade = "upgrade";
/// () -> as upgrade, with the tree that its file holds now. Fails with unsupported where there is
/// no file, and as the file can't be read.
inline constexpr std::string_view reload = "reload";

/// Of a pool: (size) -> size. Members are started, or end once they have answered what they serve;
/// what waits for them goes to others. With `by = "key"` keys move to other members. Holds until
/// the pool is restarted. Fails with bad_argument.
inline constexpr std::string_view resize_pool = "resize_pool";
inline constexpr std::int64_t most_members = 10'000;

inline const std::vector<std::string_view> verbs = {
    start_child, restart_child,  terminate_child, delete_child, which_children,
    which_child, count_children, get_childspec,   upgrade,      reload};

struct child_info {
  std::string id;
  /// running, stopped or restarting.
  std::string state;
  /// Nobody unless it runs.
  address at;
  /// Is it a supervisor (or pool) itself?
  bool is_supervisor = false;
};

inline value to_value(const child_info& c) {
  value v = value::map{};
  v.set("id", c.id).set("state", c.state).set("type", c.is_supervisor ? "supervisor" : "worker");
  if (c.at) v.set("address", troupe::to_value(c.at));
  return v;
}

inline child_info child_info_from(const value& v) {
  return {std::string(v["id"].as_string()), std::string(v["state"].as_string()),
          address_from(v["address"]), v["type"].as_string() == "supervisor"};
}

}  // namespace troupe::supervisor_api
