// SPDX-License-Identifier: Apache-2.0
//
// Metatables that are made when a script first needs them: most agents need few of them.
#pragma once

#include <lua.hpp>

namespace troupe::script {

/// What a metatable holds beside its name and the field that hides it from scripts.
struct metamethod {
  const char* event = nullptr;
  lua_CFunction function = nullptr;
};

/// Pushes the metatable kept in the registry under the address `key`, made if it is not there yet.
/// May raise.
void push_type(lua_State* l, const char* key, const char* name, metamethod method = {});
/// Whether the value at `index` has the metatable kept under `key`. Does not raise where there are
/// two free slots of the stack.
bool is_of_type(lua_State* l, int index, const char* key);

}  // namespace troupe::script
