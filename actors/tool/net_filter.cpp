// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/net_filter.hpp"

#include <algorithm>

#include "http/ip.hpp"

namespace troupe {

namespace {

std::string as_host(std::string_view ip) {
  return ip.find(':') != ip.npos ? "[" + std::string(ip) + "]" : std::string(ip);
}

bool is_loopback(std::string_view ip) {
  return ip.starts_with("127.") || ip == "::1";
}

/// True if a grant has exactly this host and a glob of this port, or everything is granted.
bool names_literally(const grants& g, std::string_view host, std::uint16_t port) {
  const auto all = g.to_value();
  if (all.is_string()) return true;
  const auto& globs = all["net"].as_array();
  return std::any_of(globs.begin(), globs.end(), [&](const value& one) {
    auto glob = one.as_string();
    auto colon = glob.rfind(':');
    return colon != glob.npos && glob.substr(0, colon) == host &&
           glob_matches(glob.substr(colon + 1), std::to_string(port));
  });
}

}  // namespace

dial_filter net_filter(authority_ptr who) {
  return [who = std::move(who)](std::string_view host, std::string_view ip,
                                std::uint16_t port) -> result<void> {
    const auto number = std::to_string(port);
    const auto wanted = std::string(host) + ":" + number;
    if (!who->grants.allows("net", wanted)) return not_granted(who->path, "net " + wanted);
    if (ip.empty() || is_public_address(ip)) return ok();
    const auto dialled = as_host(ip);
    if (names_literally(who->grants, dialled, port) ||
        (host == "localhost" && is_loopback(ip) && names_literally(who->grants, host, port)))
      return ok();
    return {errc::denied, wanted + " leads to " + std::string(ip) +
                              ", which is not a public address: " + who->path + " needs net " +
                              dialled + ":" + number + ", named as it is"};
  };
}

}  // namespace troupe
