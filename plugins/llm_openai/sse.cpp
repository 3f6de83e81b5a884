// SPDX-License-Identifier: Apache-2.0
#include "sse.hpp"

#include <algorithm>

bool sse_parser::feed(std::string_view piece, const on_event& event) {
  while (!piece.empty()) {
    if (after_cr_) {
      after_cr_ = false;
      if (piece.front() == '\n') {
        piece.remove_prefix(1);
        continue;
      }
    }
    const std::size_t end = piece.find_first_of("\r\n");
    if (line_.size() + std::min(end, piece.size()) > max_event_) return false;
    if (end == std::string_view::npos) {
      line_ += piece;
      return true;
    }
    after_cr_ = piece[end] == '\r';
    line_ += piece.substr(0, end);
    piece.remove_prefix(end + 1);
    const bool fits = take_line(line_, event);
    line_.clear();
    if (!fits) return false;
  }
  return true;
}

bool sse_parser::finish(const on_event& event) {
  if (!line_.empty() && !take_line(line_, event)) return false;
  line_.clear();
  return take_line("", event);
}

bool sse_parser::take_line(std::string_view line, const on_event& event) {
  if (at_start_ && line.substr(0, 3) == "\xef\xbb\xbf") line.remove_prefix(3);
  at_start_ = false;
  if (line.empty()) {
    if (has_data_) event(data_);
    data_.clear();
    has_data_ = false;
    return true;
  }
  // `event`, `id` and `retry` say nothing here; a line that begins with a colon is a comment.
  if (line.substr(0, 4) != "data" || (line.size() > 4 && line[4] != ':')) return true;
  line.remove_prefix(std::min<std::size_t>(5, line.size()));
  if (!line.empty() && line.front() == ' ') line.remove_prefix(1);
  if (data_.size() + line.size() > max_event_) return false;
  if (has_data_) data_ += '\n';
  data_ += line;
  has_data_ = true;
  return true;
}
