// SPDX-License-Identifier: Apache-2.0
#include "repl/repl.hpp"

#include <cctype>
#include <utility>

#include "base/screen_text.hpp"

namespace troupe {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

result<std::string> run_command(session& s, std::string_view line) {
  line.remove_prefix(1);
  TROUPE_TRY(words, split_words(line));
  if (words.empty()) return error(errc::syntax, "a command's name follows the colon; see :help");
  auto rest = trimmed(line);
  rest.remove_prefix(std::min(rest.size(), words.front().size()));
  return s.command(words, trimmed(rest));
}

void write(std::FILE* to, const std::string& text) {
  if (text.empty()) return;
  std::fwrite(text.data(), 1, text.size(), to);
  if (!text.ends_with('\n')) std::fputc('\n', to);
  std::fflush(to);
}

}  // namespace

result<std::vector<std::string>> split_words(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '\\' && quote != '\'' && i + 1 < line.size()) {
      word += line[++i];
      in_word = true;
    } else if (quote != 0) {
      if (c == quote)
        quote = 0;
      else
        word += c;
    } else if (c == '"' || c == '\'') {
      quote = c;
      in_word = true;
    } else if (std::isspace(static_cast<unsigned char>(c))) {
      if (in_word) words.push_back(std::exchange(word, {}));
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (quote != 0) return error(errc::syntax, std::string("a quote ") + quote + " is not closed");
  if (in_word) words.push_back(std::move(word));
  return words;
}

std::string session::describe(const error& why) {
  return within_lines(why.describe() + (why.traceback.empty() ? "" : "\n" + why.traceback));
}

int run_repl(session& s, line_reader& in, std::FILE* out, std::FILE* err) {
  bool failed = false;
  std::string text;
  while (!s.is_over()) {
    auto line = in.read(text.empty() ? "> " : ">> ");
    if (in.was_interrupted()) {
      s.interrupt();
      text.clear();
      continue;
    }
    const bool at_end = !line;
    if (line) text += (text.empty() ? "" : "\n") + *line;
    if (trimmed(text).empty()) {
      text.clear();
      if (at_end) break;
      continue;
    }
    const bool is_command = trimmed(text).starts_with(':');
    if (!at_end && !is_command && s.is_incomplete(text)) continue;
    in.remember(text);
    const std::string whole = std::exchange(text, {});
    const auto shown = is_command ? run_command(s, trimmed(whole)) : s.evaluate(whole);
    if (shown) {
      write(out, *shown);
    } else {
      failed = true;
      write(err, s.describe(shown.error()));
    }
    if (at_end) break;
  }
  return failed && !in.is_terminal() ? 1 : 0;
}

}  // namespace troupe
