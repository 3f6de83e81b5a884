// SPDX-License-Identifier: Apache-2.0
#include "script/app_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace troupe::script {
namespace {

class app_file_test : public testing::Test {
 protected:
  app_file_test() {
    char name[] = "/tmp/troupe-app-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~app_file_test() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
  }
  result<app_file> run(const std::string& text) {
    write("app.lua", text);
    return run_app_file("app.lua", folder_,
                        {.env_is_set = [](std::string_view name) { return name == "SET"; },
                         .arguments = {"access.log"},
                         .working_folder = "/home/me"});
  }
  std::string refusal(const std::string& text) {
    auto done = run(text);
    return done ? "accepted" : done.error().describe();
  }

  std::filesystem::path folder_;
};

TEST_F(app_file_test, returns_plain_data) {
  auto done = run("return { name = 'x', size = 2 + 2, list = { 1, 2 } }");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_FALSE(done->is_agent);
  EXPECT_EQ(done->content,
            value(value::map{{"name", "x"}, {"size", 4}, {"list", value::array{1, 2}}}));
  EXPECT_EQ(done->files, std::vector<std::string>{"app.lua"});
}

TEST_F(app_file_test, keeps_references_as_references) {
  auto done = run(R"(return {
    key = env("KEY"), model = env("MODEL", "small"), text = file("x.txt"), size = option("size"),
    printed = { f = env_is_set("SET") and "yes" or "no", g = env_is_set("NOT") and "yes" or "no" } })");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(done->content["key"], value(value::map{{"$env", "KEY"}}));
  EXPECT_EQ(done->content["model"], value(value::map{{"$env", "MODEL"}, {"default", "small"}}));
  EXPECT_EQ(done->content["text"], value(value::map{{"$file", "x.txt"}}));
  EXPECT_EQ(done->content["size"], value(value::map{{"$option", "size"}}));
  EXPECT_EQ(done->content["printed"], value(value::map{{"f", "yes"}, {"g", "no"}}));
}

TEST_F(app_file_test, knows_the_command_lines_arguments_and_where_it_was_typed) {
  const auto read =
      run("return { log = arg(1) and cwd(arg(1)), none = arg(2) == nil, root = cwd('/x') }");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->content["log"], value("/home/me/access.log"));
  EXPECT_EQ(read->content["none"], value(true));
  EXPECT_EQ(read->content["root"], value("/x"));
}

TEST_F(app_file_test, tells_an_agent_file_from_an_app) {
  auto done = run("local troupe = require('troupe') return troupe.agent {}");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_TRUE(done->is_agent);
}

TEST_F(app_file_test, includes_files_of_its_folder) {
  write("models.lua", "return { default = env('M') }");
  auto done = run("return { models = include('models.lua'), again = include('models.lua') }");
  ASSERT_TRUE(done) << done.error().describe();
  EXPECT_EQ(done->content["again"]["default"], value(value::map{{"$env", "M"}}));
  EXPECT_EQ(done->files, (std::vector<std::string>{"app.lua", "models.lua"}));
  write("a.lua", "return include('b.lua')");
  write("b.lua", "return include('a.lua')");
  EXPECT_THAT(refusal("return include('a.lua')"),
              testing::HasSubstr("app.lua includes a.lua includes b.lua includes a.lua"));
  EXPECT_THAT(refusal("return include('../x.lua')"),
              testing::HasSubstr("outside the app's folder"));
  EXPECT_THAT(refusal("return include('/etc/passwd')"),
              testing::HasSubstr("outside the app's folder"));
  EXPECT_THAT(refusal("return include('missing.lua')"),
              testing::HasSubstr("missing.lua: No such file"));
  write("broken.lua", "x = = 1");
  EXPECT_THAT(refusal("return include('broken.lua')"), testing::HasSubstr("broken.lua:1:"));
}

TEST_F(app_file_test, names_what_is_wrong) {
  EXPECT_THAT(refusal("return {\n  a = = 1 }"),
              testing::StartsWith("syntax: app.lua:2: unexpected symbol"));
  EXPECT_THAT(refusal("local x = nil\nreturn x.y"),
              testing::StartsWith("config: app.lua:2: attempt to index"));
  EXPECT_EQ(refusal("return 5"), "config: app.lua returned a number instead of an app");
  EXPECT_EQ(refusal("local x = 1"), "config: app.lua returned nothing instead of an app");
  EXPECT_EQ(refusal("return { tree = { f = function() end } }"),
            "config: app.lua: body: a function is no plain data (at .tree.f)");
  EXPECT_EQ(refusal("while true do end").substr(0, 40), "limit: app.lua: running it takes too lon");
  EXPECT_THAT(refusal("local t = {} for i = 1, 1e9 do t[i] = { i } end"),
              testing::StartsWith("limit"));
  EXPECT_EQ(run_app_file("none.lua", folder_, {}).error().describe(),
            "not_found: none.lua: No such file or directory");
}

TEST_F(app_file_test, gives_no_libraries) {
  for (const auto* name : {"string", "table", "math", "os", "io", "print", "load", "pcall", "error",
                           "pairs", "setmetatable", "coroutine", "_G", "tostring", "rawset"})
    EXPECT_EQ(refusal("return { x = " + std::string(name) + " == nil and 1 or print }"), "accepted")
        << name;
  EXPECT_THAT(refusal("return ('x'):rep(10)"),
              testing::StartsWith("config: app.lua:1: attempt to index"));
}

}  // namespace
}  // namespace troupe::script
