// SPDX-License-Identifier: Apache-2.0
#include "exe/lua_tokens.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace troupe::cli {

namespace {

constexpr std::array<std::string_view, 22> keywords = {
    "and",      "break",  "do",   "else", "elseif", "end",  "false", "for",
    "function", "goto",   "if",   "in",   "local",  "nil",  "not",   "or",
    "repeat",   "return", "then", "true", "until",  "while"};
/// Longer ones first.
constexpr std::array<std::string_view, 10> long_symbols = {
    "...", "..", "::", "==", "~=", "<=", ">=", "//", "<<", ">>"};

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

class lexer {
 public:
  explicit lexer(std::string_view source) : source_(source) {
    if (source_.starts_with('#')) skip_line();
  }

  std::vector<lua_token> run() {
    std::vector<lua_token> all;
    do
      all.push_back(next());
    while (all.back().what != lua_token::kind::end);
    return all;
  }

 private:
  lua_token next() {
    skip_blanks_and_comments();
    const auto from = at_;
    const int line = line_;
    const auto taken = [&](lua_token::kind what) {
      return lua_token{what, source_.substr(from, at_ - from), line};
    };
    if (at_ == source_.size()) return taken(lua_token::kind::end);
    const char c = source_[at_];
    if (is_letter(c)) {
      while (is_letter(here()) || is_digit(here()))
        ++at_;
      const auto word = source_.substr(from, at_ - from);
      const bool is_keyword = std::find(keywords.begin(), keywords.end(), word) != keywords.end();
      return taken(is_keyword ? lua_token::kind::keyword : lua_token::kind::name);
    }
    if (is_digit(c) || (c == '.' && is_digit(here(1)))) {
      skip_number();
      return taken(lua_token::kind::number);
    }
    if (c == '"' || c == '\'') return quoted(line);
    if (const auto level = long_bracket(); level != none) {
      const auto content = skip_long(level);
      return {lua_token::kind::text, content, line};
    }
    const auto rest = source_.substr(at_);
    const auto* symbol = std::find_if(long_symbols.begin(), long_symbols.end(),
                                      [&](auto s) { return rest.starts_with(s); });
    at_ += symbol == long_symbols.end() ? 1 : symbol->size();
    return taken(lua_token::kind::symbol);
  }

  char here(std::size_t ahead = 0) const {
    return at_ + ahead < source_.size() ? source_[at_ + ahead] : '\0';
  }

  void skip_line() {
    while (at_ < source_.size() && source_[at_] != '\n')
      ++at_;
  }

  void skip_blanks_and_comments() {
    while (at_ < source_.size()) {
      if (std::isspace(static_cast<unsigned char>(here())) != 0) {
        if (here() == '\n') ++line_;
        ++at_;
      } else if (source_.substr(at_).starts_with("--")) {
        at_ += 2;
        if (const auto level = long_bracket(); level != none)
          skip_long(level);
        else
          skip_line();
      } else {
        return;
      }
    }
  }

  /// `0x1p-4`, `3.14e+2`: a sign belongs to it behind its exponent.
  void skip_number() {
    const bool is_hex = here() == '0' && (here(1) == 'x' || here(1) == 'X');
    for (char last = 0;
         is_letter(here()) || is_digit(here()) || here() == '.' ||
         ((here() == '+' || here() == '-') && (last == 'p' || (last == 'e' && !is_hex)));
         ++at_)
      last = static_cast<char>(std::tolower(static_cast<unsigned char>(here())));
  }

  lua_token quoted(int line) {
    const char quote = source_[at_++];
    const auto from = at_;
    while (at_ < source_.size() && here() != quote && here() != '\n') {
      if (here() == '\\') ++at_;
      if (here() == '\n') ++line_;
      if (at_ < source_.size()) ++at_;
    }
    const auto content = source_.substr(from, at_ - from);
    if (here() == quote) ++at_;
    return {lua_token::kind::text, content, line};
  }

  static constexpr std::size_t none = static_cast<std::size_t>(-1);

  /// How many `=` stand in the `[==[` that begins here.
  std::size_t long_bracket() const {
    if (here() != '[') return none;
    std::size_t level = 0;
    while (here(1 + level) == '=')
      ++level;
    return here(1 + level) == '[' ? level : none;
  }

  std::string_view skip_long(std::size_t level) {
    const auto close = "]" + std::string(level, '=') + "]";
    const auto from = at_ + level + 2;
    const auto end = std::min(source_.find(close, from), source_.size());
    const auto content = source_.substr(from, end - from);
    line_ += static_cast<int>(std::count(content.begin(), content.end(), '\n'));
    at_ = std::min(end + close.size(), source_.size());
    return content;
  }

  const std::string_view source_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<lua_token> lua_tokens(std::string_view source) {
  return lexer(source).run();
}

}  // namespace troupe::cli
