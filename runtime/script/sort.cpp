// SPDX-License-Identifier: Apache-2.0
//
// `table.sort`: quicksort in place, like the stock one, but written so that it can stop between any
// two steps: comparators may wait and be preempted, and a million numbers don't hold up the node.
// What it is in the middle of stands in a userdata, the values it compares on Lua's stack.
#include <limits>

#include "script/binding.hpp"
#include "script/internals.hpp"

namespace troupe::script {

namespace {

using index = unsigned;

/// What the last comparison was for, and so what comes next.
enum class at : std::uint8_t { part, ends, low, high, pivot, up, up_seen, down, down_seen };

struct sorting {
  index lo;  // the part that is sorted now
  index up;
  index mid;
  index i;
  index j;
  index random;
  at next;
  bool less;    // result of the last comparison
  int waiting;  // parts
  struct part {
    index lo;
    index up;
  } parts[std::numeric_limits<index>::digits];  // the larger halves: each at most half of the last
};

constexpr int table = 1;
constexpr int comparator = 2;
constexpr int progress = 3;

/// Parts above this size choose a pivot at random after a bad one.
constexpr index random_from = 100;

int go_on(lua_State* L, int, lua_KContext compared);
constexpr lua_KContext after_comparison = 1;
constexpr lua_KContext after_pause = 0;

void take_result(lua_State* L, sorting& s) {
  s.less = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
}

/// `a < b` by the order of the sort, into `less`; then goes on with `next`.
void compare(lua_State* L, sorting& s, int a, int b, at next) {
  s.next = next;
  if (lua_isnil(L, comparator)) {
    s.less = lua_compare(L, a, b, LUA_OPLT) != 0;
    return;
  }
  a = lua_absindex(L, a);
  b = lua_absindex(L, b);
  lua_pushvalue(L, comparator);
  lua_pushvalue(L, a);
  lua_pushvalue(L, b);
  lua_callk(L, 2, 1, after_comparison, go_on);
  take_result(L, s);
}

/// The top goes to t[i], what is below it to t[j].
void store(lua_State* L, index i, index j) {
  lua_seti(L, table, i);
  lua_seti(L, table, j);
}

index choose_pivot(sorting& s) {
  const index size = s.up - s.lo;
  if (size < random_from || s.random == 0) return s.lo + size / 2;
  s.random = s.random * 1664525u + 1013904223u;
  const index quarter = size / 4;
  return s.lo + quarter + s.random % (quarter * 2);  // of the middle half
}

/// t[i] holds the pivot and is in its place: the smaller side next, the larger one later.
void split(sorting& s) {
  const index below = s.i - s.lo;
  const index above = s.up - s.i;
  const sorting::part low{s.lo, s.i - 1};
  const sorting::part high{s.i + 1, s.up};
  const bool low_first = below < above;
  s.parts[s.waiting++] = low_first ? high : low;
  s.lo = low_first ? low.lo : high.lo;
  s.up = low_first ? low.up : high.up;
  const index smaller = low_first ? below : above;
  if ((below + above) / 128 > smaller) s.random |= 1;  // very uneven: guess from now on
}

int run(lua_State* L, sorting& s) {
  for (;;) {
    if (should_pause(L)) return pause(L, go_on, after_pause);
    switch (s.next) {
      case at::part:
        if (s.lo >= s.up) {
          if (s.waiting == 0) return settle(L, 0);
          --s.waiting;
          s.lo = s.parts[s.waiting].lo;
          s.up = s.parts[s.waiting].up;
          break;
        }
        lua_geti(L, table, s.lo);
        lua_geti(L, table, s.up);
        compare(L, s, -1, -2, at::ends);
        break;
      case at::ends:
        if (s.less)
          store(L, s.lo, s.up);
        else
          lua_pop(L, 2);
        if (s.up - s.lo == 1) {
          s.lo = s.up;
          s.next = at::part;
          break;
        }
        s.mid = choose_pivot(s);
        lua_geti(L, table, s.mid);
        lua_geti(L, table, s.lo);
        compare(L, s, -2, -1, at::low);
        break;
      case at::low:
        if (s.less) {
          store(L, s.mid, s.lo);
          s.next = at::pivot;
          break;
        }
        lua_pop(L, 1);
        lua_geti(L, table, s.up);
        compare(L, s, -1, -2, at::high);
        break;
      case at::high:
        if (s.less)
          store(L, s.mid, s.up);
        else
          lua_pop(L, 2);
        s.next = at::pivot;
        break;
      case at::pivot:  // t[lo] <= t[mid] <= t[up]
        if (s.up - s.lo == 2) {
          s.lo = s.up;
          s.next = at::part;
          break;
        }
        lua_geti(L, table, s.mid);  // stays on the stack
        lua_pushvalue(L, -1);
        lua_geti(L, table, s.up - 1);
        store(L, s.mid, s.up - 1);
        s.i = s.lo;
        s.j = s.up - 1;
        s.next = at::up;
        break;
      case at::up:
        lua_geti(L, table, ++s.i);
        compare(L, s, -1, -2, at::up_seen);
        break;
      case at::up_seen:
        if (!s.less) {
          s.next = at::down;
          break;
        }
        if (s.i == s.up - 1) return luaL_error(L, "invalid order function for sorting");
        lua_pop(L, 1);
        s.next = at::up;
        break;
      case at::down:
        lua_geti(L, table, --s.j);
        compare(L, s, -3, -1, at::down_seen);
        break;
      case at::down_seen:
        if (s.less) {
          if (s.j < s.i) return luaL_error(L, "invalid order function for sorting");
          lua_pop(L, 1);
          s.next = at::down;
          break;
        }
        if (s.j >= s.i) {
          store(L, s.i, s.j);
          s.next = at::up;
          break;
        }
        lua_pop(L, 1);
        store(L, s.up - 1, s.i);  // the pivot changes places with t[i]
        split(s);
        s.next = at::part;
        break;
    }
  }
}

int go_on(lua_State* L, int, lua_KContext compared) {
  auto& s = *static_cast<sorting*>(lua_touserdata(L, progress));
  if (compared == after_comparison) take_result(L, s);
  return run(L, s);
}

}  // namespace

int table_sort(lua_State* L) {
  const auto n = check_list(L);
  if (n < 2) return 0;
  luaL_argcheck(L, n < std::numeric_limits<int>::max(), 1, "array too big");
  if (!lua_isnoneornil(L, 2)) luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_settop(L, 2);
  luaL_checkstack(L, 10, "no room to sort");
  auto& s = *static_cast<sorting*>(lua_newuserdatauv(L, sizeof(sorting), 0));
  s.lo = 1;
  s.up = static_cast<index>(n);
  s.random = 0;
  s.next = at::part;
  s.waiting = 0;
  return run(L, s);
}

}  // namespace troupe::script
