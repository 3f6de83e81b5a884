// SPDX-License-Identifier: Apache-2.0
//
// Error records as Lua values: plain tables { code, message, from, data, cause, traceback,
// retryable, retry_after } with a metatable that prints them well.
#pragma once

#include <lua.hpp>

#include "base/error.hpp"
#include "script/body.hpp"
#include "script/state.hpp"

namespace troupe::script {

/// Gives the table at `index` and all its causes the metatable of error records; anything else
/// stays as it is. May raise.
void dress_error(lua_State* l, int index);
bool is_error(lua_State* l, int index);

/// Pushes a record with this code, message and retryable as the code has it. May raise.
void push_error(lua_State* l, const char* code, const char* message);

/// For `settings::make_error`: (code, message, what) to the record of a limit.
int make_limit_error(lua_State* l);

/// `troupe.error(code, message, data)`.
int make_error(lua_State* l);

/// What stands at `index` as an error: a record as it is, text with code `failed`, anything else
/// `failed` with it as data. What can't be packed is left out and named. Does not raise.
error to_error(lua_State* l, int index, body_codec& codec);

/// Why a script's last `resume` failed, `co` as it was left: a record that was raised becomes the
/// cause of a crash that says where; a limit stays what it is. Does not raise.
error failure_of(const state& s, lua_State* co, body_codec& codec);

}  // namespace troupe::script
