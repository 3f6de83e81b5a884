// SPDX-License-Identifier: Apache-2.0
//
// The smallest plugins, in C and in C++, do the same.
#include "fixture.hpp"

namespace troupe::test {
namespace {

class hello_test : public plugin_test, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { add(shipped(GetParam())); }
};
INSTANTIATE_TEST_SUITE_P(plugins, hello_test, testing::Values("hello_c", "hello_cpp"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(hello_test, greets_and_counts) {
  ASSERT_TRUE(start(GetParam(), "greeter", value::map{{"greeting", "Moin"}}));
  auto line = world.call("x", "greet", {"Ann"});
  ASSERT_TRUE(line) << line.error().describe();
  EXPECT_EQ(*line, value("Moin, Ann!"));
  ASSERT_TRUE(world.call("x", "greet", {"Bob"}));
  auto count = world.call("x", "count");
  ASSERT_TRUE(count);
  EXPECT_EQ(*count, value(2));
}

TEST_P(hello_test, refuses_to_greet_nobody) {
  auto who = start(GetParam(), "greeter");
  ASSERT_TRUE(who);
  for (value::array args : {value::array{}, value::array{""}, value::array{7}}) {
    auto line = world.call("x", "greet", std::move(args));
    ASSERT_FALSE(line);
    EXPECT_TRUE(line.error().is(errc::bad_argument));
  }
  EXPECT_TRUE(world.alive(*who));
}

TEST_P(hello_test, knows_no_other_verb) {
  ASSERT_TRUE(start(GetParam(), "greeter"));
  auto line = world.call("x", "curse");
  ASSERT_FALSE(line);
  EXPECT_TRUE(line.error().is(errc::unknown_verb));
}

TEST_P(hello_test, greets_as_a_tool) {
  auto line = call_tool(std::string(GetParam()) + ".greet", value::map{{"name", "Ann"}});
  ASSERT_TRUE(line) << line.error().describe();
  EXPECT_EQ(*line, value("Hello, Ann!"));
  ASSERT_EQ(plugins.tools().size(), 1u);
  EXPECT_EQ(plugins.tools()[0].parameters["required"], (value(value::array{"name"})));
}

TEST_P(hello_test, stops_in_order) {
  auto who = start(GetParam(), "greeter");
  ASSERT_TRUE(who);
  world.exit(*who, errc::shutdown);
  world.settle();
  EXPECT_FALSE(world.alive(*who));
}

}  // namespace
}  // namespace troupe::test
