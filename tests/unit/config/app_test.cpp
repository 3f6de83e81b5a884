// SPDX-License-Identifier: Apache-2.0
#include "config/app.hpp"

#include <gtest/gtest.h>

#include "base/json.hpp"

namespace troupe {
namespace {

struct fixed_environment final : environment {
  std::optional<std::string> variable(std::string_view name) const override {
    if (name == "KEY") return "secret";
    return std::nullopt;
  }
  result<std::string> file(const std::string& path) const override {
    if (path == "/apps/prompt.txt") return std::string("Be terse.\n");
    return {errc::io, path + ": no such file"};
  }
};

constexpr const char* digest = R"({
  "name": "digest",
  "options": { "docs": "in", "size": 4, "loud": false },
  "models": { "default": { "provider": "openai", "api_key": { "$env": "KEY" } } },
  "tree": { "children": [
    { "id": "readers", "start": "reader.lua", "pool": { "size": { "$option": "size" } } },
    { "id": "desk", "start": { "children": [ { "id": "writer", "start": "w.lua", "options": { "model": "m" } } ] } },
    { "id": "boss", "start": "boss.lua" } ] },
  "main": "boss.run" })";

result<app> read(std::string text, std::vector<setting> settings = {}) {
  return app_from(parse_json(text).value(), "/apps", settings, fixed_environment());
}
std::string replaced(std::string text, std::string_view from, std::string_view to) {
  text.replace(text.find(from), from.size(), to);
  return text;
}
std::string why(const result<app>& a) {
  return a ? "read" : a.error().message;
}

TEST(app_test, reads_an_app_and_replaces_its_references) {
  auto a = read(digest);
  ASSERT_TRUE(a) << why(a);
  EXPECT_EQ(a->tree.children[0].pool->size, 4u);
  EXPECT_EQ(a->models.at("default")["api_key"], value("secret"));
  EXPECT_EQ(a->main->agent, "boss");
  EXPECT_TRUE(a->grants.allows("llm", "default"));
  EXPECT_FALSE(a->grants.allows("net", "example.org:443"));
}

TEST(app_test, puts_settings_on_top_in_the_type_of_what_they_replace) {
  auto a = read(digest, {{"size", "16"}, {"docs", "12"}, {"loud", "true"}});
  ASSERT_TRUE(a) << why(a);
  EXPECT_EQ(a->tree.children[0].pool->size, 16u) << "option(\"size\") sees the setting";
  EXPECT_EQ(a->options["docs"], value("12"));
  EXPECT_EQ(a->options["loud"], value(true));
}

TEST(app_test, reaches_a_child_and_a_model_with_settings) {
  auto a = read(digest, {{"desk/writer.options.model", "big"}, {"models.default.model", "gpt"}});
  ASSERT_TRUE(a) << why(a);
  const auto& desk = std::get<supervisor_spec>(a->tree.children[1].start);
  EXPECT_EQ(desk.children[0].options["model"], value("big"));
  EXPECT_EQ(a->models.at("default")["model"], value("gpt"));
}

TEST(app_test, names_the_nearest_when_a_key_or_setting_is_unknown) {
  EXPECT_THAT(why(read(replaced(digest, "options", "optoins"))), testing::HasSubstr("options"));
  EXPECT_THAT(why(read(digest, {{"siez", "3"}})), testing::HasSubstr("size"));
  EXPECT_THAT(why(read(digest, {{"desk/writter.options.x", "3"}})), testing::HasSubstr("writer"));
  EXPECT_THAT(why(read(digest, {{"size", "many"}})), testing::HasSubstr("whole number"));
}

TEST(app_test, keeps_what_may_be_a_secret_from_an_isolated_child) {
  const auto app = [](const std::string& isolate, const std::string& key) {
    return read(R"({ "name": "x", "options": { "key": { "$env": "KEY" }, "size": 3 }, "tree":
      { "children": [ { "id": "desk", "start": { "children": [ { "id": "scraper", "start":
      "s.lua", "isolate": )" +
                isolate + R"(, "options": { "deep": [ { "key": )" + key + "} ] } } ] } } ] } }");
  };
  for (const char* secret : {R"({ "$env": "KEY" })", R"({ "$file": "prompt.txt" })",
                             R"({ "$env": "NONE", "default": "x" })", R"({ "$option": "key" })"}) {
    EXPECT_THAT(why(app("\"process\"", secret)),
                testing::MatchesRegex("child scraper: options: .* may be a secret, and an isolated "
                                      "agent gets none"));
    EXPECT_TRUE(app("\"none\"", secret)) << secret;
  }
  EXPECT_FALSE(app(R"({ "$env": "NONE", "default": "sandbox" })", R"({ "$env": "KEY" })"));
  EXPECT_TRUE(app("\"process\"", R"({ "$option": "size" })"));
}

TEST(app_test, follows_references_to_where_a_secret_is_kept) {
  const std::string child =
      R"({ "id": "a", "start": "a.lua", "isolate": "process", "options": { "$option": "key" } })";
  const auto app = [&](const std::string& options, const std::string& tree) {
    return read(R"({ "name": "x", "options": { "key": { "k": { "$env": "KEY" } })" + options +
                R"( }, "tree": )" + tree + "}");
  };
  const auto refused = testing::HasSubstr("may be a secret");
  EXPECT_THAT(why(app("", "{ \"children\": [" + child + "] }")), refused);
  const std::string kept =
      replaced(child, R"({ "$option": "key" })", R"({ "k": { "$env": "KEY" } })");
  EXPECT_THAT(why(app(", \"all\": [" + kept + "]", R"({ "children": { "$option": "all" } })")),
              refused);
  EXPECT_THAT(why(app(", \"one\": " + kept, R"({ "children": [ { "$option": "one" } ] })")),
              refused);
  EXPECT_THAT(why(app("", R"({ "children": [ { "id": "d", "start": { "$env": "NONE", "default":
                          { "children": [)" +
                              kept + "] } } } ] }")),
              refused);
}

TEST(app_test, checks_the_budget_of_the_whole_app) {
  const auto with = [](const char* budget) {
    return read(replaced(digest, "\"main\"", std::string("\"budget\": ") + budget + ", \"main\""));
  };
  EXPECT_TRUE(with(R"({ "cost": 20, "warn": 0.8 })"));
  EXPECT_THAT(why(with(R"({ "csot": 20 })")), testing::HasSubstr("budget: unknown key \"csot\""));
  EXPECT_THAT(why(with("20")), testing::HasSubstr("budget: expected a table"));
}

TEST(app_test, takes_folders_of_plugins_from_beside_the_file) {
  auto a = read(
      replaced(digest, "\"main\"", "\"plugins\": [\"build/tally\", \"/opt/clock\"], \"main\""));
  ASSERT_TRUE(a) << why(a);
  EXPECT_THAT(a->plugins, testing::ElementsAre("/apps/build/tally", "/opt/clock"));
  EXPECT_EQ(why(read(replaced(digest, "\"main\"", "\"plugins\": \"tally\", \"main\""))),
            "plugins: expected a list of folders, got string");
  EXPECT_EQ(why(read(replaced(digest, "\"main\"", "\"plugins\": [3], \"main\""))),
            "plugins: expected a folder that holds a plugin.json, got integer");
}

TEST(app_test, refuses_what_can_not_run) {
  EXPECT_THAT(why(read(replaced(digest, "\"boss\"", "\"readers\""))),
              testing::HasSubstr("two children"));
  EXPECT_THAT(why(read(replaced(digest, "boss.run", "bos.run"))),
              testing::HasSubstr("no child bos"));
  EXPECT_THAT(why(read(replaced(digest, "boss.run", "boss"))), testing::HasSubstr("agent.verb"));
  EXPECT_THAT(why(read(replaced(digest, "\"id\": \"readers\"", "\"id\": \"llm\""))),
              testing::HasSubstr("for itself"));
  EXPECT_THAT(why(read(replaced(digest, "$option\": \"size", "$option\": \"sise"))),
              testing::HasSubstr("size"));
  EXPECT_THAT(why(read(replaced(digest, "\"KEY\"", "\"NOKEY\""))), testing::HasSubstr("NOKEY"));
  EXPECT_THAT(why(app_from(value(3), "/", {}, fixed_environment())),
              testing::HasSubstr("returns a table"));
}

TEST(app_test, reads_files_beside_the_app) {
  auto a = read(replaced(digest, "\"in\"", R"({ "$file": "prompt.txt" })"));
  ASSERT_TRUE(a) << why(a);
  EXPECT_EQ(a->options["docs"], value("Be terse."));
}

}  // namespace
}  // namespace troupe
