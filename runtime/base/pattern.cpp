// SPDX-License-Identifier: Apache-2.0
#include "base/pattern.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace troupe {

namespace {

/// Bounds both the compiled form and what matching keeps in memory.
constexpr std::int64_t max_memory = 256 << 10;
/// Bytes of text times instructions: what the slowest of RE2's engines does in about a second.
constexpr std::size_t max_work = 100'000'000;

/// The number behind `\u` (four digits, or in braces), and how many characters it takes.
std::optional<std::uint32_t> code_point(std::string_view digits, std::size_t& taken) {
  std::size_t first = 0, n = 4;
  taken = 4;
  if (digits.starts_with('{')) {
    first = 1;
    n = digits.find('}');
    if (n == digits.npos || n < 2 || n > 7) return std::nullopt;
    taken = n + 1;
    n -= 1;
  }
  if (digits.size() < first + n) return std::nullopt;
  std::uint32_t x = 0;
  const auto* end = digits.data() + first + n;
  const auto [stop, failed] = std::from_chars(digits.data() + first, end, x, 16);
  if (failed != std::errc() || stop != end) return std::nullopt;
  return x;
}

std::string escaped(std::uint32_t code) {
  char digits[8];
  const auto end = std::to_chars(digits, digits + sizeof(digits), code, 16).ptr;
  return "\\x{" + std::string(digits, end) + "}";
}

/// From ECMAScript's dialect to RE2's: they differ in how they write characters by number, control
/// characters and names of groups.
std::string translated(std::string_view from) {
  std::string to;
  while (!from.empty()) {
    if (from.starts_with("(?<") && from.size() > 3 && from[3] != '=' && from[3] != '!') {
      to += "(?P<";
      from.remove_prefix(3);
      continue;
    }
    if (from[0] != '\\' || from.size() < 2) {
      to += from[0];
      from.remove_prefix(1);
      continue;
    }
    std::size_t taken = 0;
    if (from[1] == 'u') {
      if (auto code = code_point(from.substr(2), taken)) {
        from.remove_prefix(2 + taken);
        // Two halves of a surrogate pair are one character.
        std::size_t more = 0;
        if (*code >= 0xd800 && *code < 0xdc00 && from.starts_with("\\u"))
          if (auto low = code_point(from.substr(2), more); low && *low >= 0xdc00 && *low < 0xe000) {
            code = 0x10000 + ((*code - 0xd800) << 10) + (*low - 0xdc00);
            from.remove_prefix(2 + more);
          }
        to += escaped(*code);
        continue;
      }
    } else if (from[1] == 'c' && from.size() > 2) {
      to += escaped(static_cast<std::uint32_t>(from[2]) & 31);
      from.remove_prefix(3);
      continue;
    } else if (from[1] == '0') {
      to += escaped(0);
      from.remove_prefix(2);
      continue;
    }
    to += from.substr(0, 2);
    from.remove_prefix(2);
  }
  return to;
}

}  // namespace

struct pattern::impl {
  impl(std::string_view expression, const RE2::Options& options)
      : expression(expression), compiled(translated(expression), options) {}
  std::string expression;
  RE2 compiled;
};

result<pattern> pattern::compile(std::string_view expression) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_memory);
  options.set_never_capture(true);
  auto made = std::make_shared<const impl>(expression, options);
  if (!made->compiled.ok())
    return error(errc::bad_argument, "pattern " + std::string(expression.substr(0, 100)) + ": " +
                                         made->compiled.error());
  return pattern(std::move(made));
}

result<bool> pattern::found_in(std::string_view text) const {
  const auto instructions = static_cast<std::size_t>(impl_->compiled.ProgramSize());
  if (text.size() > max_work / std::max<std::size_t>(instructions, 1))
    return error(errc::too_big, "text of " + std::to_string(text.size()) +
                                    " bytes is too long for the pattern " + impl_->expression);
  return impl_->compiled.Match({text.data(), text.size()}, 0, text.size(), RE2::UNANCHORED, nullptr,
                               0);
}

std::string_view pattern::expression() const {
  return impl_->expression;
}

}  // namespace troupe
