// SPDX-License-Identifier: Apache-2.0
//
// From a child spec to an agent that can be started: finds its behaviour, settles its limits,
// checks its needs against what is granted. exe/ puts one together from script/, plugin/ and the
// worker actor; supervisors and `spawn` use it. It does not start anything.
#pragma once

#include "agent/carrier.hpp"
#include "agent/child_spec.hpp"

namespace troupe {

/// Where a new agent will stand.
struct place {
  std::string path;
  address parent;
  /// The parent's: a child never has more.
  authority_ptr rights;
  /// Where relative paths start in the specs of what the agent there spawns.
  std::string base_folder = {};
  /// The parent is a pool, and this a member of it.
  bool in_pool = false;
};

/// Called from any agent's turn; thread-safe.
class launcher {
 public:
  virtual ~launcher() = default;

  /// Fails with config, syntax, not_found, denied (`scraper needs net example.org:443, which its
  /// spec does not grant`), abi or unsupported; every sentence names the child.
  virtual result<process_init> prepare(const child_spec& spec, const place& where) = 0;

  /// The supervisor that holds what the agent at `owner` spawns; its children stand below `owner`.
  virtual result<process_init> implicit_supervisor(const place& owner) = 0;
};

}  // namespace troupe
