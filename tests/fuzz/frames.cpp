// SPDX-License-Identifier: Apache-2.0
//
// What a worker, or whoever found its socket, writes into a channel: frames come out the same in
// whatever pieces they arrive, memory grows with what came, and no field is trusted.
#include "channel/frame.hpp"

#include "channel/frame_stream.hpp"
#include "channel/greeting.hpp"
#include "channel/message_frame.hpp"
#include "fuzz/target.hpp"

namespace troupe::test {
namespace {

constexpr frame_limits limits{.body = 1u << 16};

std::vector<std::string> cut(std::string_view stream, std::size_t piece, bool& failed) {
  std::vector<std::string> out;
  frame_reader reader(limits.frame());
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    reader.feed(stream.substr(at, piece));
    for (;;) {
      auto payload = reader.next();
      if (!payload) {
        failed = true;
        return out;
      }
      if (!*payload) break;
      out.emplace_back(**payload);
    }
  }
  return out;
}

void check_frame(std::string_view payload) {
  const auto f = decode(payload, limits);
  if (!f) return;
  const auto again = encode(*f, limits);
  if (again) {
    const auto once_more = decode(again->view().substr(frame_header), limits);
    must(once_more && once_more->name == f->name, "a frame comes back as it was sent");
  }
  if (auto m = message_from(*f, instant{})) {
    const auto back = message_from(to_frame(**m, instant{}), instant{});
    must(back && (*back)->kind == (*m)->kind && (*back)->verb == (*m)->verb &&
             (*back)->body.view() == (*m)->body.view(),
         "a message comes back as it was sent");
  }
  static_cast<void>(greeting_from(*f));
  field_reader fields(*f);
  fields.id("id");
  fields.cause();
  fields.count("credit");
  fields.time("timeout", {});
  fields.flag("last");
  fields.text("verb");
  fields.body("args");
  fields.to();
  fields.why();
  static_cast<void>(fields.finish());
}

void check(std::string_view stream) {
  bool failed = false, failed_in_pieces = false;
  const auto whole = cut(stream, std::max<std::size_t>(stream.size(), 1), failed);
  const auto pieces = cut(stream, 3, failed_in_pieces);
  must(whole == pieces && failed == failed_in_pieces, "frames do not depend on how they arrive");
  for (const auto& payload : whole)
    check_frame(payload);
  check_frame(stream);
}

}  // namespace
}  // namespace troupe::test

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  troupe::test::check(troupe::test::text_of(data, size));
  return 0;
}
