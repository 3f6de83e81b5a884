// SPDX-License-Identifier: Apache-2.0
//
// The C++ wrapper and, below it, each function that a plugin may call in a turn.
#include <troupe/value.hpp>

#include "fixture.hpp"
#include "unit/base/random_value.hpp"

namespace troupe::test {
namespace {

class wrapper_test : public plugin_test {
 protected:
  void SetUp() override {
    add(made_for_tests("wrapped"));
    auto started = start("wrapped", "worker");
    ASSERT_TRUE(started) << started.error().describe();
    worker_ = *started;
  }
  std::vector<std::string> seen() {
    std::vector<std::string> out;
    auto answer = world.call("x", "seen");
    EXPECT_TRUE(answer);
    for (const value& v : answer->as_array())
      out.emplace_back(v.as_string());
    return out;
  }
  using words = std::vector<std::string>;

  address worker_;
};

// -- agents

TEST_F(wrapper_test, hands_arguments_in_and_answers_out) {
  const value::array args = {1,
                             2.5,
                             "ä",
                             value::binary{"\xff"},
                             nullptr,
                             true,
                             to_value(worker_),
                             value::map{{"k", value::array{}}}};
  auto answer = world.call("x", "echo", args);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value(args));
}

TEST_F(wrapper_test, a_failure_goes_to_the_caller_with_all_it_says) {
  auto answer = world.call("x", "fail");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::rate_limited));
  EXPECT_EQ(answer.error().message, "slow down");
  EXPECT_TRUE(answer.error().retryable);
  EXPECT_DOUBLE_EQ(answer.error().retry_after, 2);
  EXPECT_TRUE(world.alive(worker_));
}

TEST_F(wrapper_test, any_other_exception_ends_the_agent) {
  auto answer = world.call("x", "crash");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::down)) << answer.error().describe();
  world.settle();
  ASSERT_NE(world.reason_of(worker_), nullptr);
  EXPECT_EQ(world.reason_of(worker_)->message, "crashed");
}

TEST_F(wrapper_test, a_thrown_int_ends_the_agent) {
  EXPECT_FALSE(world.call("x", "throw_int"));
  world.settle();
  ASSERT_NE(world.reason_of(worker_), nullptr);
  EXPECT_TRUE(world.reason_of(worker_)->is(errc::crash));
}

TEST_F(wrapper_test, a_constructor_that_throws_is_a_failed_start) {
  auto actions = plugins.make_agent("wrapped", "worker", value::map{{"fails", true}});
  ASSERT_TRUE(actions);
  auto started = world.add("y", std::move(*actions));
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().message, "worker: told to fail");
}

TEST_F(wrapper_test, calls_others_and_answers_later) {
  ASSERT_TRUE(world.add("other", [](context& ctx, envelope& e) {
    if (e.kind == kind::call && e.verb == "twice") ctx.reply(e.cause, *pack(value("twice")));
    if (e.kind == kind::call && e.verb == "no") ctx.fail(e.cause, {errc::denied, "no"});
  }));
  auto answer = world.call("x", "relay", {"other", "twice", 1});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ((*answer)["got"], value("twice"));
  EXPECT_TRUE(world.call("x", "relay", {"other", "no", 1}).error().is(errc::denied));
  EXPECT_TRUE(world.call("x", "relay", {"nobody", "no", 1}).error().is(errc::no_such_agent));
  const auto before = world.now();
  EXPECT_TRUE(world.call("x", "relay", {"other", "silence", 1}).error().is(errc::timeout));
  EXPECT_EQ(world.now() - before, std::chrono::milliseconds(1500));
}

TEST_F(wrapper_test, sleeps_while_it_serves) {
  auto answer = world.call("x", "nap");
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_NEAR(answer->as_double(), 2, 0.001);
}

TEST_F(wrapper_test, answers_in_parts_against_credit) {
  std::vector<value> parts;
  auto answer = world.call_streaming("x", "stream", {5}, parts);
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("over"));
  ASSERT_EQ(parts.size(), 5u);
  EXPECT_EQ(parts[0], value(5));
}

TEST_F(wrapper_test, reads_answers_in_parts) {
  auto second = plugins.make_agent("wrapped", "worker", value::map{});
  ASSERT_TRUE(second && world.add("y", std::move(*second)));
  auto sum = world.call("y", "collect", {"x", 4});
  ASSERT_TRUE(sum) << sum.error().describe();
  EXPECT_EQ(*sum, value(10));
}

TEST_F(wrapper_test, hears_of_events_timers_and_ends) {
  ASSERT_TRUE(world.call("x", "ring"));
  ASSERT_TRUE(world.call("x", "tick"));
  world.advance(std::chrono::seconds(2));
  auto other = world.add("other", [](context&, envelope&) {});
  ASSERT_TRUE(other);
  ASSERT_TRUE(world.call("x", "watch", {to_value(*other)}));
  world.exit(*other, errc::kill);
  world.settle();
  auto all = seen();
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0], "start");
  EXPECT_EQ(all[1], "rung 7");
  EXPECT_EQ(all[2], "timer 5");
  std::sort(all.begin() + 3, all.end());
  EXPECT_EQ(all[3], "down killed");
  EXPECT_EQ(all[4], "exit killed");
}

TEST_F(wrapper_test, hears_that_its_caller_went_away) {
  auto answer = world.call("x", "wait", {}, {.timeout = std::chrono::seconds(1)});
  EXPECT_TRUE(answer.error().is(errc::timeout));
  world.settle();
  EXPECT_EQ(seen(), (words{"start", "cancel"}));
  EXPECT_TRUE(world.call("x", "echo")) << "its slot has to be free again";
}

TEST_F(wrapper_test, serves_an_overlapping_verb_while_another_is_open) {
  std::vector<std::string> during;
  ASSERT_TRUE(world.add("other", [&](context& ctx, envelope& e) {
    if (e.kind == kind::call)
      ctx.call(e.cause, 1, std::string("x"), "seen", *pack(value(value::array{})));
    if (e.kind == kind::reply) during.emplace_back("answered");
  }));
  (void)world.call("x", "relay", {"other", "go", 1});
  EXPECT_EQ(during, words{"answered"});
}

TEST_F(wrapper_test, knows_where_and_when_it_is) {
  auto who = world.call("x", "who");
  ASSERT_TRUE(who);
  EXPECT_EQ(address_from((*who)["self"]), worker_);
  EXPECT_EQ((*who)["path"], value("x"));
  EXPECT_GE((*who)["wall"].as_double(), 0);
  EXPECT_FALSE(world.log_lines.empty());
}

TEST_F(wrapper_test, binds_and_finds_names) {
  EXPECT_EQ(*world.call("x", "rename", {"clerk"}), value("bound"));
  auto found = world.call("x", "look_up", {"clerk"});
  ASSERT_TRUE(found) << found.error().describe();
  EXPECT_EQ(address_from(*found), worker_);
  EXPECT_TRUE(world.call("x", "look_up", {"nobody"}).error().is(errc::no_such_agent));
}

TEST_F(wrapper_test, ends_itself_with_a_reason_of_its_own) {
  auto answer = world.call("x", "leave");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::down));
  world.settle();
  EXPECT_EQ(world.reason_of(worker_)->code, "tired");
}

TEST_F(wrapper_test, inspects_an_agent) {
  auto actions = plugins.make_agent("wrapped", "worker", value::map{});
  ASSERT_TRUE(actions);
  EXPECT_EQ((*actions)->inspect()["kind"], value("worker")) << "before it has started";
  behaviour* raw = actions->get();
  ASSERT_TRUE(world.add("y", std::move(*actions)));
  EXPECT_EQ(raw->inspect()["left"], value(0));
  EXPECT_EQ(raw->inspect()["plugin"], value("wrapped 1.0.0"));
}

// -- tools and codecs

TEST_F(wrapper_test, a_tool_sees_who_asks_and_what_it_may) {
  auto answer = call_tool("wrapped.echo", value::map{{"n", 1}});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ((*answer)["args"]["n"], value(1));
  EXPECT_EQ((*answer)["caller"], value("desk/writer"));
  EXPECT_EQ((*answer)["grants"], value("all"));
}

TEST_F(wrapper_test, a_tool_that_fails_or_throws_is_an_error) {
  EXPECT_TRUE(call_tool("wrapped.fail", value::map{}).error().is(errc::denied));
  EXPECT_EQ(call_tool("wrapped.crash", value::map{}).error().message, "oops");
  EXPECT_EQ(call_tool("wrapped.drop", value::map{}).error().message, "the tool dropped the call");
  EXPECT_FALSE(call_tool("wrapped.slow_crash", value::map{}));
}

TEST_F(wrapper_test, a_slow_tool_answers_from_a_thread) {
  auto r = request("wrapped.slow", value::map{{"n", 1}});
  EXPECT_FALSE(plugins.call_tool(r, outlet(posts)));
  ASSERT_EQ(posts->posts().size(), 1u);
  auto answer = unpack_tool_answer(posts->posts()[0].second);
  ASSERT_TRUE(answer && !answer->failure);
  EXPECT_EQ(*unpack(answer->value.view()), (value(value::map{{"n", 1}})));
}

TEST_F(wrapper_test, a_local_codec_answers_with_delays) {
  auto codec = plugins.make_codec("wrapped", value::map{}, "/");
  ASSERT_TRUE(codec);
  auto exchange = (*codec)->begin(value::map{});
  ASSERT_TRUE(exchange) << exchange.error().describe();
  EXPECT_EQ((*exchange)->request(), nullptr);
  auto events = (*exchange)->local();
  ASSERT_EQ(events.size(), 5u);
  EXPECT_EQ(events[0].what, model_event::what::reasoning);
  EXPECT_EQ(events[1].delay, std::chrono::milliseconds(250));
  EXPECT_EQ(events[2].args, (value(value::map{})));
  EXPECT_EQ(events[3].usage.output, 2u);
  EXPECT_EQ(events[4].text, "calls");
  auto refused = (*codec)->begin(value::map{{"model", "throws"}});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::bad_request));
}

TEST_F(wrapper_test, logs_under_the_plugins_name) {
  EXPECT_EQ(lines.lines(), words{"plugin wrapped: wrapped is set up"});
}

// -- values

TEST(sdk_value_test, packs_what_the_node_packs) {
  value_maker random(7);
  for (int i = 0; i < 300; ++i) {
    const value v = random.any(4);
    auto theirs = pack(v);
    if (!theirs) continue;
    const auto ours = sdk::unpack(sdk::to_bytes(theirs->view()));
    auto back = unpack(sdk::pack(ours));
    ASSERT_TRUE(back) << back.error().describe();
    auto again = pack(*back);
    ASSERT_TRUE(again);
    EXPECT_EQ(*again, *theirs);
    EXPECT_EQ(sdk::pack(ours), theirs->view()) << "the same data, other bytes";
  }
}

TEST(sdk_value_test, refuses_what_is_cut_or_garbage) {
  value_maker random(8);
  for (int i = 0; i < 100; ++i) {
    auto packed = pack(random.any(4));
    if (!packed) continue;
    for (std::size_t keep = 1; keep < packed->size(); keep += 1 + packed->size() / 64)
      EXPECT_THROW(sdk::unpack(sdk::to_bytes(packed->view().substr(0, keep))), sdk::failure);
  }
  for (int i = 0; i < 5000; ++i) {
    std::string noise;
    for (auto n = random.random().below(40); n > 0; --n)
      noise += static_cast<char>(random.random().next());
    try {
      (void)sdk::unpack(sdk::to_bytes(noise));
    } catch (const sdk::failure&) {
    }
    troupe_unpacker_t u = troupe_unpacker(sdk::to_bytes(noise));
    (void)troupe_skip(&u);
    (void)troupe_member(sdk::to_bytes(noise), "x");
    (void)troupe_element(sdk::to_bytes(noise), 2);
  }
}

TEST(sdk_value_test, counts_what_does_not_fit_a_c_buffer) {
  std::uint8_t small[4];
  troupe_packer_t p = troupe_packer(small, sizeof small);
  troupe_pack_string(&p, "too long");
  EXPECT_EQ(p.size, 9u);
  EXPECT_EQ(troupe_packed(&p).size, 0u);
  EXPECT_EQ(troupe_packed(&p).data, nullptr);
}

TEST(sdk_value_test, finds_members_and_elements_in_c) {
  const auto body = pack(value(value::map{{"a", value::array{1, "x", 2.5, true}}, {"b", -3}}));
  const auto all = sdk::to_bytes(body->view());
  const auto list = troupe_member(all, "a");
  EXPECT_EQ(troupe_as_int(troupe_element(list, 0), 0), 1);
  EXPECT_EQ(sdk::to_view(troupe_as_text(troupe_element(list, 1), troupe_text(""))), "x");
  EXPECT_EQ(troupe_as_double(troupe_element(list, 2), 0), 2.5);
  EXPECT_EQ(troupe_as_double(troupe_element(list, 0), 0), 1);
  EXPECT_EQ(troupe_as_bool(troupe_element(list, 3), 0), 1);
  EXPECT_EQ(troupe_as_int(troupe_member(all, "b"), 0), -3);
  EXPECT_EQ(troupe_element(list, 4).size, 0u);
  EXPECT_EQ(troupe_member(all, "c").size, 0u);
  EXPECT_EQ(troupe_as_int(troupe_member(all, "c"), 9), 9);
}

}  // namespace
}  // namespace troupe::test
