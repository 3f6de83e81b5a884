// SPDX-License-Identifier: Apache-2.0
//
// The prompt: reads what a person types, puts lines together that belong together, tells commands
// from Lua, and writes what comes back. What any of it means is the session's affair.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "repl/line_reader.hpp"

namespace troupe {

class session {
 public:
  virtual ~session() = default;
  /// Runs a piece of Lua, awaits what waits in it, and yields what is to be shown; empty: nothing.
  virtual result<std::string> evaluate(const std::string& text) = 0;
  /// `:ps -a x` comes as words {ps, -a, x} and with what follows the command's name as it was
  /// typed.
  virtual result<std::string> command(const std::vector<std::string>& words,
                                      std::string_view rest) = 0;
  /// True if more lines can make this a whole piece of Lua.
  virtual bool is_incomplete(const std::string& text) = 0;
  /// A failure, as it is to be shown.
  virtual std::string describe(const error& why);
  virtual std::vector<std::string> complete(std::string_view before, std::string_view word) = 0;
  /// A signal ended the reading of a line.
  virtual void interrupt() = 0;
  /// `:quit` was said, or what the prompt stands on has ended.
  virtual bool is_over() const = 0;
};

/// Runs until the end of input or of the session. Results go to `out`, errors to `err`. On a
/// terminal it returns 0; with a script from a pipe it goes on after an error and returns 1 at the
/// end if there was one.
int run_repl(session& s, line_reader& in, std::FILE* out, std::FILE* err);

/// As a shell splits words: quotes hold them together, a backslash takes the next character as it
/// is. Fails with syntax for an open quote.
result<std::vector<std::string>> split_words(std::string_view line);

}  // namespace troupe
