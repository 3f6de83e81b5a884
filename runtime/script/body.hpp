// SPDX-License-Identifier: Apache-2.0
//
// Message bodies straight from and to a Lua stack, by the rules of sdk/docs/values.md. Nothing here
// is yielded through. What packs never raises; what unpacks may raise (only for want of memory), so
// no object with a destructor may live in a frame that calls it.
#pragma once

#include <lua.hpp>
#include <string>
#include <string_view>

#include "agent/address.hpp"
#include "base/body.hpp"
#include "base/error.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe::script {

/// Of one Lua state. It keeps its memory from body to body and must outlive the state's last turn.
class body_codec {
 public:
  explicit body_codec(const body_limits& limits = {}) : limits_(limits), writer_(limits) {}
  body_codec(const body_codec&) = delete;
  body_codec& operator=(const body_codec&) = delete;

  // -- to a body; none of these raises

  /// Begins a body: a list of `elements` values, each given by `add`, or one value.
  void begin();
  bool begin_list(std::size_t elements);
  /// The value at `index`. False: there will be no body; `finish` says why.
  bool add(lua_State* l, int index);
  /// The body, or what is wrong with it: `body: a function is no plain data (at [2].on_text)`.
  result<bytes> finish();

  /// One value; values first..last as a list.
  result<bytes> pack(lua_State* l, int index);
  result<bytes> pack_list(lua_State* l, int first, int last);
  /// The same as plain data.
  result<value> to_value(lua_State* l, int index);

  // -- from a body; raises only for want of memory

  /// Pushes the one value of `data`, or nothing: `fault` says why.
  bool unpack(lua_State* l, std::string_view data);
  /// Pushes the elements of a list; how many, or -1: `fault` says why.
  int unpack_list(lua_State* l, std::string_view data);
  body_fault fault() const { return fault_; }
  error why() const { return to_error(fault_, limits_); }

  /// The address at `index`, or null, as `to_address` says it, in a fraction of the time. Pushes
  /// and pops one value.
  const address* address_at(lua_State* l, int index) const;
  /// An address that came inside a body does not say where its node keeps the agent; an answer of
  /// that agent does, and then the next message finds it faster. Does not raise.
  void learn_slot(lua_State* l, int index, const address& from) const;

  /// Lua memory that unpacking takes at most, roughly: never too little. 0 for what is no body.
  std::size_t room_for(std::string_view data) const;
  /// The same without looking inside, in a moment: many times more than most bodies need.
  static std::size_t most_room_for(std::size_t data_size) { return 4096 + data_size * 80; }

  const body_limits& limits() const { return limits_; }

 private:
  bool add_table(lua_State* l, int index);
  bool add_list(lua_State* l, int index, std::size_t n, bool* is_list);
  bool refuse(lua_State* l, int index);
  bool read(lua_State* l, std::string_view data, bool spread);
  void note_key(lua_State* l, int key);

  body_limits limits_;
  body_writer writer_;
  mutable const void* address_type_ = nullptr;  ///< the metatable, as lua_topointer sees it
  body_fault fault_ = body_fault::none;
  std::string refused_;  ///< what can't be sent, and where
  std::string where_;
};

// -- addresses as Lua values

/// Pushes the one userdata that stands for `a` in this state, so that equal addresses are the same
/// table key; nil for nobody. May raise.
void push_address(lua_State* l, const address& a);
/// The address at `index`, or null if it is anything else. Lives as long as the Lua value.
const address* to_address(lua_State* l, int index);

// -- null and marks

/// The value that stands for null where nil would be a hole: a light userdata, packed as nil.
void push_null(lua_State* l);
/// Makes null print as such, once in a state. May raise.
void open_null(lua_State* l);
bool is_null(lua_State* l, int index);
/// Marks the table at `index`: packed as a map (or list) whatever it holds. May raise.
void mark_as_map(lua_State* l, int index);
void mark_as_list(lua_State* l, int index);

}  // namespace troupe::script
