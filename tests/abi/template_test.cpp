// SPDX-License-Identifier: Apache-2.0
//
// Plugins that were built from the templates, outside of this tree, load and answer.
#include "fixture.hpp"

namespace troupe::test {
namespace {

class template_test : public plugin_test, public testing::WithParamInterface<const char*> {};
INSTANTIATE_TEST_SUITE_P(languages, template_test, testing::Values("made_in_c", "made_in_cpp"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(template_test, loads_and_answers) {
  const std::string name = GetParam();
  add((std::filesystem::path(TROUPE_TEMPLATES_FOLDER) / name / "build/plugins" / name).string());
  ASSERT_TRUE(start(name, "counter", value::map{{"from", 40}}));
  auto total = world.call("x", "add", {2});
  ASSERT_TRUE(total) << total.error().describe();
  EXPECT_EQ(*total, value(42));
  EXPECT_TRUE(world.call("x", "add", {"two"}).error().is(errc::bad_argument));
  EXPECT_TRUE(world.call("x", "divide").error().is(errc::unknown_verb));
  EXPECT_EQ(*world.call("x", "total"), value(42));
  auto sum = call_tool(name + ".add", value::map{{"a", 1}, {"b", 0.5}});
  ASSERT_TRUE(sum) << sum.error().describe();
  EXPECT_EQ(*sum, value(1.5));
}

TEST_P(template_test, is_installed_as_a_folder_that_loads) {
  add((std::filesystem::path(TROUPE_TEMPLATES_FOLDER) / "installed/lib/troupe/plugins" / GetParam())
          .string());
  auto loaded = plugins.load(GetParam());
  EXPECT_TRUE(loaded) << loaded.error().describe();
}

}  // namespace
}  // namespace troupe::test
