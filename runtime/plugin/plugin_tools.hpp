// SPDX-License-Identifier: Apache-2.0
//
// Calls of a plugin's tools, and their answers, which may come from any thread.
#pragma once

#include <optional>

#include "plugin/plugin_instance.hpp"
#include "plugin/tools.hpp"

namespace troupe {

/// What `tool` of `plugin` says of itself. Fails with config if its schema is no JSON.
result<tool_info> describe_tool(const plugin_instance& plugin, const troupe_tool_t& tool);

/// See tool_source::call_tool.
std::optional<result<bytes>> call_tool(const plugin_instance& plugin, const troupe_tool_t& tool,
                                       const tool_request& request, const outlet& later);

void cancel_tool(const plugin_instance& plugin, const troupe_tool_t& tool, std::uint64_t id);

}  // namespace troupe
