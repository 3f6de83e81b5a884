// SPDX-License-Identifier: Apache-2.0
#include "agent/exit_reason.hpp"

#include "base/msgpack.hpp"

namespace troupe {

namespace {

constexpr std::size_t most_code = 100, most_message = 4096, most_traceback = 16u << 10;
constexpr body_limits most_data{.depth = 32, .size = 64u << 10};
constexpr int most_causes = 8;

/// Never in the middle of a character of UTF-8.
void cut(std::string& text, std::size_t most) {
  if (text.size() <= most) return;
  auto end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  text.resize(end);
  text += "...";
  text.shrink_to_fit();
}

error kept(error why, int causes) {
  cut(why.code, most_code);
  cut(why.message, most_message);
  cut(why.traceback, most_traceback);
  if (!why.data.is_nil() && !pack(why.data, most_data)) why.data = {};
  if (why.cause)
    why.cause = causes > 0 ? std::make_shared<const error>(kept(*why.cause, causes - 1)) : nullptr;
  return why;
}

}  // namespace

error kept_reason(error why) {
  return kept(std::move(why), most_causes);
}

}  // namespace troupe
