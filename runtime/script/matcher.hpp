// SPDX-License-Identifier: Apache-2.0
//
// Lua's patterns, with the same meaning as in Lua 5.4 but a limit on the steps: the stock matcher
// backtracks for minutes over 34 bytes. Plain data without a destructor, because it raises.
#pragma once

#include <lua.hpp>

#include <cstddef>
#include <string_view>

namespace troupe::script {

class matcher {
 public:
  /// Steps that one call of a string function may take on a text of that size: 10 million and 32
  /// per byte, about 40 ms. Honest patterns take one to three per byte.
  static constexpr std::size_t max_steps(std::size_t text_size) {
    return 10'000'000 + 32 * text_size;
  }

  /// Both texts must stay where they are (on Lua's stack) while it is used. `pattern` is without
  /// its anchor.
  matcher(lua_State* L, std::string_view text, std::string_view pattern)
      : L_(L),
        begin_(text.data()),
        end_(text.data() + text.size()),
        pattern_(pattern.data()),
        pattern_end_(pattern.data() + pattern.size()),
        steps_(max_steps(text.size())) {}

  /// Where the match that begins exactly at `s` ends, or null. Raises what Lua raises for a
  /// malformed pattern, and `limit: pattern` when the steps are used up.
  const char* match_at(const char* s);

  /// Of the last match: pushes capture `i`, counted from 0; without captures 0 is all of it.
  void push_capture(int i, const char* s, const char* e);
  /// Pushes all captures; `s` null: none instead of the whole match. Returns how many.
  int push_captures(const char* s, const char* e);
  /// The same without pushing, where the capture is text; false: it is a position, and was pushed.
  bool capture_text(int i, const char* s, const char* e, std::string_view& text);

  const char* begin() const { return begin_; }
  const char* end() const { return end_; }

 private:
  static constexpr int max_captures = 32;
  static constexpr int max_depth = 200;  // Lua's MAXCCALLS: deeper ones are "too complex"
  static constexpr std::ptrdiff_t open = -1;
  static constexpr std::ptrdiff_t position = -2;

  struct capture {
    const char* begin;
    std::ptrdiff_t size;  // or open, or position
  };

  void spend(std::size_t steps) {
    if (steps >= slice_) spend_slowly(steps);
    slice_ -= steps;
  }
  void spend_slowly(std::size_t steps);

  const char* match(const char* s, const char* p);
  const char* match_repeated(const char* s, const char* p, const char* after);
  const char* match_lazily(const char* s, const char* p, const char* after);
  const char* open_capture(const char* s, const char* p, std::ptrdiff_t kind);
  const char* close_capture(const char* s, const char* p);
  const char* skip_balanced(const char* s, const char* p);
  const char* skip_capture(const char* s, char digit);
  bool is_frontier(const char* s, const char* set, const char* after) const;
  const char* item_end(const char* p);
  bool item_matches(const char* s, const char* p, const char* after);

  lua_State* L_;
  const char* begin_;
  const char* end_;
  const char* pattern_;
  const char* pattern_end_;
  std::size_t steps_;      // left
  std::size_t slice_ = 1;  // of them until the next look at the clock
  int depth_ = 0;
  int level_ = 0;
  capture captures_[max_captures];
};

}  // namespace troupe::script
