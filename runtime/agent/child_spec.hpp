// SPDX-License-Identifier: Apache-2.0
//
// How one child of a supervisor is started, restarted and stopped: OTP's child spec plus where it
// runs and what it may do. The same shape in app files, in troupe.spawn and in start_child.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "agent/authority.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

enum class restart_type : std::uint8_t { permanent, transient, temporary };
enum class strategy : std::uint8_t { one_for_one, one_for_all, rest_for_one, simple_one_for_one };
/// When the end of significant children ends their supervisor, with `shutdown`.
enum class auto_shutdown : std::uint8_t { never, any_significant, all_significant };
enum class isolation : std::uint8_t { none, process, sandbox };

struct child_spec;

/// How long to wait before a restart: `least`, twice that before the next one, and so on, never
/// more than `most`; from `least` again once the child has run for `most`. Off by default, as in
/// OTP. Written as `backoff = { 1, 60 }` seconds and `jitter = 0.2`.
struct restart_backoff {
  duration least = duration::zero();
  duration most = duration::zero();  ///< zero: no wait at all
  double jitter = 0.2;               ///< the part of a wait that is left to chance, 0 to 1
};

/// OTP's supervisor flags and the children in start order; with simple_one_for_one the one template
/// of all children, which start_child starts.
struct supervisor_spec {
  troupe::strategy strategy = strategy::one_for_one;
  std::uint32_t intensity = 1;  ///< restarts allowed within `period`
  duration period = std::chrono::seconds(5);
  std::vector<child_spec> children;
  troupe::auto_shutdown auto_shutdown = auto_shutdown::never;
  /// Of children whose spec has none.
  restart_backoff backoff = {};
};

struct pool_spec {
  std::uint32_t size = 1;
  std::uint32_t queue = 10'000;  ///< calls that may wait for a free member; above it: overloaded
  bool by_key = false;           ///< the first argument picks the member; otherwise any free one
  /// Restarts of members allowed within `period`. In a tree: as the supervisor above it has them.
  std::uint32_t intensity = 1;
  duration period = std::chrono::seconds(5);
};

/// A Lua file; a plugin's agent kind; an external program.
struct start_script {
  std::string file;
};
struct start_plugin {
  std::string plugin, kind;
};
struct start_program {
  std::vector<std::string> argv;
};
/// An actor of the node itself; not to be had from Lua.
struct start_builtin {
  std::string name;
};

/// The text, if it can be a child's id: 1 to 100 characters without spaces and / . @ = ~.
result<std::string> child_id_from(const value& v);

struct child_spec {
  /// As a spec is written in Lua. Relative paths are taken from `base_folder`. Unknown keys fail
  /// with config and the nearest name.
  static result<child_spec> from(const value& v, const std::string& base_folder);
  value to_value() const;

  std::string id;
  std::variant<start_script, start_plugin, start_program, start_builtin, supervisor_spec> start;
  restart_type restart = restart_type::permanent;
  /// How long an orderly stop may take: zero is brutal_kill, duration::max() is infinity.
  /// Default 5 s, infinity for a supervisor. That of a pool is its members'; it waits for them.
  duration shutdown = std::chrono::seconds(5);
  /// How long it may go on, when it is to stop, with what it serves and what waits in its mailbox,
  /// while new messages are turned away with `down`; then comes `shutdown`. Default: not at all.
  duration drain = duration::zero();
  /// How long `start` may take. Default 30 s, infinity for a supervisor; as above for a pool.
  duration start_timeout = std::chrono::seconds(30);
  isolation isolate = isolation::none;
  /// Its end, if it is not restarted, may end its supervisor (auto_shutdown).
  bool significant = false;
  restart_backoff backoff = {};
  std::optional<pool_spec> pool;
  /// The agent's own options, over the defaults its script gives.
  value options = value::map{};
  /// memory (bytes), mailbox, mailbox_bytes, ...: checked by who enforces them.
  value limits = value::map{};
  /// Missing: what the parent has, cut to the script's needs.
  std::optional<troupe::grants> grants;
  value budget;
  /// Folder that relative paths of the spec and of the agent start from.
  std::string base_folder;
};

/// True in the data of a parent's exit signal `shutdown`: end once nothing is left to do.
inline constexpr std::string_view drain_key = "drain";

/// From the tree of an app file: { strategy, intensity, period, auto_shutdown, backoff, jitter,
/// children }.
result<supervisor_spec> supervisor_spec_from(const value& v, const std::string& base_folder);

/// May this supervisor have such a child? Fails with config: a significant child that would never
/// matter, or always come back.
result<void> check_child(const child_spec& child, auto_shutdown when);

std::string_view to_string(restart_type r);
std::string_view to_string(strategy s);
std::string_view to_string(auto_shutdown a);
std::string_view to_string(isolation i);

}  // namespace troupe
