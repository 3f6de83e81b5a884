// SPDX-License-Identifier: Apache-2.0
#include "script/body.hpp"

#include <gtest/gtest.h>

#include <string>

#include "base/id.hpp"
#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "support/values_page.hpp"

namespace troupe::script {
namespace {

class body_test : public testing::Test {
 protected:
  body_test() {
    l = luaL_newstate();
    luaL_openlibs(l);
    open_null(l);
    lua_register(l, "as_map", [](lua_State* s) {
      mark_as_map(s, 1);
      return 1;
    });
    lua_register(l, "as_list", [](lua_State* s) {
      mark_as_list(s, 1);
      return 1;
    });
    push_null(l);
    lua_setglobal(l, "null");
    // As the page of values writes them, and what it means by `same`.
    EXPECT_EQ(luaL_dostring(l, R"(
      json = { null = null, object = as_map }
      function same(a, b)
        if type(a) ~= "table" or type(b) ~= "table" then
          return math.type(a) == math.type(b) and (a == b and (a ~= 0 or 1 / a == 1 / b) or a ~= a and b ~= b)
        end
        for k, v in pairs(a) do if not same(v, b[k]) then return false end end
        for k in pairs(b) do if a[k] == nil then return false end end
        return next(a) ~= nil or getmetatable(a) == getmetatable(b)
      end)"),
              LUA_OK);
  }
  ~body_test() override { lua_close(l); }

  /// Pushes what a Lua expression yields.
  void push(const std::string& expression) {
    ASSERT_EQ(luaL_dostring(l, ("return " + expression).c_str()), LUA_OK) << lua_tostring(l, -1);
  }
  result<value> packed(const std::string& expression) {
    lua_settop(l, 0);
    push(expression);
    return codec.to_value(l, -1);
  }
  std::string refusal(const std::string& expression) {
    auto v = packed(expression);
    return v ? "accepted" : v.error().describe();
  }
  /// What Lua says to an expression over `x`, which is unpacked from `v`.
  std::string unpacked(const value& v, const std::string& expression) {
    lua_settop(l, 0);
    auto body = pack(v);
    if (!body) return body.error().describe();
    if (!codec.unpack(l, body->view())) return codec.why().describe();
    lua_setglobal(l, "x");
    if (luaL_dostring(l, ("return tostring(" + expression + ")").c_str()) != LUA_OK)
      return lua_tostring(l, -1);
    return lua_tostring(l, -1);
  }

  lua_State* l;
  body_codec codec;
};

TEST_F(body_test, packs_scalars_as_what_they_are) {
  EXPECT_EQ(*packed("nil"), value());
  EXPECT_EQ(*packed("true"), value(true));
  EXPECT_EQ(*packed("3"), value(3));
  EXPECT_EQ(*packed("3.0"), value(3.0));
  EXPECT_EQ(*packed("math.mininteger"), value(std::int64_t{INT64_MIN}));
  EXPECT_EQ(*packed("'schön'"), value("schön"));
  EXPECT_EQ(*packed("'\\xff\\0'"), value(value::binary{std::string("\xff\0", 2)}));
}

TEST_F(body_test, tells_lists_from_maps_by_their_keys) {
  EXPECT_EQ(*packed("{}"), value(value::array{}));
  EXPECT_EQ(*packed("as_map{}"), value(value::map{}));
  EXPECT_EQ(*packed("{1, 2}"), value(value::array{1, 2}));
  EXPECT_EQ(*packed("{[2] = 2, [1] = 1}"), value(value::array{1, 2}));
  EXPECT_EQ(*packed("{a = 1}"), value(value::map{{"a", 1}}));
  EXPECT_EQ(*packed("{1, a = 2}"), value(value::map{{1, 1}, {"a", 2}}));
  EXPECT_EQ(*packed("{1, nil, 3}"), value(value::map{{1, 1}, {3, 3}}));
  EXPECT_EQ(*packed("{[0] = 0, 1}"), value(value::map{{0, 0}, {1, 1}}));
  EXPECT_EQ(*packed("as_list{1, nil, 3}"), value(value::array{1, nullptr, 3}));
  EXPECT_EQ(*packed("{1, null, 3}"), value(value::array{1, nullptr, 3}));
}

TEST_F(body_test, packs_the_same_data_into_the_same_bytes) {
  push("{b = 1, a = 2, [10] = 3}");
  push("{[10] = 3, a = 2, b = 1}");
  EXPECT_EQ(*codec.pack(l, -1), *codec.pack(l, -2));
  EXPECT_EQ(*codec.pack(l, -1), *pack(value::map{{"b", 1}, {10, 3}, {"a", 2}}));
}

TEST_F(body_test, names_what_can_not_be_sent_and_where_it_stands) {
  EXPECT_EQ(refusal("print"), "bad_body: body: a function is no plain data");
  EXPECT_EQ(refusal("{x = {1, {on_text = print}}}"),
            "bad_body: body: a function is no plain data (at .x[2].on_text)");
  EXPECT_EQ(refusal("coroutine.create(print)"), "bad_body: body: a coroutine is no plain data");
  EXPECT_EQ(refusal("io.stdout"), "bad_body: body: a userdata is no plain data");
  lua_settop(l, 0);
  push("1");
  push("{f = print}");
  EXPECT_EQ(codec.pack_list(l, 1, 2).error().message,
            "body: a function is no plain data (at argument 2.f)");
}

TEST_F(body_test, refuses_cycles_depth_and_size) {
  ASSERT_EQ(luaL_dostring(l, "c = {} c[1] = c"), LUA_OK);
  EXPECT_EQ(packed("c").error().code, "too_big");
  ASSERT_EQ(luaL_dostring(l, "d = 1 for i = 1, 100 do d = {d} end"), LUA_OK);
  EXPECT_TRUE(packed("d"));
  EXPECT_EQ(packed("{d}").error().code, "too_big");
  EXPECT_EQ(packed("('x'):rep(17 << 20)").error().code, "too_big");
  EXPECT_EQ(*packed("1"), value(1)) << "a refusal must not leave anything behind";
}

TEST_F(body_test, leaves_the_stack_as_it_was) {
  push("{a = {1, 2, {b = print}}}");
  const int top = lua_gettop(l);
  EXPECT_FALSE(codec.pack(l, -1));
  EXPECT_EQ(lua_gettop(l), top);
  EXPECT_FALSE(codec.unpack(l, "\x93\x01\x81\xa1k"));
  EXPECT_EQ(lua_gettop(l), top);
}

TEST_F(body_test, unpacks_every_kind_of_value) {
  EXPECT_EQ(unpacked(true, "x"), "true");
  EXPECT_EQ(unpacked(-5, "math.type(x) .. x"), "integer-5");
  EXPECT_EQ(unpacked(5.0, "math.type(x)"), "float");
  EXPECT_EQ(unpacked("a", "x"), "a");
  EXPECT_EQ(unpacked(value::binary{std::string("\0\xff", 2)}, "#x"), "2");
  EXPECT_EQ(unpacked(value::array{1, value::array{2, 3}}, "x[1] .. #x .. x[2][2]"), "123");
  EXPECT_EQ(unpacked(value::map{{"a", value::map{{1, "b"}}}}, "x.a[1]"), "b");
  EXPECT_EQ(unpacked(value::map{{2.5, 1}, {true, 2}}, "x[2.5] .. x[true]"), "12");
  EXPECT_EQ(unpacked(value::map{{"a", nullptr}}, "x.a == null"), "true");
  EXPECT_EQ(unpacked(value::array{1, nullptr, 3}, "#x .. tostring(x[2])"), "3null");
}

TEST_F(body_test, keeps_an_empty_map_a_map_on_its_way_through_a_script) {
  ASSERT_TRUE(codec.unpack(l, pack(value::map{})->view()));
  EXPECT_EQ(*codec.to_value(l, -1), value(value::map{}));
  ASSERT_TRUE(codec.unpack(l, pack(value::array{})->view()));
  EXPECT_EQ(*codec.to_value(l, -1), value(value::array{}));
}

TEST_F(body_test, spreads_a_list_over_the_stack) {
  EXPECT_EQ(codec.unpack_list(l, pack(value::array{1, nullptr, value::array{2}})->view()), 3);
  EXPECT_EQ(lua_gettop(l), 3);
  EXPECT_TRUE(lua_isnil(l, 2));
  EXPECT_TRUE(lua_istable(l, 3));
  EXPECT_EQ(codec.unpack_list(l, pack(value::array{})->view()), 0);
  EXPECT_EQ(codec.unpack_list(l, pack("no list")->view()), -1);
  EXPECT_EQ(codec.unpack_list(l, pack(value::map{{"a", 1}})->view()), -1);
  EXPECT_EQ(lua_gettop(l), 3);
}

TEST_F(body_test, refuses_bytes_that_are_no_body) {
  using namespace std::string_literals;
  for (const auto& data : {""s, "\xc1"s, "\x92\x01"s, "\x01\x02"s, "\xd9\x05hi"s, "\x81\xc0\x01"s,
                           "\x81\x90\x01"s, "\xdd\xff\xff\xff\xff"s, "\xd4\x05x"s, "\xd4\x01x"s}) {
    EXPECT_FALSE(codec.unpack(l, data)) << testing::PrintToString(data);
    EXPECT_EQ(codec.why().code, "bad_body");
  }
  EXPECT_FALSE(codec.unpack(l, std::string(101, '\x91') + "\x01"));
  EXPECT_EQ(codec.why().code, "too_big");
}

TEST_F(body_test, knows_an_address_again) {
  address a;
  a.node = {1, 2};
  a.incarnation = 3;
  a.agent = 0xaabbccdd;
  EXPECT_EQ(unpacked(value::array{to_value(a), to_value(a)},
                     "x[1] == x[2] and ({[x[1]] = 'mine'})[x[2]] .. tostring(x[1])"),
            "mine" + a.to_string());
  push("x[1]");
  ASSERT_NE(to_address(l, -1), nullptr);
  EXPECT_EQ(*to_address(l, -1), a);
  EXPECT_EQ(*codec.to_value(l, -1), to_value(a));
}

TEST_F(body_test, lets_no_script_make_an_address) {
  address a;
  a.agent = 1;
  EXPECT_EQ(unpacked(to_value(a), "getmetatable(x)"), "false");
  push("io.stdout");
  EXPECT_EQ(to_address(l, -1), nullptr);
  push("null");
  EXPECT_EQ(to_address(l, -1), nullptr);
}

TEST_F(body_test, packs_scalars_alike_on_the_short_way) {
  value::array all = {nullptr,
                      true,
                      false,
                      0.5,
                      -0.0,
                      1e300,
                      "",
                      "text",
                      std::string(31, 'a'),
                      std::string(32, 'a'),
                      std::string(200, 'a'),
                      std::string(255, 'a'),
                      "schön",
                      value::binary{"\xff"}};
  for (int bits = 0; bits < 63; ++bits)
    for (int near = -1; near <= 1; ++near)
      for (int sign : {1, -1})
        all.emplace_back(sign * ((std::int64_t{1} << bits) + near));
  all.emplace_back(std::int64_t{INT64_MIN});
  all.emplace_back(std::int64_t{INT64_MAX});
  for (const auto& v : all) {
    lua_settop(l, 0);
    const auto body = *pack(v);
    ASSERT_TRUE(codec.unpack(l, body.view()));
    EXPECT_EQ(*codec.pack(l, 1), body) << v.type_name();
    const auto list = *pack(value::array{v, v});
    ASSERT_EQ(codec.unpack_list(l, list.view()), 2);
    EXPECT_EQ(*codec.pack_list(l, 2, 3), list);
    for (std::size_t cut = 1; cut < list.size(); ++cut)
      EXPECT_EQ(codec.unpack_list(l, list.view().substr(0, cut)), -1);
  }
  EXPECT_EQ(*codec.pack_list(l, 1, 0), *pack(value::array{}));
}

constexpr auto page = TROUPE_VALUES_PAGE;

std::string hex(const result<bytes>& body) {
  return body ? to_hex(body->view()) : body.error().describe();
}

TEST_F(body_test, treats_every_value_as_the_page_says) {
  const auto rows = values_table(page, "There and back");
  ASSERT_GT(rows.size(), 30u);
  for (const auto& row : rows) {
    lua_settop(l, 0);
    push(row[0]);
    const auto body = from_hex(row[1]);
    EXPECT_EQ(hex(codec.pack(l, 1)), to_hex(body)) << row[0];
    lua_getglobal(l, "same");
    ASSERT_TRUE(codec.unpack(l, body)) << row[0];
    push(row[2] == "same" ? row[0] : row[2]);
    lua_call(l, 2, 1);
    EXPECT_TRUE(lua_toboolean(l, -1)) << row[0];
  }
}

TEST_F(body_test, reads_other_forms_as_the_page_says) {
  for (const auto& row : values_table(page, "Also read")) {
    lua_settop(l, 0);
    lua_getglobal(l, "same");
    ASSERT_TRUE(codec.unpack(l, from_hex(row[0]))) << row[0];
    EXPECT_EQ(hex(codec.pack(l, -1)), to_hex(from_hex(row[2]))) << row[0];
    push(row[1]);
    lua_call(l, 2, 1);
    EXPECT_TRUE(lua_toboolean(l, -1)) << row[0];
  }
}

TEST_F(body_test, refuses_bodies_in_the_words_of_the_page) {
  const auto rows = values_table(page, "Refused");
  ASSERT_GT(rows.size(), 8u);
  for (const auto& row : rows) {
    EXPECT_FALSE(codec.unpack(l, from_hex(row[0]))) << row[0];
    EXPECT_EQ(codec.why().describe(), row[1]) << row[0];
  }
}

/// Lua memory that unpacking really took.
std::size_t taken(lua_State* l, body_codec& codec, const bytes& body) {
  lua_gc(l, LUA_GCCOLLECT);
  lua_gc(l, LUA_GCSTOP);
  const auto before = lua_gc(l, LUA_GCCOUNT) * 1024 + lua_gc(l, LUA_GCCOUNTB);
  EXPECT_TRUE(codec.unpack(l, body.view()));
  return static_cast<std::size_t>(lua_gc(l, LUA_GCCOUNT) * 1024 + lua_gc(l, LUA_GCCOUNTB) - before);
}

TEST_F(body_test, foresees_the_memory_that_a_body_takes) {
  value::array addresses, nested, numbers, texts;
  value::map members;
  for (int i = 0; i < 3000; ++i) {
    address a;
    a.agent = static_cast<std::uint64_t>(i + 1);
    addresses.push_back(to_value(a));
    nested.push_back(value::array{});
    numbers.push_back(i);
    texts.push_back("text " + std::to_string(i));
    members.emplace_back(i, value::map{{"k", i}});
  }
  for (const value& v : {value(addresses), value(nested), value(numbers), value(texts),
                         value(members), value(std::string(1 << 20, 'x'))}) {
    const auto body = *pack(v);
    const auto room = codec.room_for(body.view());
    const auto real = taken(l, codec, body);
    EXPECT_LE(real, room) << v.type_name();
    EXPECT_LE(room, body_codec::most_room_for(body.size()));
    EXPECT_LE(room, real * 5 / 2 + 4096) << "far too careful";
  }
}

}  // namespace
}  // namespace troupe::script
