// SPDX-License-Identifier: Apache-2.0
//
// What a worker does all its life: reads messages from its channel, hands them to its one agent,
// writes what the agent asks for. One thread; any behaviour.
#pragma once

#include <functional>
#include <memory>

#include "agent/behaviour.hpp"
#include "agent/watchdog.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "channel/greeting.hpp"

namespace troupe {

/// Makes the agent that a greeting asks for.
using agent_maker = std::function<result<std::unique_ptr<behaviour>>(const greeting&)>;

/// Serves the agent until it ends or the node goes away, which ends it on the spot. `slices`, if
/// there is one, interrupts turns that take too long, so that the channel is read between the
/// slices of an agent that only computes. Fails where there was no conversation: no greeting, one
/// that can't be understood.
result<void> serve(unique_fd channel, const agent_maker& make, const clock& time,
                   watchdog* slices = nullptr);

}  // namespace troupe
