// SPDX-License-Identifier: Apache-2.0
//
// Regular expressions on text from anybody: matching takes time linear in the text, whatever the
// expression, so neither who writes one nor who sends text can stall the node. Not std::regex,
// which is exponential on `(a+)+$` and overflows the stack on long text.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.hpp"

namespace troupe {

/// A compiled expression. Immutable and thread-safe; cheap to copy.
class pattern {
 public:
  /// Takes the dialect of JSON Schema (ECMAScript) but for what can't be matched in linear time:
  /// back references and looking around; `\s` knows ASCII's white space alone. Fails with
  /// bad_argument for those, for errors of syntax, and where the compiled form would take more than
  /// 256 KiB.
  static result<pattern> compile(std::string_view expression);

  /// True if it matches anywhere in `text` (UTF-8). Fails with too_big where the text is so long
  /// for this expression that it could take more than about a second: for a usual expression, some
  /// megabytes.
  result<bool> found_in(std::string_view text) const;

  /// As it was given to `compile`.
  std::string_view expression() const;

 private:
  struct impl;
  explicit pattern(std::shared_ptr<const impl> i) : impl_(std::move(i)) {}
  std::shared_ptr<const impl> impl_;  ///< shared: immutable, and costly to copy
};

}  // namespace troupe
