// SPDX-License-Identifier: Apache-2.0
//
// What becomes of a message that can't be delivered. Written once, for every carrier.
#pragma once

#include "agent/carrier.hpp"

namespace troupe {

/// Answers `e` in place of its receiver: a call or start gets `why` as its error, a monitor gets
/// `down`, a link gets an exit signal; a send becomes a dead letter that is reported with `why`;
/// what only ends something is dropped.
void bounce(carrier& c, envelope_ptr e, const error& why);

/// Why there is nobody at an address.
error no_such_agent(const address& a);

}  // namespace troupe
