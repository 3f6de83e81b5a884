// SPDX-License-Identifier: Apache-2.0
#include "channel/frame.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <memory>
#include <string>

#include "base/id.hpp"
#include "base/unique_fd.hpp"
#include "channel/frame_stream.hpp"
#include "channel/greeting.hpp"
#include "channel/message_frame.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;

std::string header(std::uint32_t n) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(n >> shift & 0xff));
  return out;
}

std::string encoded(const frame& f) {
  return std::string(encode(f, {})->view());
}

frame some_frame() {
  frame f{"send"};
  f.fields.set("on", 7);
  f.fields.set("verb", "say");
  f.fields.set("args", to_field(*pack(value::array{"hello", 1, 2.5})));
  return f;
}

/// All frames that come out of `stream`, fed in pieces of `piece` bytes.
std::vector<frame> cut(const std::string& stream, std::size_t piece, std::size_t largest = 1000) {
  std::vector<frame> out;
  frame_reader reader(largest);
  for (std::size_t at = 0; at < stream.size(); at += piece) {
    reader.feed(std::string_view(stream).substr(at, piece));
    while (true) {
      auto payload = reader.next();
      if (!payload || !*payload) break;
      if (auto f = decode(**payload, {})) out.push_back(*f);
    }
  }
  return out;
}

TEST(frames, come_back_as_they_were_sent_in_pieces_of_any_size) {
  std::string stream;
  for (int i = 0; i < 5; ++i)
    stream += encoded(some_frame());
  for (std::size_t piece : {1, 2, 3, 5, 17, 1000}) {
    const auto frames = cut(stream, piece);
    ASSERT_EQ(frames.size(), 5u) << "in pieces of " << piece;
    for (const auto& f : frames) {
      EXPECT_EQ(f.name, "send");
      EXPECT_EQ(f.fields, some_frame().fields);
    }
  }
}

TEST(frames, a_length_of_zero_is_refused) {
  frame_reader reader(1000);
  reader.feed(header(0));
  auto next = reader.next();
  ASSERT_FALSE(next);
  EXPECT_EQ(next.error().message, "a frame has no bytes");
}

TEST(frames, a_length_above_the_limit_is_refused_before_anything_is_kept_for_it) {
  for (std::uint32_t n : {1001u, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
    frame_reader reader(1000);
    reader.feed(header(n));
    auto next = reader.next();
    ASSERT_FALSE(next) << n;
    EXPECT_TRUE(next.error().is(errc::bad_body));
    EXPECT_EQ(next.error().message,
              "a frame of " + std::to_string(n) + " bytes is above the limit of 1000");
    EXPECT_LE(reader.missing(), 1000 + frame_header) << "would read as much as was promised";
  }
}

TEST(frames, the_largest_length_is_allowed) {
  frame_reader reader(1000);
  reader.feed(header(1000) + std::string(1000, 'x'));
  auto next = reader.next();
  ASSERT_TRUE(next);
  ASSERT_TRUE(*next);
  EXPECT_EQ((*next)->size(), 1000u);
  EXPECT_FALSE(reader.is_partial());
}

TEST(frames, a_cut_off_frame_is_partial_and_says_what_is_missing) {
  const auto whole = encoded(some_frame());
  frame_reader reader(1000);
  reader.feed(std::string_view(whole).substr(0, 2));
  EXPECT_TRUE(reader.is_partial());
  EXPECT_EQ(reader.missing(), 2u);
  reader.feed(std::string_view(whole).substr(2, whole.size() - 3));
  auto next = reader.next();
  ASSERT_TRUE(next);
  EXPECT_FALSE(*next);
  EXPECT_EQ(reader.missing(), 1u);
}

TEST(frames, garbage_is_refused_and_never_read_beyond) {
  random_source random(1);
  int accepted = 0;
  for (int i = 0; i < 20'000; ++i) {
    // On the heap and of exactly this size, so that a sanitizer sees a byte too far.
    const auto n = random.below(48);
    const auto payload = std::make_unique<char[]>(n + 1);
    for (std::size_t k = 0; k < n; ++k)
      payload[k] = static_cast<char>(random.next());
    if (decode({payload.get(), n}, {})) ++accepted;
  }
  EXPECT_EQ(accepted, 0);
}

TEST(frames, a_frame_with_any_byte_changed_is_read_or_refused_but_never_harms) {
  const auto whole = encoded(some_frame()).substr(frame_header);
  for (std::size_t at = 0; at < whole.size(); ++at) {
    for (int x = 0; x < 256; ++x) {
      auto changed = std::make_unique<char[]>(whole.size());
      std::copy(whole.begin(), whole.end(), changed.get());
      changed[at] = static_cast<char>(x);
      auto f = decode({changed.get(), whole.size()}, {});
      if (f) static_cast<void>(message_from(*f, instant()));
    }
  }
}

TEST(frames, are_a_list_of_a_name_and_a_map) {
  for (const value& wrong :
       {value(), value(1), value("send"), value(value::array{}), value(value::array{"send"}),
        value(value::array{"send", 1}), value(value::array{1, value::map{}}),
        value(value::array{"send", value::map{}, 1}),
        value(value::array{"send", value::array{1}})}) {
    auto f = decode(pack(wrong)->view(), {});
    ASSERT_FALSE(f);
    EXPECT_TRUE(f.error().is(errc::bad_body));
  }
}

TEST(frames, nested_a_million_times_are_refused) {
  const std::string deep(1'000'000, '\x91');
  auto f = decode(deep, {});
  ASSERT_FALSE(f);
  EXPECT_TRUE(f.error().is(errc::too_big));
}

TEST(frames, fields_say_which_of_them_is_wrong) {
  frame f{"call"};
  f.fields.set("id", "seven");
  field_reader fields(f);
  fields.id("id");
  fields.to();
  auto read = fields.finish();
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message, "call: id: expected an integer from 1 to 2^62 - 1, got string");
}

TEST(frames, ids_of_the_node_and_zero_are_not_a_workers_to_use) {
  for (const value& id : {value(0), value(-1), value(std::int64_t{1} << 62), value(1.5), value()}) {
    frame f{"call"};
    f.fields.set("id", id);
    field_reader fields(f);
    fields.id("id");
    EXPECT_FALSE(fields.finish());
  }
}

TEST(frames, a_writer_keeps_what_a_socket_does_not_take) {
  std::array<int, 2> ends;
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  unique_fd mine(ends[0]), other(ends[1]);
  frame_writer out;
  const std::string big(3u << 20, 'x');
  out.put(bytes(header(static_cast<std::uint32_t>(big.size())) + big));
  ASSERT_EQ(out.write_to(mine.get()), io_state::blocked);
  EXPECT_GT(out.size(), 0u);

  frame_reader in(8u << 20);
  bool whole = false;
  while (!whole) {
    ASSERT_EQ(in.read_from(other.get(), 64u << 10), io_state::more);
    out.write_to(mine.get());
    auto next = in.next();
    ASSERT_TRUE(next);
    whole = next->has_value() && **next == big;
  }
  EXPECT_TRUE(out.empty());
  other.reset();
  out.put(bytes(std::string_view("x")));
  EXPECT_EQ(out.write_to(mine.get()), io_state::closed);
}

TEST(frames, a_message_crosses_with_all_that_its_receiver_may_know) {
  envelope e;
  e.kind = kind::call;
  e.cause = 0xfedc'0000'0001u;
  e.from.node = {1, 2};
  e.from.incarnation = 3;
  e.from.agent = 4;
  e.verb = "say";
  e.body = *pack(value::array{"hello"});
  e.credit = 3;
  e.deadline = instant(100s);
  e.trace = {.trace = {0x0123456789abcdef, 2}, .span = 0xfedcba9876543210, .sampled = true};
  auto got = message_from(to_frame(e, instant(90s)), instant(5s));
  ASSERT_TRUE(got);
  EXPECT_EQ((*got)->kind, kind::call);
  EXPECT_EQ((*got)->cause, e.cause);
  EXPECT_EQ((*got)->from, e.from);
  EXPECT_EQ((*got)->verb, "say");
  EXPECT_EQ((*got)->body, e.body);
  EXPECT_EQ((*got)->credit, 3u);
  EXPECT_EQ((*got)->deadline, instant(15s)) << "what counts is the time that is left";
  EXPECT_EQ((*got)->trace.trace, e.trace.trace);
  EXPECT_EQ((*got)->trace.span, e.trace.span);
  EXPECT_TRUE((*got)->trace.sampled);
}

TEST(frames, a_greeting_crosses_and_one_of_another_protocol_is_refused) {
  greeting g;
  g.self.agent = 5;
  g.path = "desk/writer";
  auto rights = std::make_shared<authority>();
  rights->grants = *grants::from(value::map{{"net", value::array{"example.org:443"}}});
  rights->path = g.path;
  g.rights = rights;
  g.spec.set("id", "writer");
  g.base_folder = "/srv/app";
  g.limits.body = 1000;
  auto got = greeting_from(to_frame(g));
  ASSERT_TRUE(got) << got.error().describe();
  EXPECT_EQ(got->self, g.self);
  EXPECT_EQ(got->path, g.path);
  EXPECT_TRUE(got->rights->grants.allows("net", "example.org:443"));
  EXPECT_FALSE(got->rights->grants.allows("net", "example.org:80"));
  EXPECT_EQ(got->rights->path, g.path);
  EXPECT_EQ(got->spec, g.spec);
  EXPECT_EQ(got->limits.body, 1000u);

  g.protocol = 2;
  auto refused = greeting_from(to_frame(g));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::abi));
  EXPECT_EQ(refused.error().message, "the node speaks protocol 2 of the channel, this worker 1");
}

}  // namespace
}  // namespace troupe
