// SPDX-License-Identifier: Apache-2.0
#include "base/msgpack.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "unit/base/random_value.hpp"

namespace troupe {
namespace {

using namespace std::string_literals;

std::string packed(const value& v) {
  auto body = pack(v);
  return body ? std::string(body->view()) : "failed: " + body.error().describe();
}

value nested(std::size_t depth) {
  value v = value::array{};
  for (std::size_t i = 1; i < depth; ++i)
    v = value::array{std::move(v)};
  return v;
}

TEST(msgpack_test, round_trips_random_data) {
  value_maker make(1);
  for (int i = 0; i < 1'000; ++i) {
    const auto v = make.any(4);
    auto body = pack(v);
    ASSERT_TRUE(body) << body.error().describe();
    auto back = unpack(body->view());
    ASSERT_TRUE(back) << back.error().describe();
    ASSERT_EQ(*back, v) << "case " << i;
    ASSERT_EQ(*pack(*back), *body) << "case " << i;
  }
}

TEST(msgpack_test, gives_equal_bytes_for_equal_data_in_any_order) {
  value a, b;
  a.set("zebra", 1).set("ape", value().set("y", 1).set("x", 2)).set(10, 3).set(-1, 4).set("b", 5);
  b.set("b", 5).set(-1, 4).set("ape", value().set("x", 2).set("y", 1)).set(10, 3).set("zebra", 1);
  EXPECT_EQ(packed(a), packed(b));
  EXPECT_EQ(packed(value().set("b", 1).set("a", 2)),
            "\x82\xa1"
            "a\x02\xa1"
            "b\x01");
}

TEST(msgpack_test, keeps_integers_and_whole_floats_apart) {
  EXPECT_EQ(packed(3), "\x03");
  EXPECT_EQ(packed(3.0), "\xcb\x40\x08\0\0\0\0\0\0"s);
  EXPECT_TRUE(unpack(packed(3.0))->is_double());
  EXPECT_TRUE(unpack(packed(0x1p64))->is_double());
}

TEST(msgpack_test, carries_nan_and_infinities) {
  EXPECT_TRUE(std::isnan(unpack(packed(std::nan("")))->as_double()));
  EXPECT_EQ(packed(std::nan("")), packed(-std::nan("1"))) << "one NaN has one form";
  EXPECT_EQ(unpack(packed(-HUGE_VAL))->as_double(), -HUGE_VAL);
}

TEST(msgpack_test, packs_text_that_is_not_utf8_as_binary) {
  EXPECT_EQ(packed("ok"), "\xa2ok");
  EXPECT_EQ(packed("\xff"), "\xc4\x01\xff");
  EXPECT_EQ(packed(value::binary{"ok"}), "\xc4\x02ok");
  EXPECT_EQ(*unpack("\xa1\xff"), value(value::binary{"\xff"})) << "foreign text that is none";
}

TEST(msgpack_test, normalises_keys) {
  value floats, ints;
  floats.set(2.0, "x").set(value::binary{"k"}, "y");
  ints.set(2, "x").set("k", "y");
  EXPECT_EQ(packed(floats), packed(ints));
  EXPECT_EQ(*unpack("\x81\xcb\x40\0\0\0\0\0\0\0\x01"s), value().set(2, 1));
  EXPECT_EQ(*unpack("\x81\xc4\x01k\x01"), value().set("k", 1));
}

TEST(msgpack_test, refuses_keys_that_are_no_keys) {
  for (const value& key : {value(), value(std::nan("")), value(value::array{}), value(value::map{}),
                           value(value::extension{1, std::string(32, 'a')})}) {
    auto body = pack(value::map{{key, 1}});
    ASSERT_FALSE(body) << key.type_name();
    EXPECT_TRUE(body.error().is(errc::bad_body));
  }
  for (auto data :
       {"\x81\xc0\x01"s, "\x81\x90\x01"s, "\x81\x80\x01"s, "\x81\xcb\x7f\xf8\0\0\0\0\0\0\x01"s}) {
    auto back = unpack(data);
    ASSERT_FALSE(back);
    EXPECT_TRUE(back.error().is(errc::bad_body)) << back.error().describe();
  }
}

TEST(msgpack_test, refuses_to_pack_a_key_twice_and_reads_the_last) {
  EXPECT_FALSE(pack(value::map{{1, "a"}, {1.0, "b"}}));
  EXPECT_FALSE(pack(value::map{{"k", 1}, {"j", 1}, {"k", 2}}));
  EXPECT_EQ(*unpack("\x83\x05\x01\x06\x02\x05\x03"), value().set(6, 2).set(5, 3));
}

TEST(msgpack_test, refuses_extensions_other_than_addresses) {
  EXPECT_TRUE(pack(value::extension{1, std::string(32, 'a')}));
  EXPECT_FALSE(pack(value::extension{2, std::string(32, 'a')}));
  EXPECT_FALSE(pack(value::extension{1, std::string(31, 'a')}));
  EXPECT_FALSE(unpack("\xd4\x05x")) << "fixext 1";
  EXPECT_FALSE(unpack("\xc7\x00\x01"s)) << "ext 8 with nothing in it";
}

TEST(msgpack_test, reads_every_form_of_integer) {
  EXPECT_EQ(*unpack("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"),
            value(std::numeric_limits<std::int64_t>::max()));
  EXPECT_EQ(*unpack("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), value(0x1p64)) << "as a float";
  EXPECT_EQ(*unpack("\xd3\x80\0\0\0\0\0\0\0"s), value(std::numeric_limits<std::int64_t>::min()));
  EXPECT_EQ(*unpack("\xd0\x05"), value(5)) << "longer than it had to be";
  EXPECT_EQ(*unpack("\xca\x3f\x80\0\0"s), value(1.0)) << "a float of 32 bits";
}

TEST(msgpack_test, holds_the_limit_on_depth_exactly) {
  auto deepest = pack(nested(100));
  ASSERT_TRUE(deepest);
  EXPECT_TRUE(unpack(deepest->view()));
  auto over = pack(nested(101));
  ASSERT_FALSE(over);
  EXPECT_TRUE(over.error().is(errc::too_big));
  EXPECT_EQ(over.error().message, "body: nested deeper than 100");
  auto back = unpack("\x91" + std::string(deepest->view()));
  ASSERT_FALSE(back);
  EXPECT_TRUE(back.error().is(errc::too_big));
}

TEST(msgpack_test, holds_the_limit_on_size_exactly) {
  const body_limits limits{.depth = 3, .size = 10};
  EXPECT_TRUE(pack(std::string(9, 'x'), limits));
  EXPECT_EQ(pack(std::string(10, 'x'), limits).error().message, "body: above 10 bytes");
  EXPECT_TRUE(unpack(packed(std::string(9, 'x')), limits));
  EXPECT_TRUE(unpack(packed(std::string(10, 'x')), limits).error().is(errc::too_big));
  EXPECT_TRUE(pack(value::array(9), limits));
  EXPECT_FALSE(pack(value::array(10), limits));
  EXPECT_FALSE(pack(value::array(11), limits));
}

TEST(msgpack_test, survives_a_bomb_of_depth) {
  for (const auto& opening : {"\x91"s, "\x81"s, "\xdd\x00\x00\x00\x01"s, "\x81\xa1k"s}) {
    std::string data;
    for (int i = 0; i < 200'000; ++i)
      data += opening;
    EXPECT_FALSE(unpack(data));
  }
}

TEST(msgpack_test, believes_no_length_that_the_data_cant_hold) {
  for (auto data : {"\xdd\xff\xff\xff\xff"s, "\xdf\xff\xff\xff\xff"s, "\xdb\xff\xff\xff\xff"s,
                    "\xc6\xff\xff\xff\xff"s, "\xc9\xff\xff\xff\xff\x01"s, "\xdc\xff\xffxxx"s}) {
    auto back = unpack(data);
    ASSERT_FALSE(back);
    EXPECT_TRUE(back.error().is(errc::bad_body)) << back.error().describe();
  }
  // Nested claims that each fit alone: 90 lists of all that is left.
  std::string data;
  for (int i = 0; i < 90; ++i)
    data += "\xdd\x00\xff\xff\xff"s;
  data += std::string(16u << 20, '\0').substr(data.size());
  EXPECT_TRUE(unpack(data).error().is(errc::bad_body));
}

TEST(msgpack_test, refuses_a_body_cut_at_any_byte_and_any_byte_added) {
  value_maker make(2);
  for (int i = 0; i < 60; ++i) {
    const auto body = packed(make.any(3));
    if (body.size() > 20'000) continue;
    // Every byte of small ones, a sample of large ones.
    const auto step = std::max<std::size_t>(1, body.size() / 500);
    for (std::size_t n = 0; n < body.size(); n += step) {
      auto back = unpack(std::string_view(body).substr(0, n));
      ASSERT_FALSE(back) << "case " << i << ", cut at " << n;
      ASSERT_TRUE(back.error().is(errc::bad_body)) << back.error().describe();
    }
    ASSERT_FALSE(unpack(body + "\x01"));
  }
}

TEST(msgpack_test, reads_noise_as_data_or_refuses_it) {
  value_maker make(3);
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto back = unpack(make.noise());
    if (!back) continue;
    ++read;
    auto again = pack(*back);
    ASSERT_TRUE(again) << again.error().describe();
  }
  EXPECT_GT(read, 100) << "the noise was too noisy to test anything";
}

TEST(body_writer_test, does_nothing_more_after_a_fault_and_is_good_for_the_next_body) {
  body_writer w;
  EXPECT_TRUE(w.begin_map(2));
  EXPECT_FALSE(w.begin_array(1)) << "a list as a key";
  EXPECT_FALSE(w.text("x"));
  EXPECT_TRUE(w.finish().error().is(errc::bad_body));
  EXPECT_TRUE(w.text("next"));
  EXPECT_EQ(w.finish()->view(), "\xa4next");
}

TEST(body_writer_test, sorts_maps_inside_maps) {
  body_writer w;
  w.begin_map(2);
  w.text("z");
  w.begin_map(2);
  w.text("b"), w.begin_array(2), w.nil(), w.boolean(true);
  w.text("a"), w.begin_map(0);
  w.text("y");
  w.number(0.5);
  EXPECT_EQ(w.finish()->view(),
            "\x82\xa1y\xcb\x3f\xe0\0\0\0\0\0\0\xa1z\x82\xa1"
            "a\x80\xa1"
            "b\x92\xc0\xc3"s);
}

TEST(msgpack, an_error_is_packed_as_the_data_it_stands_for) {
  const error bare("custom", "");
  error full(errc::overloaded, "the queue is full");
  full.from = "desk/writer";
  full.data = value::map{{"b", 2}, {"a", value::array{1, nullptr}}};
  full.traceback = "agent.lua:27: in function 'say'";
  full.retry_after = 1.5;
  for (const auto& e : {bare, full, full.wrapped(errc::down, "it ended")})
    EXPECT_EQ(*pack(e), *pack(to_value(e)));
  full.data = value::map{{value(), 1}};
  EXPECT_EQ(pack(full).error().code, "bad_body") << "a key that is no key";
}

}  // namespace
}  // namespace troupe
