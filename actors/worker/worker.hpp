// SPDX-License-Identifier: Apache-2.0
//
// Agents in OS processes of their own: `isolate = "process"`. That keeps what an agent does to
// memory and to itself away from the node; it does not confine it.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "agent/behaviour.hpp"
#include "agent/child_spec.hpp"
#include "base/result.hpp"
#include "channel/poller.hpp"
#include "channel/remote_behaviour.hpp"

namespace troupe {

/// What all workers of a node have in common. Outlives them.
struct worker_host {
  explicit worker_host(poller& io, std::string program) : io(io), program(std::move(program)) {}

  /// Workers are started on its thread: its end is theirs.
  poller& io;
  /// Absolute path of troupe_worker.
  std::string program;
  remote_limits limits = {};
  /// False: as on systems without pidfd_open.
  bool use_pidfd = true;
  /// That a process is no sandbox is said once.
  std::atomic<bool> said_unconfined{false};
};

/// The behaviour of an agent whose spec wants a process of its own: a script, a kind of a plugin,
/// or a program. `extra` reaches whoever makes the agent in the worker (see channel/greeting.hpp).
/// The OS process is started with the agent and ends with it; how it ended is the reason.
///
/// The program sees of the environment PATH, HOME, USER, LANG, LC_*, TZ and TMPDIR, and what its
/// grants name under `env`. It starts in the spec's base folder. What it prints goes to the log.
///
/// Fails with unsupported (a sandbox, a supervisor, a limit that can't be held) or config (no
/// program named); the sentence names the child. Thread-safe.
result<std::unique_ptr<behaviour>> make_worker_behaviour(worker_host& host, const child_spec& spec,
                                                         value extra = {});

}  // namespace troupe
