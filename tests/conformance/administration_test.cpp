// SPDX-License-Identifier: Apache-2.0
//
// OTP's list, administration: C-23 to C-28, C-77 to C-79.
#include "conformance/conformance.hpp"

namespace troupe::test {
namespace {

TEST_F(conformance, C_23_manages_children_by_hand) {
  EXPECT_EQ(sim.call("nobody", api::which_children).error().code, "no_such_agent");
  top({});
  const auto first = add(spec_value("a"));
  EXPECT_EQ(first, at("top/a"));
  const auto again = ask(api::start_child, {spec_value("a")});
  EXPECT_EQ(again.error().code, "running");
  EXPECT_EQ(address_from(again.error().data["address"]), first);
  EXPECT_EQ(code_of(api::restart_child, {"a"}), "running");
  EXPECT_EQ(code_of(api::delete_child, {"a"}), "running");
  EXPECT_EQ(code_for(first, api::terminate_child), "bad_argument") << "children go by id";

  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok") << "stopped already";
  EXPECT_EQ(state_of("a"), "stopped");
  EXPECT_THAT(counts(), ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(code_of(api::start_child, {spec_value("a")}), "exists");

  const auto anew = address_from(*ask(api::restart_child, {"a"}));
  EXPECT_EQ(anew, at("top/a"));
  EXPECT_NE(anew, first);
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  EXPECT_EQ(code_of(api::delete_child, {"a"}), "ok");
  EXPECT_EQ(state_of("a"), "gone");
  for (const auto verb :
       {api::restart_child, api::delete_child, api::terminate_child, api::get_childspec})
    EXPECT_EQ(code_of(verb, {"a"}), "not_found");
  add(spec_value("a"));
  EXPECT_THAT(counts(), ElementsAre(1, 1, 0, 1));
}

TEST_F(conformance, C_24_manages_children_of_a_template_by_address) {
  top(simple(worker("a")));
  const auto one = add(), other = add();
  EXPECT_NE(one, other);
  for (const auto verb : {api::terminate_child, api::restart_child, api::delete_child})
    EXPECT_EQ(code_of(verb, {"a"}), "bad_argument") << "the template is no child";
  for (const auto verb : {api::restart_child, api::delete_child})
    EXPECT_EQ(code_for(one, verb), "bad_argument");
  EXPECT_EQ(code_for(one, api::terminate_child), "ok");
  EXPECT_EQ(reason(one), "shutdown");
  EXPECT_EQ(code_for(one, api::terminate_child), "ok") << "it is dead already";
  EXPECT_EQ(children(), 1u);
  const auto stranger = agent("stranger", [](context&, envelope&) {});
  EXPECT_EQ(code_for(stranger, api::terminate_child), "not_found");
  EXPECT_EQ(reason(stranger), "alive");
  EXPECT_EQ(reason(other), "alive");
}

TEST_F(conformance, C_25_passes_on_what_a_child_says_with_its_start) {
  plans["top/a"].info = value::map{{"port", 8080}};
  top({});
  const auto started = *ask(api::start_child, {spec_value("a")});
  EXPECT_EQ(started["info"]["port"], value(8080));
  EXPECT_EQ(address_from(started["address"]), at("top/a"));
  end("top/a");
  EXPECT_EQ(state_of("a"), "running") << "a restart by itself takes no notice of it";
  EXPECT_EQ(code_of(api::terminate_child, {"a"}), "ok");
  const auto anew = *ask(api::restart_child, {"a"});
  EXPECT_EQ(anew["info"]["port"], value(8080));
  EXPECT_EQ(address_from(anew["address"]), at("top/a"));
}

TEST_F(conformance, C_26_refuses_each_field_that_is_wrong_and_takes_all_that_are_right) {
  top({});
  const auto refusal = [&](const char* key, value v) {
    auto spec = spec_value("a");
    spec.set(key, std::move(v));
    const auto said = ask(api::start_child, {spec});
    EXPECT_TRUE(said || said.error().is(errc::config));
    return said ? std::string("taken") : said.error().message;
  };
  EXPECT_THAT(refusal("start", value::map{{"f", 1}}), HasSubstr("start: "));
  EXPECT_THAT(refusal("restart", "prmanent"), HasSubstr("unknown restart"));
  EXPECT_THAT(refusal("shutdown", -10), HasSubstr("shutdown: expected"));
  EXPECT_THAT(refusal("shutdown", "brutal"), HasSubstr("shutdown: expected"));
  EXPECT_THAT(refusal("start_timeout", 0), HasSubstr("start_timeout: expected"));
  EXPECT_THAT(refusal("isolate", "wrker"), HasSubstr("unknown isolate"));
  EXPECT_THAT(refusal("drain", -1), HasSubstr("drain: expected"));
  EXPECT_THAT(refusal("backoff", value::array{2, 1}), HasSubstr("backoff: expected"));
  EXPECT_THAT(refusal("backoff", value::array{0, 1}), HasSubstr("backoff: expected"));
  EXPECT_THAT(refusal("jitter", 1.5), HasSubstr("jitter: expected"));
  EXPECT_EQ(children(), 0u);

  int n = 0;
  for (const char* restart : {"permanent", "transient", "temporary"})
    for (const value& shutdown : {value("brutal_kill"), value("infinity"), value(0), value(0.5)}) {
      auto spec = spec_value("c" + std::to_string(n++), restart);
      spec.set("shutdown", shutdown);
      add(spec);
    }
  EXPECT_EQ(children(), 12u);

  EXPECT_EQ(start_top(of({worker("a"), worker("a")})).error().code, "config");
  EXPECT_FALSE(
      supervisor_spec_from(tree_of("one_for_one", {spec_value("a"), spec_value("a")}), ""));
  for (const value::array& list :
       {value::array{}, value::array{spec_value("a"), spec_value("b")}}) {
    const auto read = supervisor_spec_from(tree_of("simple_one_for_one", list), "");
    ASSERT_FALSE(read);
    EXPECT_THAT(read.error().message, HasSubstr("takes exactly one, the template"));
  }
}

TEST_F(conformance, C_27_refuses_a_significant_child_that_could_never_matter) {
  for (const char* when : {"never", "any_significant", "all_significant"})
    for (const char* restart : {"permanent", "transient", "temporary"})
      for (const bool significant : {false, true}) {
        auto spec = spec_value("a", restart);
        spec.set("significant", significant);
        auto tree = tree_of("one_for_one", {spec});
        tree.set("auto_shutdown", when);
        const bool is_good =
            !significant || (std::string(when) != "never" && std::string(restart) != "permanent");
        const auto read = supervisor_spec_from(tree, "");
        EXPECT_EQ(static_cast<bool>(read), is_good) << when << " " << restart << significant;

        // The same for one that is added later.
        auto empty = of({});
        empty.auto_shutdown =
            supervisor_spec_from(value::map{{"auto_shutdown", when}}, "")->auto_shutdown;
        const auto sup = top(empty);
        EXPECT_EQ(code_of(api::start_child, {spec}), is_good ? "ok" : "config");
        sim.exit(sup, errc::shutdown);
      }
  auto spec = spec_value("a");
  spec.set("significant", "yes");
  EXPECT_THAT(child_spec::from(spec, "").error().message,
              HasSubstr("significant: expected true or false, got \"yes\""));
}

TEST_F(conformance, C_28_refuses_each_flag_that_is_wrong) {
  const auto refusal = [](const char* key, value v) {
    auto tree = tree_of("one_for_one", {});
    tree.set(key, std::move(v));
    const auto read = supervisor_spec_from(tree, "");
    return read ? std::string("taken") : read.error().message;
  };
  EXPECT_THAT(refusal("strategy", "none_for_one"), HasSubstr("unknown strategy"));
  EXPECT_THAT(refusal("intensity", -1), HasSubstr("intensity: expected"));
  EXPECT_THAT(refusal("intensity", 0.5), HasSubstr("intensity: expected"));
  EXPECT_THAT(refusal("period", 0), HasSubstr("period: expected"));
  EXPECT_THAT(refusal("period", "long"), HasSubstr("period: expected"));
  EXPECT_THAT(refusal("auto_shutdown", "sometimes"), HasSubstr("unknown auto_shutdown"));
  EXPECT_THAT(refusal("backoff", "slow"), HasSubstr("backoff: expected"));
  EXPECT_THAT(refusal("intensty", 1), HasSubstr("did you mean \"intensity\"?"));
  EXPECT_EQ(refusal("intensity", 0), "taken");
  auto simple = tree_of("simple_one_for_one", {spec_value("a")});
  simple.set("auto_shutdown", "any_significant");
  EXPECT_FALSE(supervisor_spec_from(simple, ""));
}

TEST_F(conformance, C_77_keeps_nothing_of_a_child_whose_name_another_has) {
  const auto other = agent("elsewhere", [](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.bind(1, "the_one");
  });
  sim.send(other, "go");
  ASSERT_EQ(at("the_one"), other);
  plans["top/a"].registers = "the_one";
  top({});
  const auto said = ask(api::start_child, {spec_value("a")});
  EXPECT_EQ(said.error().code, "exists");
  EXPECT_EQ(children(), 0u);
  EXPECT_EQ(at("the_one"), other);
}

TEST_F(conformance, C_78_lists_its_children_newest_first_and_tells_of_each) {
  top(of({worker("a"), nested("sub", of({})), worker("c")}));
  const auto list = *ask(api::which_children);
  ASSERT_EQ(list.as_array().size(), 3u);
  const auto newest = api::child_info_from(list.as_array()[0]);
  EXPECT_EQ(newest.id, "c");
  EXPECT_EQ(newest.state, "running");
  EXPECT_EQ(newest.at, at("top/c"));
  EXPECT_FALSE(newest.is_supervisor);
  EXPECT_TRUE(api::child_info_from(list.as_array()[1]).is_supervisor);
  const auto one = api::child_info_from(*ask(api::which_child, {"a"}));
  EXPECT_EQ(one.id, "a");
  EXPECT_EQ(one.at, at("top/a"));
  EXPECT_EQ(code_of(api::which_child, {"b"}), "not_found");
}

TEST_F(conformance, C_79_lists_the_children_of_a_template) {
  top(simple(worker("a")));
  const auto one = add(), other = add();
  const auto list = *ask(api::which_children);
  ASSERT_EQ(list.as_array().size(), 2u);
  EXPECT_EQ(api::child_info_from(list.as_array()[0]).at, other);
  EXPECT_EQ(api::child_info_from(list.as_array()[1]).at, one);
  const auto found = api::child_info_from(*ask(api::which_child, {to_value(one)}));
  EXPECT_EQ(found.at, one);
  EXPECT_EQ(found.state, "running");
  EXPECT_EQ(api::child_info_from(*ask(api::which_child, {found.id})).at, one);
  EXPECT_EQ(code_of(api::which_child, {"a"}), "bad_argument");
  kill(one);
  EXPECT_EQ(code_for(one, api::which_child), "not_found") << "that incarnation is over";
}

}  // namespace
}  // namespace troupe::test
