// SPDX-License-Identifier: Apache-2.0
//
// The table that an agent file returns: made by troupe.agent, guarded against slips while it is
// filled, checked once when the file is loaded.
#pragma once

#include <lua.hpp>

#include "agent/behaviour.hpp"

namespace troupe::script {

/// `troupe.agent(table)`.
int make_agent(lua_State* l);
/// `troupe.required(type)`.
int make_required(lua_State* l);

/// `stand_in(agent)`, for modules of the library: what a file means that returns nothing.
int stand_in(lua_State* l);

/// Raises config unless the value at `index` is such a table, or nil where one stands in for it:
/// `x.lua returned a table instead of an agent`.
void check_agent(lua_State* l, int index, const char* file);

/// Pushes the options: the agent's defaults, over them what is at `given`. Raises config for an
/// option that the agent does not have, one of another type, and a required one that is missing.
void push_options(lua_State* l, int agent, int given, const char* file);

/// From the agent's field `concurrent`, at `index`. Does not raise.
concurrency to_concurrency(lua_State* l, int index);

/// Pushes what the agent says of itself, as declaration.hpp reads it.
void push_declaration(lua_State* l, int agent);

/// Raises a record of the runtime's.
int raise_error(lua_State* l, const char* code, const char* format, ...);

}  // namespace troupe::script
