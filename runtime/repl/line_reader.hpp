// SPDX-License-Identifier: Apache-2.0
//
// Lines of a person, with editing, history and completion; or of a pipe, as they are.
#pragma once

#include <cstdio>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// Used by one thread.
class line_reader {
 public:
  /// Whole words that may stand where `word` ends the text before the cursor. Behind a colon words
  /// are what blanks separate, elsewhere they are names with dots.
  using completer =
      std::function<std::vector<std::string>(std::string_view before, std::string_view word)>;

  virtual ~line_reader() = default;

  /// The next line without its newline. Nothing at the end of input. What wakes it drops the line
  /// and gives an empty one with `was_interrupted`. `prompt` shows on a terminal alone.
  virtual std::optional<std::string> read(const std::string& prompt) = 0;
  virtual bool was_interrupted() const { return false; }
  /// What Up brings back; several lines are one entry.
  virtual void remember(const std::string&) {}
  virtual bool is_terminal() const { return false; }
  /// Any thread. Shows what others have to say: while a line is being typed, whole lines of it
  /// above that one, which stays as it is.
  virtual void write_aside(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
  }
};

/// For a terminal. `history_file` is read now and written at the end, with mode 600; empty: none.
/// A read ends as soon as the descriptor `wake` is readable (the reader does not read it). What
/// LC_CTYPE says is how bytes make characters.
std::unique_ptr<line_reader> terminal_reader(line_reader::completer complete,
                                             const std::string& history_file, int wake);
/// For anything else.
std::unique_ptr<line_reader> plain_reader(int fd);

}  // namespace troupe
