// SPDX-License-Identifier: Apache-2.0
#include "exe/dropped_results.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "exe/lua_tokens.hpp"

namespace troupe::cli {

namespace {

using kind = lua_token::kind;

template <std::size_t N>
bool is_one_of(const lua_token& t, const std::array<std::string_view, N>& words) {
  return std::any_of(words.begin(), words.end(), [&](auto w) { return t.is(w); });
}

/// Can the expression before it go on with this token?
bool goes_on(const lua_token& t) {
  constexpr std::array<std::string_view, 7> others = {",", "=", ";", "::", ")", "]", "}"};
  if (t.what == kind::text || t.is("and") || t.is("or")) return true;
  return t.what == kind::symbol && !is_one_of(t, others);
}

/// Can a statement begin behind this token? An expression can't: two of them never stand side by
/// side.
bool ends_statement(const lua_token& t) {
  constexpr std::array<std::string_view, 14> closing = {"do",    "then", "else", "repeat", "end",
                                                        "break", "nil",  "true", "false",  ";",
                                                        ")",     "]",    "}",    "::"};
  return t.what == kind::name || t.what == kind::text || t.what == kind::number || t.is("...") ||
         is_one_of(t, closing);
}

class reader {
 public:
  explicit reader(std::string_view source) : tokens_(lua_tokens(source)) { bind_all(); }

  std::vector<dropped_result> dropped(const std::set<std::string, std::less<>>& fallible) const {
    std::vector<dropped_result> found;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (tokens_[i].what != kind::name || !begins_statement(i)) continue;
      auto at = i;
      const auto function = function_at(at);
      if (!fallible.contains(function)) continue;
      const auto behind = behind_arguments(at);
      if (behind != at && !goes_on(tokens_[behind]) && !tokens_[behind].is("=") &&
          !tokens_[behind].is(","))
        found.push_back({tokens_[i].line, function});
    }
    return found;
  }

  std::set<std::string> modules() const {
    std::set<std::string> names;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      auto at = i;
      if (const auto name = required_at(at); !name.empty()) names.emplace(name);
    }
    return names;
  }

 private:
  const lua_token& token(std::size_t i) const { return tokens_[std::min(i, tokens_.size() - 1)]; }

  bool begins_statement(std::size_t i) const { return i == 0 || ends_statement(tokens_[i - 1]); }

  /// `require("x")` or `require "x"` here: x, and `at` is behind it.
  std::string_view required_at(std::size_t& at) const {
    if (token(at).what != kind::name || token(at).as_written != "require") return {};
    const bool has_parentheses = token(at + 1).is("(");
    const auto& name = token(at + (has_parentheses ? 2 : 1));
    if (name.what != kind::text || (has_parentheses && !token(at + 3).is(")"))) return {};
    at += has_parentheses ? 4 : 2;
    return name.as_written;
  }

  /// The full name of what `call`, `troupe.call` or `require("troupe").call` here stands for, and
  /// `at` is behind it. Empty: nobody knows.
  std::string function_at(std::size_t& at) const {
    std::string name(required_at(at));
    if (name.empty()) {
      const auto known = meaning_.find(token(at).as_written);
      if (token(at).what != kind::name || known == meaning_.end() || known->second.empty())
        return {};
      name = known->second;
      ++at;
    }
    for (; token(at).is(".") && token(at + 1).what == kind::name; at += 2)
      name.append(".").append(token(at + 1).as_written);
    return name;
  }

  /// Behind the arguments that begin here; `at` if there are none.
  std::size_t behind_arguments(std::size_t at) const {
    if (token(at).what == kind::text) return at + 1;
    if (!token(at).is("(") && !token(at).is("{")) return at;
    int depth = 0;
    for (auto i = at; i + 1 < tokens_.size(); ++i) {
      const auto& t = tokens_[i];
      if (t.is("(") || t.is("{") || t.is("[")) ++depth;
      if (t.is(")") || t.is("}") || t.is("]")) --depth;
      if (depth == 0) return i + 1;
    }
    return at;
  }

  void bind(std::string_view name, const std::string& meaning) {
    const auto [known, is_new] = meaning_.emplace(name, meaning);
    if (!is_new && known->second != meaning) known->second.clear();
  }

  /// Every name that the file gives a meaning, wherever.
  void bind_all() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const auto& t = tokens_[i];
      if (t.is("local"))
        bind_locals(i + 1);
      else if (t.is("function"))
        bind_parameters(i + 1);
      else if (t.is("for"))
        for (auto at = i + 1; token(at).what == kind::name || token(at).is(","); ++at)
          bind(token(at).as_written, "");
      else if (t.what == kind::name && begins_statement(i) &&
               (token(i + 1).is("=") || token(i + 1).is(",")))
        bind(t.as_written, "");
    }
  }

  void bind_locals(std::size_t at) {
    if (token(at).is("function")) return bind(token(at + 1).as_written, "");
    std::vector<std::string_view> names;
    while (token(at).what == kind::name) {
      names.push_back(token(at++).as_written);
      if (token(at).is("<")) at += 3;
      if (!token(at).is(",")) break;
      ++at;
    }
    const bool has_values = token(at).is("=");
    bool is_known = has_values;
    for (const auto name : names) {
      std::string meaning;
      // Behind an expression that is not known nobody knows where the next one begins.
      if (is_known) {
        ++at;
        meaning = function_at(at);
        if (goes_on(token(at))) meaning.clear();
        is_known = !meaning.empty() && token(at).is(",");
      }
      bind(name, meaning);
    }
  }

  void bind_parameters(std::size_t at) {
    if (token(at).what == kind::name && token(at + 1).is("(")) bind(token(at).as_written, "");
    while (token(at).what == kind::name || token(at).is(".") || token(at).is(":"))
      ++at;
    for (++at; token(at).what == kind::name || token(at).is(","); ++at)
      bind(token(at).as_written, "");
  }

  const std::vector<lua_token> tokens_;
  std::map<std::string, std::string, std::less<>> meaning_;
};

}  // namespace

std::vector<dropped_result> dropped_results(std::string_view source,
                                            const std::set<std::string, std::less<>>& fallible) {
  return reader(source).dropped(fallible);
}

std::set<std::string> required_modules(std::string_view source) {
  return reader(source).modules();
}

}  // namespace troupe::cli
