// SPDX-License-Identifier: Apache-2.0
//
// The short way for the bodies that most messages have: a scalar, or a short list of scalars. Why
// beside the general one? On the path of a small call, writer and parser would cost more than all
// the rest of a script's side. The bytes are the same (body_test holds them against each other);
// whatever is anything else is left to body.cpp.
#pragma once

#include <lua.hpp>
#include <string_view>

namespace troupe::script {

/// Bytes of a body that fits here.
struct scalar_body {
  static constexpr std::size_t room = 256;
  char data[room];
  std::size_t size = 0;

  std::string_view view() const { return {data, size}; }
};

/// The values first..last as a list, or the one at `index`. False if the general way has to be
/// taken. Neither raises.
bool pack_scalars(lua_State* l, int first, int last, scalar_body& to);
bool pack_scalar(lua_State* l, int index, scalar_body& to);

/// Pushes what `data` holds and says how many (of a list) or true; -1 or false, with nothing
/// pushed, if the general way has to be taken. May raise for want of memory.
int unpack_scalars(lua_State* l, std::string_view data);
bool unpack_scalar(lua_State* l, std::string_view data);

}  // namespace troupe::script
