// SPDX-License-Identifier: Apache-2.0
//
// Where an agent may go on the network.
#pragma once

#include "agent/authority.hpp"
#include "http/client.hpp"

namespace troupe {

/// Judges by the `net` grants of `who`: `host:port` has to be granted, and the address that is
/// dialled has to be public, unless a grant names that address word for word (`127.0.0.1:8080`,
/// `[::1]:*`; `localhost:8080` for loopback) or everything is granted. A grant of a name never
/// opens a private address: who answers for the name decides where it leads.
dial_filter net_filter(authority_ptr who);

}  // namespace troupe
