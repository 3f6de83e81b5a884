// SPDX-License-Identifier: Apache-2.0
//
// The first frame of a channel, `hello`: all that a worker needs to know to make its agent.
#pragma once

#include <cstdint>
#include <string>

#include "agent/address.hpp"
#include "agent/authority.hpp"
#include "base/result.hpp"
#include "base/value.hpp"
#include "channel/frame.hpp"

namespace troupe {

struct greeting {
  std::int64_t protocol = channel_protocol;
  address self;
  /// Place in the tree.
  std::string path;
  /// What the node holds the agent to, without budgets. A worker can ask it, but not change it.
  authority_ptr rights;
  /// The child spec as plain data (see agent/child_spec.hpp).
  value spec;
  /// Folder that relative paths start from.
  std::string base_folder;
  /// What whoever made the child adds for the one who makes the agent, such as the file of a
  /// plugin.
  value extra;
  frame_limits limits;
};

frame to_frame(const greeting& g);
/// Fails with bad_body, or with abi: `the node speaks protocol 2 of the channel, this worker 1`.
result<greeting> greeting_from(const frame& f);

}  // namespace troupe
