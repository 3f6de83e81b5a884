// SPDX-License-Identifier: Apache-2.0
#include "actors/directory/directory.hpp"

#include <gmock/gmock.h>

#include "actors/directory/api.hpp"
#include "agent/answers.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace api = directory_api;

struct directory_test : testing::Test {
  directory_test() { there = *sim.add("directory", std::make_unique<directory>()); }

  /// An agent that asks the directory what it is sent, and keeps the last answer.
  struct one {
    address at;
    result<value> said = value();
  };
  std::shared_ptr<one> member(std::string path, authority_ptr rights = nullptr) {
    auto m = std::make_shared<one>();
    process_init init;
    init.path = std::move(path);
    init.rights = std::move(rights);
    init.actions = std::make_unique<lambda_behaviour>([this, m](context& ctx, envelope& e) {
      if (e.kind == kind::send) ctx.call(no_cause, 1, there, e.verb, std::move(e.body), {});
      if (e.kind == kind::reply) m->said = unpack(e.body.view());
      if (e.kind == kind::error) m->said = unpack_error(e.body);
    });
    m->at = *sim.add(std::move(init));
    return m;
  }
  value ask(const std::shared_ptr<one>& who, std::string_view verb, value::array args) {
    sim.send(who->at, verb, std::move(args));
    return who->said ? *who->said : value(who->said.error().code);
  }
  std::vector<address> members(const char* group) {
    std::vector<address> list;
    const auto said = *sim.call(there, api::members, {group});
    for (const auto& v : said.as_array())
      list.push_back(address_from(v));
    return list;
  }
  authority_ptr granted(const char* kind, const char* glob) {
    value v = value::map{};
    v.set(kind, value::array{glob});
    return std::make_shared<authority>(authority{*grants::from(v), "somebody", {}});
  }

  simulation sim;
  address there;
};

TEST_F(directory_test, lists_members_in_the_order_in_which_they_joined) {
  auto a = member("a"), b = member("b");
  EXPECT_EQ(ask(b, api::join, {"readers"}), value(true));
  EXPECT_EQ(ask(a, api::join, {"readers"}), value(true));
  EXPECT_THAT(members("readers"), ElementsAre(b->at, a->at));
  EXPECT_THAT(members("writers"), IsEmpty());
  value all = value::map{};
  all.set("readers", 2);
  EXPECT_EQ(*sim.call(there, api::groups), all);
}

TEST_F(directory_test, lets_an_agent_join_once_and_leave_once) {
  auto a = member("a");
  ask(a, api::join, {"readers"});
  EXPECT_EQ(ask(a, api::join, {"readers"}), value(false));
  EXPECT_THAT(members("readers"), ElementsAre(a->at));
  EXPECT_EQ(ask(a, api::leave, {"readers"}), value(true));
  EXPECT_EQ(ask(a, api::leave, {"readers"}), value(false));
  EXPECT_THAT(members("readers"), IsEmpty());
}

TEST_F(directory_test, drops_a_member_that_ends_from_all_its_groups) {
  auto a = member("a"), b = member("b");
  for (const char* group : {"one", "two"}) {
    ask(a, api::join, {group});
    ask(b, api::join, {group});
  }
  sim.exit(a->at, errc::kill);
  EXPECT_THAT(members("one"), ElementsAre(b->at));
  EXPECT_THAT(members("two"), ElementsAre(b->at));
  sim.exit(b->at, errc::kill);
  EXPECT_EQ(*sim.call(there, api::groups), value(value::map{}));
}

TEST_F(directory_test, stops_watching_a_member_that_left) {
  auto a = member("a");
  ask(a, api::join, {"readers"});
  ask(a, api::leave, {"readers"});
  EXPECT_EQ((*sim.call(a->at, inspect_verb))["watchers"], value(0));
  ask(a, api::join, {"readers"});
  sim.exit(a->at, errc::kill);
  EXPECT_THAT(members("readers"), IsEmpty());
}

TEST_F(directory_test, checks_who_may_join_and_who_may_ask) {
  auto reader = member("reader", granted("call", "readers"));
  auto writer = member("writer", granted("topics", "readers"));
  EXPECT_EQ(ask(reader, api::join, {"readers"}), value("denied"));
  EXPECT_EQ(ask(writer, api::join, {"readers"}), value(true));
  EXPECT_EQ(ask(writer, api::members, {"readers"}), value("denied"));
  EXPECT_EQ(ask(reader, api::members, {"readers"}), value(value::array{to_value(writer->at)}));
  EXPECT_EQ(ask(writer, api::groups, {}), value(value::map{}));
  EXPECT_EQ(ask(reader, api::groups, {}), value(value::map{{"readers", 1}}));
  EXPECT_EQ(ask(writer, api::leave, {"readers"}), value(true));
}

TEST_F(directory_test, refuses_what_makes_no_sense) {
  auto a = member("a");
  EXPECT_EQ(ask(a, api::join, {}), value("bad_argument"));
  EXPECT_EQ(ask(a, api::join, {""}), value("bad_argument"));
  EXPECT_EQ(ask(a, api::join, {7}), value("bad_argument"));
  EXPECT_EQ(ask(a, api::join, {std::string(201, 'x')}), value("bad_argument"));
  EXPECT_EQ(ask(a, api::join, {"x", "y"}), value("bad_argument"));
  EXPECT_EQ(ask(a, "jion", {"x"}), value("unknown_verb"));
  EXPECT_NE(a->said.error().message.find("did you mean \"join\"?"), std::string::npos);
}

TEST_F(directory_test, bounds_the_groups_of_one_agent) {
  auto a = member("a");
  for (std::size_t i = 0; i < api::most_groups; ++i)
    ASSERT_EQ(ask(a, api::join, {std::to_string(i)}), value(true));
  EXPECT_EQ(ask(a, api::join, {"one more"}), value("limit"));
  EXPECT_EQ(ask(a, api::join, {"0"}), value(false)) << "it is in that one already";
}

TEST_F(directory_test, takes_a_join_that_wants_no_answer) {
  sim.add("a",
          [this](context& ctx, envelope&) {
            ctx.send(no_cause, there, api::join, *pack(value::array{"readers"}));
          })
      .value();
  sim.send("a", "go");
  EXPECT_EQ(members("readers").size(), 1u);
}

TEST_F(directory_test, stops_when_it_is_told_to) {
  sim.exit(there, errc::shutdown);
  EXPECT_FALSE(sim.alive(there));
}

}  // namespace
}  // namespace troupe::test
