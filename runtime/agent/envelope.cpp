// SPDX-License-Identifier: Apache-2.0
#include "agent/envelope.hpp"

#include "base/msgpack.hpp"

namespace troupe {

std::string_view to_string(kind k) {
  constexpr std::string_view names[] = {
      "send", "call", "part",  "credit", "cancel",  "reply",     "error", "start",  "stop",
      "down", "exit", "timer", "event",  "monitor", "demonitor", "link",  "unlink", "exit_signal"};
  return names[static_cast<std::size_t>(k)];
}

bytes pack_error(const error& e) {
  auto packed = pack(e);
  if (packed) return std::move(*packed);
  // Its data can't travel; everything else can.
  error bare = e;
  bare.data = nullptr;
  bare.cause = nullptr;
  bare.traceback.resize(std::min<std::size_t>(bare.traceback.size(), 64u << 10));
  bare.message.resize(std::min<std::size_t>(bare.message.size(), 64u << 10));
  packed = pack(bare);
  return packed ? std::move(*packed) : bytes();
}

error unpack_error(const bytes& body) {
  auto v = unpack(body.view());
  return v ? error_from(*v) : error(errc::internal, "an error that can't be read");
}

error body_too_big(std::size_t size, std::size_t limit) {
  return {errc::too_big, "a body of " + std::to_string(size) + " bytes is above the limit of " +
                             std::to_string(limit)};
}

}  // namespace troupe
