// SPDX-License-Identifier: Apache-2.0
//
// A body from whoever: C++ and Lua let in the same, and what is packed again says the same.
#include "base/msgpack.hpp"

#include "agent/envelope.hpp"
#include "fuzz/target.hpp"
#include "script/body.hpp"
#include "script/state.hpp"

namespace troupe::test {
namespace {

/// What Lua makes of a body.
struct in_lua {
  script::body_codec* codec;
  std::string_view data;
  bool accepted = false;
  bool packs = false;
};

int unpack_in_lua(lua_State* l) {
  auto& what = *static_cast<in_lua*>(lua_touserdata(l, 1));
  what.accepted = what.codec->unpack(l, what.data);
  if (what.accepted) what.packs = static_cast<bool>(what.codec->pack(l, -1));
  return 0;
}

/// Small, so that a body that claims to be large is met as well.
constexpr body_limits limits{.depth = 100, .size = 1u << 20};

void check(std::string_view data) {
  auto v = unpack(data, limits);
  if (v) {
    auto once = pack(*v, limits);
    // Not every body can be packed again: binary that must grow by a byte may not fit.
    if (once) {
      auto again = unpack(once->view(), limits);
      must(static_cast<bool>(again), "what was packed can be unpacked");
      auto twice = pack(*again, limits);
      must(twice && twice->view() == once->view(), "equal data gives equal bytes");
    }
    must(!pack_error(error_from(*v)).empty(), "any value can stand for an error");
  }

  // A state for each: one that has seen all would be slow with garbage.
  script::settings with;
  auto s = script::state::open(with);
  must(static_cast<bool>(s), "there is memory for a state");
  script::body_codec codec(limits);
  in_lua what{&codec, data};
  const auto ran = (*s)->protect(unpack_in_lua, &what);
  must(ran || ran.error().is(errc::limit), "unpacking raises for want of memory only");
  if (ran) must(what.accepted == static_cast<bool>(v), "C++ and Lua let in the same bodies");
}

}  // namespace
}  // namespace troupe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::test::check(troupe::test::text_of(data, size));
  return 0;
}
