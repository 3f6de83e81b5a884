// SPDX-License-Identifier: Apache-2.0
#include "script/matcher.hpp"

#include <cctype>
#include <cstring>

#include "script/binding.hpp"

namespace troupe::script {

namespace {

constexpr std::size_t slice_steps = 4096;
constexpr char escape = '%';

int byte(char c) {
  return static_cast<unsigned char>(c);
}

/// `c` against a class letter, as in `%a`; any other letter stands for itself.
bool in_class(int c, int letter) {
  int in = 0;
  switch (std::tolower(letter)) {
    case 'a':
      in = std::isalpha(c);
      break;
    case 'c':
      in = std::iscntrl(c);
      break;
    case 'd':
      in = std::isdigit(c);
      break;
    case 'g':
      in = std::isgraph(c);
      break;
    case 'l':
      in = std::islower(c);
      break;
    case 'p':
      in = std::ispunct(c);
      break;
    case 's':
      in = std::isspace(c);
      break;
    case 'u':
      in = std::isupper(c);
      break;
    case 'w':
      in = std::isalnum(c);
      break;
    case 'x':
      in = std::isxdigit(c);
      break;
    case 'z':
      in = c == 0;
      break;  // deprecated, but there
    default:
      return letter == c;
  }
  return (in != 0) == (std::islower(letter) != 0);
}

/// `c` against `[set]`; `set` is at the bracket, `last` at the closing one.
bool in_set(int c, const char* set, const char* last) {
  const char* p = set + 1;
  bool positive = true;
  if (*p == '^') {
    positive = false;
    ++p;
  }
  for (; p < last; ++p) {
    if (*p == escape) {
      ++p;
      if (in_class(c, byte(*p))) return positive;
    } else if (p[1] == '-' && p + 2 < last) {
      if (byte(p[0]) <= c && c <= byte(p[2])) return positive;
      p += 2;
    } else if (byte(*p) == c) {
      return positive;
    }
  }
  return !positive;
}

}  // namespace

void matcher::spend_slowly(std::size_t steps) {
  check_busy(L_);
  if (steps >= steps_) raise_limit(L_, "pattern", "the pattern takes too many steps on this text");
  steps_ -= steps;
  slice_ = steps + (steps_ < slice_steps ? steps_ : slice_steps);
  steps_ -= slice_ - steps;
}

const char* matcher::match_at(const char* s) {
  level_ = 0;
  depth_ = 0;
  return match(s, pattern_);
}

/// One item of the pattern after the other; recursion only where there is a choice.
const char* matcher::match(const char* s, const char* p) {
  if (++depth_ > max_depth) luaL_error(L_, "pattern too complex");
  const char* result = nullptr;
  for (;;) {
    spend(1);
    if (p == pattern_end_) {
      result = s;
      break;
    }
    if (*p == '(') {
      result = p[1] == ')' ? open_capture(s, p + 2, position) : open_capture(s, p + 1, open);
      break;
    }
    if (*p == ')') {
      result = close_capture(s, p + 1);
      break;
    }
    if (*p == '$' && p + 1 == pattern_end_) {
      result = s == end_ ? s : nullptr;
      break;
    }
    if (*p == escape) {
      const char kind = p[1];
      if (kind == 'b') {
        s = skip_balanced(s, p + 2);
        if (s == nullptr) break;
        p += 4;
        continue;
      }
      if (kind == 'f') {
        p += 2;
        if (*p != '[') luaL_error(L_, "missing '[' after '%%f' in pattern");
        const char* after = item_end(p);
        if (!is_frontier(s, p, after)) break;
        p = after;
        continue;
      }
      if (std::isdigit(byte(kind)) != 0) {
        s = skip_capture(s, kind);
        if (s == nullptr) break;
        p += 2;
        continue;
      }
    }
    const char* after = item_end(p);
    const char repeat = *after;  // the pattern ends with a NUL, as all of Lua's strings
    if (!item_matches(s, p, after)) {
      if (repeat != '*' && repeat != '?' && repeat != '-') break;
      p = after + 1;
      continue;
    }
    if (repeat == '+' || repeat == '*') {
      result = match_repeated(repeat == '+' ? s + 1 : s, p, after);
      break;
    }
    if (repeat == '-') {
      result = match_lazily(s, p, after);
      break;
    }
    if (repeat == '?') {
      result = match(s + 1, after + 1);
      if (result != nullptr) break;
      p = after + 1;
      continue;
    }
    ++s;
    p = after;
  }
  --depth_;
  return result;
}

/// As many as there are, then fewer.
const char* matcher::match_repeated(const char* s, const char* p, const char* after) {
  std::ptrdiff_t n = 0;
  while (item_matches(s + n, p, after))
    ++n;
  for (; n >= 0; --n) {
    if (const char* e = match(s + n, after + 1); e != nullptr) return e;
  }
  return nullptr;
}

/// As few as possible, then more.
const char* matcher::match_lazily(const char* s, const char* p, const char* after) {
  for (;; ++s) {
    if (const char* e = match(s, after + 1); e != nullptr) return e;
    if (!item_matches(s, p, after)) return nullptr;
  }
}

const char* matcher::open_capture(const char* s, const char* p, std::ptrdiff_t kind) {
  if (level_ >= max_captures) luaL_error(L_, "too many captures");
  captures_[level_] = {s, kind};
  ++level_;
  const char* e = match(s, p);
  if (e == nullptr) --level_;
  return e;
}

const char* matcher::close_capture(const char* s, const char* p) {
  int i = level_ - 1;
  while (i >= 0 && captures_[i].size != open)
    --i;
  if (i < 0) luaL_error(L_, "invalid pattern capture");
  captures_[i].size = s - captures_[i].begin;
  const char* e = match(s, p);
  if (e == nullptr) captures_[i].size = open;
  return e;
}

/// `%bxy`; `p` is at x.
const char* matcher::skip_balanced(const char* s, const char* p) {
  if (p >= pattern_end_ - 1) luaL_error(L_, "malformed pattern (missing arguments to '%%b')");
  if (s >= end_ || *s != p[0]) return nullptr;
  int level = 1;
  for (++s; s < end_; ++s) {
    spend(1);
    if (*s == p[1]) {
      if (--level == 0) return s + 1;
    } else if (*s == p[0]) {
      ++level;
    }
  }
  return nullptr;
}

/// `%1` to `%9`: the text of that capture again.
const char* matcher::skip_capture(const char* s, char digit) {
  const int i = digit - '1';
  if (i < 0 || i >= level_ || captures_[i].size == open)
    luaL_error(L_, "invalid capture index %%%d", i + 1);
  // A position has no text: its mark, seen as a size, is longer than any text.
  const auto size = static_cast<std::size_t>(captures_[i].size);
  if (static_cast<std::size_t>(end_ - s) < size) return nullptr;
  spend(size / 8);
  return std::memcmp(captures_[i].begin, s, size) == 0 ? s + size : nullptr;
}

bool matcher::is_frontier(const char* s, const char* set, const char* after) const {
  const char before = s == begin_ ? '\0' : s[-1];
  return !in_set(byte(before), set, after - 1) && in_set(byte(*s), set, after - 1);
}

/// Behind the single item at `p`: a character, a class or a set.
const char* matcher::item_end(const char* p) {
  if (*p == escape) {
    if (p + 1 == pattern_end_) luaL_error(L_, "malformed pattern (ends with '%%')");
    return p + 2;
  }
  if (*p != '[') return p + 1;
  const char* start = p;
  ++p;
  if (*p == '^') ++p;
  do {  // a bracket that comes first stands for itself
    if (p == pattern_end_) luaL_error(L_, "malformed pattern (missing ']')");
    if (*p++ == escape && p < pattern_end_) ++p;
  } while (*p != ']');
  spend(static_cast<std::size_t>(p - start));
  return p + 1;
}

bool matcher::item_matches(const char* s, const char* p, const char* after) {
  spend(1);
  if (s >= end_) return false;
  switch (*p) {
    case '.':
      return true;
    case escape:
      return in_class(byte(*s), byte(p[1]));
    case '[':
      spend(static_cast<std::size_t>(after - p));
      return in_set(byte(*s), p, after - 1);
    default:
      return *p == *s;
  }
}

bool matcher::capture_text(int i, const char* s, const char* e, std::string_view& text) {
  if (i >= level_) {
    if (i != 0) luaL_error(L_, "invalid capture index %%%d", i + 1);
    text = {s, static_cast<std::size_t>(e - s)};
    return true;
  }
  const auto& c = captures_[i];
  if (c.size == open) luaL_error(L_, "unfinished capture");
  if (c.size == position) {
    lua_pushinteger(L_, c.begin - begin_ + 1);
    return false;
  }
  text = {c.begin, static_cast<std::size_t>(c.size)};
  return true;
}

void matcher::push_capture(int i, const char* s, const char* e) {
  std::string_view text;
  if (capture_text(i, s, e, text)) lua_pushlstring(L_, text.data(), text.size());
}

int matcher::push_captures(const char* s, const char* e) {
  const int n = level_ == 0 && s != nullptr ? 1 : level_;
  luaL_checkstack(L_, n, "too many captures");
  for (int i = 0; i < n; ++i)
    push_capture(i, s, e);
  return n;
}

}  // namespace troupe::script
