// SPDX-License-Identifier: Apache-2.0
//
// The tools http.get and http.post: from arguments to a request, and from what came back to an
// answer.
#pragma once

#include <string>
#include <vector>

#include "agent/authority.hpp"
#include "base/result.hpp"
#include "base/value.hpp"
#include "http/client.hpp"
#include "plugin/tools.hpp"

namespace troupe {

std::vector<tool_info> http_tools();

struct http_tool_limits {
  duration time = std::chrono::seconds(60);
  std::size_t body = 1u << 20;  ///< bytes of an answer
  std::uint32_t redirects = 5;
};

/// `args` fits the tool's schema. The request goes where `rights` let it. Fails with bad_argument.
result<http_request> http_tool_request(std::string_view tool, const value& args,
                                       const authority_ptr& rights, const http_tool_limits& limits);

/// `{ status, url, headers, body }` from the `http.head` event and the body: text where it is
/// UTF-8, binary otherwise.
value http_tool_answer(const value& head, std::string body);

}  // namespace troupe
