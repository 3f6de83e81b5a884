// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, specs that change under a running supervisor: C-71 to C-74, C-87 to C-93.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_71_takes_new_flags_and_keeps_the_old_ones_if_one_is_wrong) {
  const auto sup = top(abc(strategy::one_for_one, 0));
  auto wrong = as_tree(abc(strategy::one_for_all, 2));
  wrong.set("period", -1);
  EXPECT_EQ(code_of(api::upgrade, {wrong}), "config");
  EXPECT_EQ((*ask(inspect_verb))["behaviour"]["strategy"], value("one_for_one"));
  EXPECT_EQ(code_of(api::upgrade, {as_tree(abc(strategy::one_for_all, 2))}), "ok");
  const auto a = at("top/a");
  end("top/b");
  EXPECT_EQ(reason(sup), "alive") << "the new intensity holds";
  EXPECT_NE(at("top/a"), a) << "the new strategy holds";
  EXPECT_EQ(code_of(api::upgrade, {as_tree(simple(worker("a")))}), "config")
      << "there is no way from children to a template";
}

TEST_F(conformance, C_72_takes_new_specs_adds_without_starting_and_keeps_what_is_not_named) {
  top(abc());
  const auto a = at("top/a"), b = at("top/b"), c = at("top/c");
  auto changed = worker("a", restart_type::transient);
  changed.shutdown = 1s;
  changed.options = value::map{{"size", 3}};
  const auto said = *ask(api::upgrade, {as_tree(of({worker("new"), changed, worker("c")}))});
  EXPECT_EQ(said["added"], value(value::array{"new"}));
  EXPECT_EQ(said["changed"], value(value::array{"a"}));
  EXPECT_EQ(said["kept"], value(value::array{"b"}));
  EXPECT_EQ(at("top/a"), a);
  EXPECT_EQ(at("top/b"), b);
  EXPECT_EQ(at("top/c"), c);
  EXPECT_EQ(state_of("new"), "stopped");
  EXPECT_EQ(code_of(api::restart_child, {"new"}), "ok");
  EXPECT_EQ((*ask(api::get_childspec, {"a"}))["shutdown"], value(1.0));
  EXPECT_EQ(options_of["top/a"].find("size"), nullptr) << "at its next start";
  end("top/a");
  EXPECT_EQ(options_of["top/a"]["size"], value(3));
  end("top/a", "normal");
  EXPECT_EQ(state_of("a"), "stopped") << "it is transient now";
  diary_now();
  stop();
  EXPECT_THAT(diary_now(), ElementsAre("stop top/b", "stop top/c", "stop top/new"))
      << "the reverse of the new order";
}

TEST_F(conformance, C_73_takes_a_new_template_for_all_its_children) {
  top(simple(worker("a")));
  const auto one = add(value(value::map{{"mine", 1}}));
  auto changed = worker("a", restart_type::transient);
  changed.options = value::map{{"size", 3}};
  EXPECT_EQ(code_of(api::upgrade, {as_tree(simple(changed))}), "ok");
  EXPECT_EQ(reason(one), "alive");
  end(one);
  EXPECT_EQ(options_of["top/a-1"]["size"], value(3));
  EXPECT_EQ(options_of["top/a-1"]["mine"], value(1));
  end("top/a-1", "normal");
  EXPECT_EQ(children(), 0u) << "transient now";
  add();
  EXPECT_EQ(options_of["top/a-2"]["size"], value(3));
}

TEST_F(conformance, C_74_refuses_a_second_template_or_none) {
  top(simple(worker("a")));
  const auto one = add();
  for (const value::array& list : {value::array{}, value::array{spec_value("a"), spec_value("b")}})
    EXPECT_EQ(code_of(api::upgrade, {tree_of("simple_one_for_one", list)}), "config");
  EXPECT_EQ(code_of(api::upgrade, {as_tree(of({worker("a")}))}), "config");
  EXPECT_EQ(reason(one), "alive");
  add();
  EXPECT_EQ(children(), 2u);
}

TEST_F(conformance, C_87_ends_with_the_next_significant_end_after_never_became_any) {
  EXPECT_EQ(ends_after_change(auto_shutdown::never, auto_shutdown::any_significant), 1);
}

TEST_F(conformance, C_88_outlives_significant_ends_after_any_became_never) {
  EXPECT_EQ(ends_after_change(auto_shutdown::any_significant, auto_shutdown::never), 0);
}

TEST_F(conformance, C_89_ends_with_the_last_significant_end_after_never_became_all) {
  EXPECT_EQ(ends_after_change(auto_shutdown::never, auto_shutdown::all_significant), 2);
}

TEST_F(conformance, C_90_outlives_significant_ends_after_all_became_never) {
  EXPECT_EQ(ends_after_change(auto_shutdown::all_significant, auto_shutdown::never), 0);
}

TEST_F(conformance, C_91_ends_with_the_last_significant_end_after_any_became_all) {
  EXPECT_EQ(ends_after_change(auto_shutdown::any_significant, auto_shutdown::all_significant), 3);
}

TEST_F(conformance, C_92_ends_with_the_next_significant_end_after_all_became_any) {
  EXPECT_EQ(ends_after_change(auto_shutdown::all_significant, auto_shutdown::any_significant), 1);
}

TEST_F(conformance, C_93_takes_a_change_of_significance_unless_it_could_never_matter) {
  const auto spec = [](bool is_significant, auto_shutdown when) {
    auto child = worker("a", restart_type::transient);
    child.significant = is_significant;
    auto tree = of({child, worker("b")});
    tree.auto_shutdown = when;
    return tree;
  };
  const auto any = auto_shutdown::any_significant;
  auto sup = top(spec(false, any));
  EXPECT_EQ(code_of(api::upgrade, {as_tree(spec(true, auto_shutdown::never))}), "config");
  EXPECT_EQ(code_of(api::upgrade, {as_tree(spec(true, any))}), "ok");
  end("top/a", "normal");
  EXPECT_EQ(reason(sup), "shutdown");
  sup = top(spec(true, any));
  EXPECT_EQ(code_of(api::upgrade, {as_tree(spec(false, any))}), "ok");
  end("top/a", "normal");
  EXPECT_EQ(reason(sup), "alive");
}

}  // namespace
}  // namespace troupe::test
