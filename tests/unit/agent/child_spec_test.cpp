// SPDX-License-Identifier: Apache-2.0
#include "agent/child_spec.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace troupe;  // NOLINT: a test of one header
using namespace std::chrono_literals;

namespace {

value table(std::initializer_list<std::pair<const char*, value>> members) {
  value v = value::map{};
  for (const auto& [key, member] : members)
    v.set(key, member);
  return v;
}

value list(std::initializer_list<value> elements) {
  return value::array(elements);
}

child_spec read(const value& v) {
  auto spec = child_spec::from(v, "/app");
  EXPECT_TRUE(spec) << spec.error().describe();
  return spec ? *spec : child_spec();
}

/// With id "x" and a script, and `key` as given.
value with(const char* key, value member) {
  value v = table({{"id", "x"}, {"start", "x.lua"}});
  v.set(key, std::move(member));
  return v;
}

std::string refusal(const value& v, errc code = errc::config) {
  auto spec = child_spec::from(v, "/app");
  EXPECT_FALSE(spec);
  if (spec) return {};
  EXPECT_TRUE(spec.error().is(code)) << spec.error().describe();
  return spec.error().message;
}

TEST(child_spec, has_the_defaults_of_otp) {
  const auto spec = read(table({{"id", "writer"}, {"start", "writer.lua"}}));
  EXPECT_EQ(spec.id, "writer");
  EXPECT_EQ(std::get<start_script>(spec.start).file, "writer.lua");
  EXPECT_EQ(spec.restart, restart_type::permanent);
  EXPECT_EQ(spec.shutdown, 5s);
  EXPECT_EQ(spec.start_timeout, 30s);
  EXPECT_EQ(spec.isolate, isolation::none);
  EXPECT_FALSE(spec.pool);
  EXPECT_FALSE(spec.grants);
  EXPECT_EQ(spec.base_folder, "/app");
}

TEST(child_spec, of_a_supervisor_waits_for_it_without_limit) {
  const auto spec = read(table({{"id", "desk"}, {"start", table({{"children", list({})}})}}));
  EXPECT_EQ(spec.shutdown, duration::max());
  EXPECT_EQ(spec.start_timeout, duration::max());
}

TEST(child_spec, reads_each_kind_of_start) {
  const auto plugin = read(with("start", table({{"plugin", "clock"}, {"kind", "ticker"}})));
  EXPECT_EQ(std::get<start_plugin>(plugin.start).plugin, "clock");
  EXPECT_EQ(std::get<start_plugin>(plugin.start).kind, "ticker");

  auto program = with("start", table({{"run", list({"python3", "x.py"})}}));
  program.set("isolate", "sandbox");
  EXPECT_EQ(std::get<start_program>(read(program).start).argv,
            (std::vector<std::string>{"python3", "x.py"}));

  const auto nested =
      read(with("start", table({{"strategy", "rest_for_one"},
                                {"children", list({table({{"id", "a"}, {"start", "a.lua"}})})}})));
  EXPECT_EQ(std::get<supervisor_spec>(nested.start).strategy, strategy::rest_for_one);
  EXPECT_EQ(std::get<supervisor_spec>(nested.start).children.at(0).id, "a");
}

TEST(child_spec, reads_shutdown_as_seconds_or_a_word) {
  EXPECT_EQ(read(with("shutdown", 0.25)).shutdown, 250ms);
  EXPECT_EQ(read(with("shutdown", "brutal_kill")).shutdown, 0s);
  EXPECT_EQ(read(with("shutdown", "infinity")).shutdown, duration::max());
  EXPECT_EQ(refusal(with("shutdown", "soon")),
            "child x: shutdown: expected seconds, \"brutal_kill\" or \"infinity\", got \"soon\"");
  EXPECT_NE(refusal(with("shutdown", -1)), "");
  EXPECT_NE(refusal(with("shutdown", std::nan(""))), "");
  EXPECT_NE(refusal(with("start_timeout", 0)), "");
  EXPECT_EQ(read(with("start_timeout", "infinity")).start_timeout, duration::max());
  EXPECT_EQ(read(with("shutdown", std::numeric_limits<double>::infinity())).shutdown,
            duration::max());
}

TEST(child_spec, takes_grants_of_paths_from_its_folder) {
  const auto spec = read(with("grants", table({{"read", list({"data"})}})));
  EXPECT_TRUE(spec.grants->allows("read", "/app/data/x"));
  EXPECT_FALSE(read(with("grants", value::array{})).grants->allows("llm", "default"))
      << "an empty table grants nothing";
  EXPECT_EQ(refusal(with("grants", table({{"lm", list({})}}))),
            "child x: grants: unknown key \"lm\": did you mean \"llm\"?");
}

TEST(child_spec, reads_a_pool) {
  const auto pool = *read(with("pool", table({{"size", 4}, {"queue", 20}, {"by", "key"}}))).pool;
  EXPECT_EQ(pool.size, 4u);
  EXPECT_EQ(pool.queue, 20u);
  EXPECT_TRUE(pool.by_key);
  EXPECT_NE(refusal(with("pool", table({{"size", 0}}))), "");
  EXPECT_NE(refusal(with("pool", table({{"size", 1.5}}))), "");
  EXPECT_NE(refusal(with("pool", table({{"by", "luck"}}))), "");
  EXPECT_EQ(refusal(with("pool", 3)), "child x: pool: expected a table, got 3");
}

TEST(child_spec, names_the_nearest_key_for_an_unknown_one) {
  EXPECT_EQ(refusal(with("restrat", "permanent")),
            "child x: unknown key \"restrat\": did you mean \"restart\"?");
  EXPECT_EQ(refusal(with("restart", "permanant")),
            "child x: unknown restart \"permanant\": did you mean \"permanent\"?");
}

TEST(child_spec, refuses_what_it_can_not_hold) {
  EXPECT_EQ(refusal(with("min_level", 3), errc::unsupported),
            "child x: min_level can't be held by this version");
  EXPECT_EQ(refusal(with("node", "gpu-1"), errc::unsupported),
            "child x: node can't be held by this version");
}

TEST(child_spec, refuses_wrong_types_and_values) {
  EXPECT_EQ(refusal(7), "child: expected a table, got integer");
  EXPECT_EQ(refusal(table({{"start", "x.lua"}})), "child: id: expected text, got nil");
  EXPECT_EQ(refusal(with("id", "a b")),
            "child: id: expected 1 to 100 characters without spaces and / . @ = ~, got \"a b\"");
  EXPECT_NE(refusal(with("id", "a/b")), "");
  EXPECT_NE(refusal(with("id", "")), "");
  EXPECT_NE(refusal(with("id", std::string(101, 'a'))), "");
  EXPECT_NE(refusal(with("id", 7)), "");
  EXPECT_NE(refusal(table({{"id", "x"}})), "");
  EXPECT_NE(refusal(with("start", "")), "");
  EXPECT_NE(refusal(with("start", table({{"plugin", "clock"}}))), "");
  EXPECT_NE(refusal(with("start", table({{"run", list({})}}))), "");
  EXPECT_NE(refusal(with("start", table({{"run", list({1})}}))), "");
  EXPECT_NE(refusal(with("restart", true)), "");
  EXPECT_NE(refusal(with("isolate", "vm")), "");
  EXPECT_NE(refusal(with("options", "x")), "");
  EXPECT_NE(refusal(with("limits", list({1}))), "");
}

TEST(child_spec, of_a_program_needs_isolation) {
  EXPECT_EQ(refusal(with("start", table({{"run", list({"python3"})}}))),
            "child x: a program needs isolate = \"process\" or \"sandbox\"");
}

TEST(child_spec, of_a_supervisor_is_neither_isolated_nor_a_pool) {
  auto nested = with("start", table({{"children", list({})}}));
  nested.set("isolate", "process");
  EXPECT_NE(refusal(nested), "");
  nested.set("isolate", "none").set("pool", table({}));
  EXPECT_NE(refusal(nested), "");
}

TEST(child_spec, survives_as_plain_data) {
  auto v = with("pool", table({{"size", 4}, {"by", "key"}}));
  v.set("grants", table({{"read", list({"data"})}}))
      .set("shutdown", "brutal_kill")
      .set("restart", "transient")
      .set("significant", true)
      .set("drain", 2.5)
      .set("backoff", list({0.5, 60}))
      .set("jitter", 0.1)
      .set("options", table({{"size", 3}}));
  const auto once = read(v).to_value();
  EXPECT_EQ(read(once).to_value(), once);

  const auto tree = read(with("start", table({{"period", 10},
                                              {"auto_shutdown", "any_significant"},
                                              {"children", list({v})}})))
                        .to_value();
  EXPECT_EQ(read(tree).to_value(), tree);
}

TEST(supervisor_spec, has_the_defaults_of_otp_and_keeps_the_order) {
  const auto spec =
      supervisor_spec_from(table({{"children", list({table({{"id", "b"}, {"start", "b.lua"}}),
                                                     table({{"id", "a"}, {"start", "a.lua"}})})}}),
                           "/app");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->strategy, strategy::one_for_one);
  EXPECT_EQ(spec->intensity, 1u);
  EXPECT_EQ(spec->period, 5s);
  EXPECT_EQ(spec->children.at(0).id, "b");
  EXPECT_EQ(spec->children.at(1).id, "a");
  EXPECT_TRUE(supervisor_spec_from(value::array{}, "/app")) << "an empty table is a tree";
}

TEST(supervisor_spec, hands_its_intensity_to_its_pools) {
  auto pool = with("pool", table({{"size", 2}}));
  const auto spec = supervisor_spec_from(
      table({{"intensity", 7}, {"period", 30}, {"children", list({pool})}}), "/app");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->children.at(0).pool->intensity, 7u);
  EXPECT_EQ(spec->children.at(0).pool->period, 30s);
}

TEST(supervisor_spec, hands_its_backoff_to_children_that_have_none) {
  auto own = with("backoff", list({0, 0}));
  own.set("id", "own");
  const auto spec = supervisor_spec_from(table({{"backoff", list({1, 60})},
                                                {"jitter", 0.5},
                                                {"children", list({with("id", "x"), own})}}),
                                         "/app");
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->children.at(0).backoff.least, 1s);
  EXPECT_EQ(spec->children.at(0).backoff.most, 60s);
  EXPECT_EQ(spec->children.at(0).backoff.jitter, 0.5);
  EXPECT_EQ(spec->children.at(1).backoff.most, 0s) << "it has turned it off";
}

TEST(child_spec, of_a_supervisor_drains_nothing) {
  auto nested = with("start", table({{"children", list({})}}));
  nested.set("drain", 1);
  EXPECT_EQ(refusal(nested), "child x: drain: a supervisor's children have their own");
}

TEST(supervisor_spec, names_the_child_that_is_wrong) {
  const auto message = [](const value& v) {
    const auto spec = supervisor_spec_from(v, "/app");
    return spec ? std::string() : spec.error().message;
  };
  const auto good = table({{"id", "a"}, {"start", "a.lua"}});
  EXPECT_EQ(message(table({{"children", list({good, good})}})),
            "child a: two children have this id");
  EXPECT_EQ(message(table({{"children", list({good, table({{"start", "x.lua"}})})}})),
            "child 2: id: expected text, got nil");
  EXPECT_EQ(message(table({{"children", list({good, "b.lua"})}})),
            "child 2: expected a table, got string");
  EXPECT_EQ(message(table(
                {{"children",
                  list({table({{"id", "desk"},
                               {"start", table({{"children", list({with("limit", 1)})}})}})})}})),
            "child desk: child x: unknown key \"limit\": did you mean \"limits\"?");
  EXPECT_EQ(message(table({{"stratgy", "one_for_one"}})),
            "unknown key \"stratgy\": did you mean \"strategy\"?");
  EXPECT_EQ(message(table({{"strategy", "one_for_all_of_us"}})),
            "unknown strategy \"one_for_all_of_us\": did you mean \"one_for_all\"?");
  EXPECT_EQ(message(table({{"strategy", "simple_one_for_one"}})),
            "children: simple_one_for_one takes exactly one, the template, got 0");
  EXPECT_NE(message(table({{"intensity", -1}})), "");
  EXPECT_NE(message(table({{"period", 0}})), "");
  EXPECT_NE(message(table({{"children", "a"}})), "");
  EXPECT_NE(message("tree"), "");
}

}  // namespace
