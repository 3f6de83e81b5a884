// SPDX-License-Identifier: Apache-2.0
//
// Where a Lua thread stands, as text. Why not luaL_traceback: it allocates in the state, which may
// be out of memory just then, and looks for names in tables of any size.
#pragma once

#include <lua.hpp>

#include <string>

namespace troupe::script {

/// Most lines of a traceback; the middle of a deeper one is left out.
inline constexpr int max_trace_lines = 24;

/// One frame as `agent.lua:27: in function 'say'`. `frame` is from lua_getstack. Never raises;
/// `line` is cut off at `size`.
void describe_frame(lua_State* L, lua_Debug& frame, char* line, std::size_t size);

/// Deeper than that, the outer end is not looked for: lua_getstack walks there each time.
inline constexpr int max_trace_depth = 1000;

/// Calls `add(line)` for each line, innermost first, from `level` on.
template <class F>
void trace(lua_State* L, int level, F&& add) {
  lua_Debug frame;
  int depth = level;  // frames from there on: found by halving
  for (int step = 1024; step > 0; step /= 2) {
    if (lua_getstack(L, depth + step - 1, &frame) != 0) depth += step;
  }
  const bool endless = depth - level > max_trace_depth;
  const int first = endless ? max_trace_lines - 1 : max_trace_lines / 2;
  char line[256];
  for (int i = level; i < depth; ++i) {
    if (i - level == first && depth - i > max_trace_lines - first) {
      add("...");
      if (endless) return;
      i = depth - (max_trace_lines - first - 1);
    }
    if (lua_getstack(L, i, &frame) == 0) return;
    describe_frame(L, frame, line, sizeof line);
    add(static_cast<const char*>(line));
    if (frame.istailcall != 0) add("(...tail calls...)");
  }
}

/// All lines, each ended by a newline.
std::string traceback(lua_State* L);

}  // namespace troupe::script
