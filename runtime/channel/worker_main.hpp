// SPDX-License-Identifier: Apache-2.0
//
// A worker from its first instruction: makes sure that it dies with its node, then serves an agent
// on its channel or becomes the program that does.
#pragma once

#include "channel/worker_loop.hpp"

namespace troupe {

/// Where a worker finds its channel.
inline constexpr int worker_channel_fd = 3;

/// The main function of a worker: `NAME --node PID` serves an agent from `make` on descriptor 3;
/// `NAME --node PID --run ARGV...` becomes that program, which finds the channel there. Returns the
/// exit code.
int worker_main(int argc, char** argv, const agent_maker& make, watchdog* slices = nullptr);

}  // namespace troupe
