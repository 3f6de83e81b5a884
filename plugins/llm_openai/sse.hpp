// SPDX-License-Identifier: Apache-2.0
//
// Server-sent events from bytes that arrive in any pieces: lines end in LF, CRLF or CR, comments
// are skipped, data lines of one event are joined.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

class sse_parser {
 public:
  using on_event = std::function<void(std::string_view data)>;

  /// `max_event` bytes is what one event may have.
  explicit sse_parser(std::size_t max_event) : max_event_(max_event) {}

  /// Calls `on_event` for each event that is complete by now. False: an event is too big; the
  /// parser is of no use any more.
  bool feed(std::string_view piece, const on_event& event);
  /// The stream has ended: many servers leave out the empty line after the last event.
  bool finish(const on_event& event);

 private:
  bool take_line(std::string_view line, const on_event& event);

  std::size_t max_event_;
  std::string line_;  ///< the beginning of a line that is not complete yet
  std::string data_;
  bool has_data_ = false;
  bool after_cr_ = false;  ///< an LF that comes next belongs to the line before
  bool at_start_ = true;   ///< a byte order mark may come
};
