// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/registry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/tool/fake_plugins.hpp"

namespace troupe {
namespace {

using test::fake_plugins;
using test::object_schema;

class registry_test : public testing::Test {
 protected:
  static address agent(std::uint64_t n) {
    address a;
    a.agent = n;
    return a;
  }
  static value table(std::string_view name) {
    value v;
    v.set("name", name).set("description", "d").set("verb", "draft");
    v.set("params", object_schema());
    return v;
  }
  std::string add(const value& t, std::uint64_t n = 1, const std::string& path = "desk/writer") {
    auto added = registry_.add(t, agent(n), path);
    return added ? "ok" : added.error().message;
  }

  fake_plugins plugins_;
  tool_registry registry_{plugins_};
};

TEST_F(registry_test, keeps_what_agents_register_until_they_end) {
  EXPECT_EQ(add(table("writer.draft")), "ok");
  const auto* t = registry_.find("writer.draft");
  ASSERT_NE(t, nullptr);
  EXPECT_EQ(t->info.origin, "desk/writer");
  EXPECT_EQ(t->verb, "draft");
  EXPECT_EQ(t->agent, agent(1));
  registry_.remove(agent(2));
  EXPECT_NE(registry_.find("writer.draft"), nullptr);
  registry_.remove(agent(1));
  EXPECT_EQ(registry_.find("writer.draft"), nullptr);
}

TEST_F(registry_test, gives_the_tools_of_a_pool_s_members_to_the_pool) {
  for (const char* path : {"desk/readers/1", "desk/readers/2"}) {
    const auto own = std::string(path).substr(13) + ".draft";
    ASSERT_TRUE(registry_.add(table(own), agent(7), path, true)) << path;
    EXPECT_EQ(registry_.find(own), nullptr);
  }
  ASSERT_TRUE(registry_.add(table("readers.other"), agent(7), "desk/readers/2", true));
  const auto* t = registry_.find("readers.draft");
  ASSERT_NE(t, nullptr);
  EXPECT_EQ(t->info.origin, "desk/readers");
  EXPECT_EQ(t->agent, agent(7));
  EXPECT_EQ(registry_.tools().size(), 2u);
  EXPECT_FALSE(registry_.add(table("writer.draft"), agent(7), "desk/readers/2", true));
  registry_.remove(agent(7));
  EXPECT_TRUE(registry_.tools().empty());
}

TEST_F(registry_test, gives_a_name_to_one_path_only) {
  EXPECT_EQ(add(table("writer.draft"), 1), "ok");
  EXPECT_EQ(add(table("writer.draft"), 2, "other/writer"),
            "the tool writer.draft is taken by desk/writer");
  // The same place, restarted; the end of the first one is told later.
  EXPECT_EQ(add(table("writer.draft"), 3), "ok");
  registry_.remove(agent(1));
  ASSERT_NE(registry_.find("writer.draft"), nullptr);
  EXPECT_EQ(registry_.find("writer.draft")->agent, agent(3));
}

TEST_F(registry_test, refuses_what_is_no_tool) {
  auto with = [&](const char* key, value x) {
    auto t = table("writer.draft");
    t.set(key, std::move(x));
    return add(t);
  };
  EXPECT_THAT(add(value()), testing::HasSubstr("needs { name, description, params, verb }"));
  EXPECT_THAT(add(value("x")), testing::HasSubstr("needs {"));
  EXPECT_THAT(with("name", 1), testing::HasSubstr("needs {"));
  EXPECT_THAT(with("verb", value()), testing::HasSubstr("needs {"));
  EXPECT_THAT(with("name", "writer draft"), testing::HasSubstr("1 to 64"));
  EXPECT_THAT(with("name", ""), testing::HasSubstr("1 to 64"));
  EXPECT_THAT(with("name", "writer." + std::string(64, 'x')), testing::HasSubstr("1 to 64"));
  EXPECT_THAT(with("name", "http.get"), testing::HasSubstr("does not begin with the id"));
  EXPECT_THAT(with("name", "writer"), testing::HasSubstr("does not begin with the id"));
  EXPECT_THAT(with("name", "writer."), testing::HasSubstr("does not begin with the id"));
  EXPECT_THAT(with("description", 7), testing::HasSubstr("no text"));
  EXPECT_THAT(with("description", std::string(9000, 'x')), testing::HasSubstr("longer than"));
  EXPECT_THAT(with("params", "x"), testing::HasSubstr("params of writer.draft: "));
  value broken;
  broken.set("type", "no such type");
  EXPECT_THAT(with("params", broken), testing::HasSubstr("params of writer.draft: "));
  value huge = object_schema();
  huge.set("description", std::string(70'000, 'x'));
  EXPECT_THAT(with("params", huge), testing::HasSubstr("bigger than"));
  EXPECT_TRUE(registry_.tools().empty());
  EXPECT_EQ(with("name", "desk.draft"), "ok") << "a place above counts as well";
}

TEST_F(registry_test, bounds_the_tools_of_an_agent) {
  for (std::size_t i = 0; i < tool_registry::max_per_agent; ++i)
    EXPECT_EQ(add(table("writer." + std::to_string(i))), "ok");
  EXPECT_THAT(add(table("writer.more")), testing::HasSubstr("has 256 tools already"));
  EXPECT_EQ(add(table("writer.0")), "ok") << "the same one again is not one more";
  EXPECT_EQ(add(table("reader.more"), 2, "desk/reader"), "ok");
}

TEST_F(registry_test, follows_what_plugins_offer) {
  plugins_.offer({"file.read", "old", object_schema(), "file_tools"});
  EXPECT_TRUE(registry_.refresh().empty());
  ASSERT_NE(registry_.find("file.read"), nullptr);
  plugins_.withdraw_all();
  plugins_.offer({"file.write", "new", object_schema(), "file_tools"});
  EXPECT_TRUE(registry_.refresh().empty());
  EXPECT_EQ(registry_.find("file.read"), nullptr);
  EXPECT_NE(registry_.find("file.write"), nullptr);
}

TEST_F(registry_test, names_plugin_tools_that_can_t_be_offered) {
  registry_.add_builtin({"http.get", "", object_schema(), "troupe"});
  value broken;
  broken.set("type", "no such type");
  plugins_.offer({"http.get", "", object_schema(), "evil"});
  plugins_.offer({"a.b", "", broken, "sloppy"});
  plugins_.offer({"x.y", "", object_schema(), "first"});
  plugins_.offer({"x.y", "", object_schema(), "second"});
  auto problems = registry_.refresh();
  ASSERT_EQ(problems.size(), 3u);
  EXPECT_EQ(problems[0].message, "plugin evil: the tool http.get is taken by troupe");
  EXPECT_EQ(problems[1].message, "plugin sloppy: the schema of a.b is none");
  EXPECT_EQ(problems[2].message, "plugin second: the tool x.y is taken by first");
  EXPECT_EQ(registry_.find("http.get")->origin, tool_origin::builtin);
  EXPECT_EQ(registry_.find("x.y")->info.origin, "first");
}

TEST_F(registry_test, lets_a_plugin_come_before_an_agent) {
  EXPECT_EQ(add(table("writer.draft")), "ok");
  plugins_.offer({"writer.draft", "", object_schema(), "writer"});
  EXPECT_TRUE(registry_.refresh().empty());
  EXPECT_EQ(registry_.find("writer.draft")->origin, tool_origin::plugin);
  registry_.remove(agent(1));
  EXPECT_NE(registry_.find("writer.draft"), nullptr);
  EXPECT_EQ(add(table("writer.draft")), "the tool writer.draft is taken by writer");
}

}  // namespace
}  // namespace troupe
