// SPDX-License-Identifier: Apache-2.0
#include "agent/authority.hpp"

#include <gtest/gtest.h>

using troupe::errc;
using troupe::glob_matches;
using troupe::grants;
using troupe::value;

namespace {

value list(std::initializer_list<const char*> globs) {
  value v = value::array{};
  for (const char* glob : globs)
    v.push(glob);
  return v;
}

value table(std::initializer_list<std::pair<const char*, value>> members) {
  value v = value::map{};
  for (const auto& [key, member] : members)
    v.set(key, member);
  return v;
}

grants granted(std::initializer_list<std::pair<const char*, value>> members) {
  auto g = grants::from(table(members), "/app");
  EXPECT_TRUE(g) << g.error().describe();
  return g ? *g : grants();
}

std::string refusal(const value& v) {
  auto g = grants::from(v, "/app");
  EXPECT_FALSE(g);
  if (g) return {};
  EXPECT_TRUE(g.error().is(errc::config));
  return g.error().message;
}

TEST(glob, matches_with_stars_and_question_marks) {
  EXPECT_TRUE(glob_matches("file.*", "file.read"));
  EXPECT_TRUE(glob_matches("*", ""));
  EXPECT_TRUE(glob_matches("a*b*c", "axxbyybzzc"));
  EXPECT_TRUE(glob_matches("a?c", "abc"));
  EXPECT_TRUE(glob_matches("", ""));
  EXPECT_FALSE(glob_matches("a?c", "ac"));
  EXPECT_FALSE(glob_matches("file.*", "file"));
  EXPECT_FALSE(glob_matches("a*b", "abc"));
  EXPECT_FALSE(glob_matches("", "a"));
  EXPECT_FALSE(glob_matches("a", "*")) << "a star in the text is only text";
}

TEST(glob, is_not_slowed_down_by_many_stars) {
  const std::string text(20'000, 'a');
  EXPECT_FALSE(glob_matches("*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
}

TEST(grants, allow_what_a_glob_of_the_kind_matches) {
  const auto g = granted({{"tools", list({"file.*", "http.get"})}, {"llm", list({"default"})}});
  EXPECT_TRUE(g.allows("tools", "file.read"));
  EXPECT_TRUE(g.allows("tools", "http.get"));
  EXPECT_FALSE(g.allows("tools", "http.post"));
  EXPECT_FALSE(g.allows("llm", "file.read"));
  EXPECT_FALSE(g.allows("net", "example.org:443"));
  EXPECT_FALSE(g.allows("nonsense", "file.read"));
}

TEST(grants, of_nothing_allow_nothing_and_all_allows_everything) {
  EXPECT_FALSE(grants().allows("tools", "file.read"));
  EXPECT_EQ(grants().spawn_limit(), 0);
  EXPECT_FALSE(granted({}).allows("tools", "file.read"));
  EXPECT_TRUE(grants::all().allows("tools", "file.read"));
  EXPECT_GT(grants::all().spawn_limit(), 1'000'000'000);
}

TEST(grants, of_a_folder_cover_all_below_it_and_nothing_beside_it) {
  const auto g = granted({{"read", list({"data", "/srv/logs/", "/etc/*.conf"})}});
  EXPECT_TRUE(g.allows("read", "/app/data"));
  EXPECT_TRUE(g.allows("read", "/app/data/a/b.txt"));
  EXPECT_TRUE(g.allows("read", "/srv/logs/x"));
  EXPECT_TRUE(g.allows("read", "/etc/host.conf"));
  EXPECT_FALSE(g.allows("read", "/app/database"));
  EXPECT_FALSE(g.allows("read", "/app"));
  EXPECT_FALSE(g.allows("write", "/app/data/a"));
  EXPECT_TRUE(granted({{"read", list({"/"})}}).allows("read", "/etc/passwd"));
}

TEST(grants, refuse_a_path_that_is_not_absolute_and_normal) {
  const auto g = granted({{"read", list({"data"})}});
  EXPECT_FALSE(g.allows("read", "/app/data/../secret"));
  EXPECT_FALSE(g.allows("read", "/app/data//x"));
  EXPECT_FALSE(g.allows("read", "data/x"));
  EXPECT_FALSE(g.allows("read", ""));
}

TEST(grants, take_the_dots_out_of_a_granted_path) {
  const auto g = granted({{"read", list({"../other/./x"})}});
  EXPECT_TRUE(g.allows("read", "/other/x/y"));
  EXPECT_FALSE(g.allows("read", "/app/x"));
}

TEST(grants, compare_hosts_without_case) {
  const auto g = granted({{"net", list({"*.Example.org:443"})}});
  EXPECT_TRUE(g.allows("net", "API.example.ORG:443"));
  EXPECT_FALSE(g.allows("net", "api.example.org:80"));
}

TEST(grants, cover_what_is_narrower_and_name_what_is_missing) {
  const auto outer = granted({{"tools", list({"file.*"})},
                              {"net", list({"*:443"})},
                              {"read", list({"data"})},
                              {"spawn", 3}});
  std::string missing;
  EXPECT_TRUE(outer.covers(granted({{"tools", list({"file.read", "file.l*"})}}), &missing));
  EXPECT_TRUE(outer.covers(granted({{"read", list({"data/in", "data/*.txt"})}, {"spawn", 3}})));
  EXPECT_TRUE(outer.covers(grants()));
  EXPECT_TRUE(outer.covers(outer));

  EXPECT_FALSE(outer.covers(granted({{"net", list({"x:443", "x:80"})}}), &missing));
  EXPECT_EQ(missing, "net x:80");
  EXPECT_FALSE(outer.covers(granted({{"tools", list({"*"})}}), &missing));
  EXPECT_EQ(missing, "tools *");
  EXPECT_FALSE(outer.covers(granted({{"read", list({"data*"})}}), &missing));
  EXPECT_FALSE(outer.covers(granted({{"llm", list({"default"})}}), &missing));
  EXPECT_FALSE(outer.covers(granted({{"spawn", 4}}), &missing));
  EXPECT_EQ(missing, "spawn 4");
  EXPECT_FALSE(outer.covers(grants::all(), &missing));
  EXPECT_EQ(missing, "everything");
  EXPECT_TRUE(grants::all().covers(grants::all()));
}

TEST(grants, cut_to_what_both_allow) {
  const auto a = granted({{"tools", list({"file.*", "http.get"})}, {"spawn", 3}});
  const auto b = granted({{"tools", list({"*.get", "file.read"})}, {"llm", list({"*"})}});
  const auto both = a.cut(b);
  EXPECT_TRUE(both.allows("tools", "file.read"));
  EXPECT_TRUE(both.allows("tools", "http.get"));
  EXPECT_FALSE(both.allows("tools", "file.list"));
  EXPECT_FALSE(both.allows("llm", "default"));
  EXPECT_EQ(both.spawn_limit(), 0);
  EXPECT_TRUE(a.covers(both));
  EXPECT_TRUE(b.covers(both));
  EXPECT_EQ(grants::all().cut(a).to_value(), a.to_value());
  EXPECT_EQ(a.cut(grants::all()).to_value(), a.to_value());
}

TEST(grants, survive_as_plain_data) {
  const auto g = granted({{"tools", list({"file.*"})}, {"read", list({"data"})}, {"spawn", 2}});
  const auto again = grants::from(g.to_value(), "/elsewhere");
  ASSERT_TRUE(again);
  EXPECT_EQ(again->to_value(), g.to_value());
  EXPECT_TRUE(grants::from(grants::all().to_value())->allows("run", "anything"));
}

TEST(grants, refuse_a_table_that_is_wrong_and_name_the_key) {
  EXPECT_EQ(refusal(table({{"tool", list({})}})), "unknown key \"tool\": did you mean \"tools\"?");
  EXPECT_EQ(refusal(table({{"net", "x:443"}})), "net: expected a list of globs, got string");
  EXPECT_EQ(refusal(table({{"net", value(value::array{443})}})),
            "net: expected globs as text, got integer");
  EXPECT_EQ(refusal(table({{"net", list({""})}})), "net: a glob is empty");
  EXPECT_EQ(refusal(table({{"spawn", -1}})),
            "spawn: expected a whole number of at least 0, got integer");
  EXPECT_EQ(refusal(7), "grants: expected a table, got integer");
  EXPECT_EQ(refusal("everything"), "grants: expected a table, got string");
}

TEST(grants, refuse_a_condition_that_nobody_enforces) {
  value tools = value::map{};
  tools.set(1, "file.read");
  EXPECT_TRUE(granted({{"tools", tools}}).allows("tools", "file.read"));
  tools.set("file.write", table({{"approve", "ops"}}));
  EXPECT_EQ(refusal(table({{"tools", tools}})),
            "tools: conditions on a grant (\"file.write\") can't be enforced by this version");
}

TEST(grants, take_an_empty_table_of_a_script_for_nothing) {
  EXPECT_TRUE(grants::from(value::array{}));
}

}  // namespace
