// SPDX-License-Identifier: Apache-2.0
#include "actors/worker/output_log.hpp"

#include <algorithm>
#include <utility>

#include "base/utf8.hpp"

namespace troupe {

std::string printable(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  const bool is_text = is_utf8(text);
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are control characters as well: 0xc2 and then such a byte.
    const bool c1 = is_text && c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0;
    if ((c >= 0x20 || c == '\t') && c != 0x7f && (c < 0x80 || is_text) && !c1) {
      out.push_back(text[i]);
      continue;
    }
    const auto shown = c1 ? static_cast<unsigned char>(text[++i]) : c;
    out += {'\\', 'x', digits[shown >> 4], digits[shown & 15]};
  }
  return out;
}

void output_log::feed(std::string_view data, instant now, const line_function& write) {
  if (counted_ == instant()) counted_ = now;
  const auto refill = to_seconds(now - counted_) * static_cast<double>(limits_.per_second);
  if (refill >= 1) {
    allowed_ = refill >= static_cast<double>(limits_.burst)
                   ? limits_.burst
                   : std::min(limits_.burst, allowed_ + static_cast<std::size_t>(refill));
    counted_ = now;
  }
  while (!data.empty()) {
    const auto end = data.find('\n');
    const auto piece = data.substr(0, end);
    const auto room = limits_.line - std::min(limits_.line, line_.size());
    line_ += piece.substr(0, room);
    cut_ += piece.size() - std::min(piece.size(), room);
    if (end == std::string_view::npos) return;
    end_line(write);
    data.remove_prefix(end + 1);
  }
}

void output_log::finish(instant now, const line_function& write) {
  if (line_.empty() && cut_ == 0) return;
  feed("\n", now, write);
}

void output_log::end_line(const line_function& write) {
  const auto size = line_.size() + cut_ + 1;
  if (cut_ > 0) {  // not in the middle of a character
    while (!line_.empty() && (line_.back() & 0xc0) == 0x80)
      line_.pop_back();
    if (!line_.empty() && (line_.back() & 0x80) != 0) line_.pop_back();
  }
  auto line = printable(line_);
  if (cut_ > 0) line += " ... " + std::to_string(size - 1 - line_.size()) + " bytes more";
  line_.clear();
  cut_ = 0;

  tail_ += line + "\n";
  if (tail_.size() > limits_.tail) {
    const auto next = tail_.find('\n', tail_.size() - limits_.tail);
    tail_.erase(0, next + 1 < tail_.size() ? next + 1 : tail_.size() - limits_.tail);
  }
  if (size > allowed_) {
    dropped_ += size;
    return;
  }
  allowed_ -= size;
  write(line);
}

std::size_t output_log::take_dropped() {
  return std::exchange(dropped_, 0);
}

}  // namespace troupe
