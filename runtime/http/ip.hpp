// SPDX-License-Identifier: Apache-2.0
//
// Which addresses belong to the public network, and which to this machine, its neighbours or the
// cloud's own services.
#pragma once

#include <string_view>

namespace troupe {

/// True if `ip` is an IPv4 or IPv6 address that the public network routes to one host. False for
/// loopback, private, link-local (with the clouds' metadata address), shared, multicast, reserved
/// and documentation ranges, for IPv6 forms that wrap such an IPv4 address, and for anything that
/// is no address.
bool is_public_address(std::string_view ip);

}  // namespace troupe
