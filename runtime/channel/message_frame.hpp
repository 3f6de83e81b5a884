// SPDX-License-Identifier: Apache-2.0
//
// A message for a worker's agent as the frame `deliver`, and back.
#pragma once

#include "agent/envelope.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "channel/frame.hpp"

namespace troupe {

/// `now` turns the deadline into the time that is left: clocks need not agree.
frame to_frame(const envelope& e, instant now);
/// What a worker gets: without chain and sender, which are the node's to judge. Fails with
/// bad_body.
result<envelope_ptr> message_from(const frame& f, instant now);

}  // namespace troupe
