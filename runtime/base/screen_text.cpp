// SPDX-License-Identifier: Apache-2.0
#include "base/screen_text.hpp"

#include "base/id.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

std::string escaped(std::string_view data, std::string_view kept) {
  const std::string text = is_utf8(data) ? std::string(data) : "0x" + to_hex(data);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    // The controls U+0080 to U+009F take two bytes.
    if (c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0)
      c = static_cast<unsigned char>(text[++i]);
    else if ((c >= 0x20 && c != 0x7f) || kept.find(text[i]) != std::string_view::npos) {
      out += text[i];
      continue;
    }
    out += c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\u00" + to_hex({text.data() + i, 1});
  }
  return out;
}

}  // namespace

std::string within_line(std::string_view data) {
  return escaped(data, {});
}
std::string within_lines(std::string_view data) {
  return escaped(data, "\n\t");
}

}  // namespace troupe
