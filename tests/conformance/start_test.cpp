// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, start: C-01 to C-15.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_01_starts_with_no_children_and_stops_with_shutdown) {
  const auto sup = top({});
  EXPECT_EQ(children(), 0u);
  stop();
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_03_keeps_the_spec_of_a_permanent_child_that_says_ignore) {
  plans["top/a"].starts = plans["top/c"].starts = {"ignore"};
  top(of({worker("a"), worker("b")}));
  EXPECT_THAT(counts(), ElementsAre(2, 1, 0, 2));
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_EQ(*ask(api::start_child, {spec_value("c")}), value());
  EXPECT_THAT(counts(), ElementsAre(3, 1, 0, 3));
}

TEST_F(conformance, C_04_keeps_no_temporary_child_of_its_list_that_says_ignore) {
  plans["top/a"].starts = {"ignore"};
  top(of({worker("a", restart_type::temporary), worker("b")}));
  EXPECT_EQ(state_of("a"), "gone");
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0, 1));
}

TEST_F(conformance, C_05_keeps_no_temporary_child_that_is_added_and_says_ignore) {
  plans["top/a"].starts = {"ignore"};
  top({});
  EXPECT_EQ(*ask(api::start_child, {spec_value("a", "temporary")}), value());
  EXPECT_EQ(state_of("a"), "gone");
}

TEST_F(conformance, C_06_keeps_no_temporary_child_of_a_template_that_says_ignore) {
  plans["top/a-1"].starts = {"ignore"};
  top(simple(worker("a", restart_type::temporary)));
  EXPECT_EQ(*ask(api::start_child), value());
  EXPECT_EQ(children(), 0u);
}

TEST_F(conformance, C_07_keeps_no_permanent_child_of_a_template_that_says_ignore) {
  plans["top/a-1"].starts = {"ignore"};
  const auto sup = top(simple(worker("a")));
  EXPECT_EQ(*ask(api::start_child), value());
  EXPECT_EQ(children(), 0u);
  stop();
  EXPECT_EQ(reason(sup), "shutdown");
}

TEST_F(conformance, C_08_refuses_to_start_from_what_is_no_tree) {
  for (const value& rubbish : {value("rubbish"), value(7), value(value::array{1})}) {
    const auto read = supervisor_spec_from(rubbish, "/app");
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, "config");
    EXPECT_THAT(read.error().message, HasSubstr("tree: expected a table, got"));
  }
  top({});
  auto wrong = spec_value("sub");
  wrong.set("start", value::map{{"children", "rubbish"}});
  EXPECT_EQ(code_of(api::start_child, {wrong}), "config");
  EXPECT_EQ(children(), 0u);
  EXPECT_TRUE(at("top")) << "who asked and who was asked go on";
}

TEST_F(conformance, C_09_fails_its_start_with_what_made_it_impossible_and_where) {
  top({});
  refuses = "sub";
  value v = nested("sub", abc()).to_value();
  const auto said = ask(api::start_child, {v});
  ASSERT_FALSE(said);
  EXPECT_EQ(said.error().code, "denied");
  EXPECT_THAT(said.error().message, HasSubstr("sub needs what nobody grants"));
  EXPECT_EQ(children(), 0u);
}

TEST_F(conformance, C_10_keeps_nothing_of_a_child_whose_start_fails) {
  top({});
  for (const char* how : {"fail", "crash"}) {
    plans["top/a"].starts = {how};
    const auto said = ask(api::start_child, {spec_value("a")});
    ASSERT_FALSE(said);
    EXPECT_THAT(said.error().message, HasSubstr("top/a did not start: planned"));
    EXPECT_EQ(children(), 0u);
  }
}

TEST_F(conformance, C_11_keeps_a_child_stopped_that_can_not_be_started_anew) {
  top(of({worker("a")}));
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  plans["top/a"].starts = {"fail"};
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "failed");
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_FALSE(at("top/a"));
}

TEST_F(conformance, C_12_keeps_nothing_of_a_child_of_a_template_whose_start_fails) {
  top(simple(worker("a")));
  plans["top/a-1"].starts = {"fail"};
  EXPECT_EQ(code_of(api::start_child), "failed");
  EXPECT_EQ(children(), 0u);
}

TEST_F(conformance, C_13_fills_what_a_spec_leaves_open) {
  top({});
  value least = value::map{};
  least.set("id", "a").set("start", "member.lua");
  add(least);
  const auto spec = *ask(api::get_childspec, {"a"});
  EXPECT_EQ(spec["restart"], value("permanent"));
  EXPECT_EQ(spec["shutdown"], value(5.0));
  EXPECT_EQ(spec["significant"], value(false));
  EXPECT_EQ(state_of("a"), "running");
  EXPECT_EQ(counted("workers"), 1);
  least.set("id", "sub").set("start", tree_of("one_for_one", {}));
  add(least);
  EXPECT_EQ((*ask(api::get_childspec, {"sub"}))["shutdown"], value("infinity"));
  EXPECT_EQ(counted("supervisors"), 1);
  EXPECT_EQ(code_of(api::get_childspec, {"b"}), "not_found");
}

TEST_F(conformance, C_14_tells_the_spec_of_a_child_of_a_template_by_its_address) {
  top(simple(with_shutdown(worker("a"), 3s)));
  const auto child = add();
  const auto spec = *ask(api::get_childspec, {to_value(child)});
  EXPECT_EQ(spec["shutdown"], value(3.0));
  EXPECT_EQ(spec["start"], value("member.lua"));
  end(child, "normal");
  kill(at("top/a-1"));
  EXPECT_EQ(code_for(child, api::get_childspec), "not_found");
}

TEST_F(conformance, C_15_names_what_is_missing_in_a_spec) {
  top({});
  const auto refusal = [&](value v) {
    const auto said = ask(api::start_child, {std::move(v)});
    return said ? std::string("taken") : said.error().message;
  };
  EXPECT_THAT(refusal(value::map{{"start", "x.lua"}}), HasSubstr("id: expected text, got nil"));
  EXPECT_THAT(refusal(value::map{{"id", "a"}}), HasSubstr("child a: start: expected"));
  EXPECT_THAT(refusal("a"), HasSubstr("expected a table, got string"));
  auto odd = spec_value("a");
  odd.set("restrat", "permanent");
  EXPECT_THAT(refusal(odd), HasSubstr("did you mean \"restart\"?"));
  EXPECT_EQ(children(), 0u);
}

}  // namespace
}  // namespace troupe::test
