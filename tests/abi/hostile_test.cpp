// SPDX-License-Identifier: Apache-2.0
//
// A plugin that loads and then throws, answers garbage, keeps handles and posts from its own
// threads: what a node makes of it.
#include <latch>
#include <thread>

#include "fixture.hpp"
#include "unit/core/node_fixture.hpp"

namespace troupe::test {
namespace {

class hostile_test : public plugin_test {
 protected:
  void SetUp() override { add(made_for_tests("hostile")); }

  /// Why the agent at `x` ended after a call of `verb`.
  std::string end_of(const std::string& verb) {
    auto who = start("hostile", "villain");
    if (!who) return who.error().describe();
    auto answer = world.call(*who, verb);
    world.settle();
    const error* reason = world.reason_of(*who);
    if (reason == nullptr) return "lives";
    EXPECT_FALSE(answer);
    return reason->code + ": " + reason->message;
  }
};

// -- agents

TEST_F(hostile_test, a_throw_in_create_is_a_failed_start) {
  auto thrown = start("hostile", "villain", value::map{{"create", "throws"}});
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().message, "plugin hostile: villain: create threw: create threw");
  auto failed = start("hostile", "villain", value::map{{"create", "fails"}});
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().is(errc::denied));
  EXPECT_EQ(failed.error().message, "the villain stays at home");
  auto garbage = start("hostile", "villain", value::map{{"create", "garbage"}});
  ASSERT_FALSE(garbage);
  EXPECT_EQ(garbage.error().message,
            "plugin hostile: villain: create returned -1000, which means nothing");
}

struct misdeed {
  const char* verb;
  const char* reason;
};
void PrintTo(const misdeed& m, std::ostream* out) {
  *out << m.verb;
}
class misdeed_test : public hostile_test, public testing::WithParamInterface<misdeed> {};

TEST_P(misdeed_test, ends_the_agent_with_a_reason_that_names_the_plugin) {
  EXPECT_EQ(end_of(GetParam().verb),
            std::string("crash: plugin hostile: villain: ") + GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    agents, misdeed_test,
    testing::Values(
        misdeed{"throw", "receive threw: not my day"},
        misdeed{"throw_int", "receive threw something that is no std::exception"},
        misdeed{"garbage", "receive returned 77, which means nothing"},
        misdeed{"bad_reply", "gave a reply that can't be sent: body: not MessagePack"},
        misdeed{"bad_bytes",
                "gave a reply that can't be sent: no bytes where there should be a body"},
        misdeed{"bad_verb", "gave a verb that is not UTF-8"},
        misdeed{"bad_args", "gave arguments that are no list"},
        misdeed{"bad_target", "gave a target that is neither an address nor a name"},
        misdeed{"bad_call_id", "gave a call the id 0: from 1 to 2^63 - 1 are its own"},
        misdeed{"high_call_id",
                "gave a call the id 9223372036854775808: from 1 to 2^63 - 1 are its own"},
        misdeed{"bad_options", "gave call options that are garbage"}),
    [](const auto& info) { return std::string(info.param.verb); });

TEST_F(hostile_test, an_unknown_verb_is_the_callers_error_and_no_crash) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "unknown");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::unknown_verb));
  EXPECT_EQ(end_of("unknown"), "lives");
}

TEST_F(hostile_test, a_call_that_is_done_without_an_answer_is_answered_with_nil) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "silent");
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_TRUE(answer->is_nil());
}

TEST_F(hostile_test, an_error_that_is_garbage_is_an_error_all_the_same) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "fail_null");
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::failed));
  EXPECT_EQ(end_of("exit_badly"), "broken: (text that is not UTF-8)");
}

TEST_F(hostile_test, a_turn_leads_nowhere_on_another_thread) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "use_on_thread");
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("from the right thread"));
}

TEST_F(hostile_test, a_turn_leads_nowhere_after_its_end) {
  auto who = start("hostile", "villain");
  ASSERT_TRUE(who);
  ASSERT_TRUE(world.call("x", "keep_turn"));
  world.exit(*who, errc::kill);  // destroy uses the handle, and throws
  world.settle();
  EXPECT_FALSE(world.alive(*who));
}

TEST_F(hostile_test, an_outlet_brings_an_event_while_a_call_is_open) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "ring_later");
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("ring"));
}

TEST_F(hostile_test, an_outlet_refuses_garbage) {
  ASSERT_TRUE(start("hostile", "villain"));
  auto answer = world.call("x", "bad_posts");
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("refused"));
}

TEST_F(hostile_test, a_post_from_a_thread_after_the_agent_died_is_dropped) {
  // The plugin's `close` posts, and aborts if anybody takes it.
  auto who = start("hostile", "ghost");
  ASSERT_TRUE(who);
  (void)world.call(*who, "leave");
  world.settle();
  ASSERT_FALSE(world.alive(*who));
}

TEST_F(hostile_test, a_stop_ends_an_agent_that_does_nothing_about_it) {
  auto who = start("hostile", "villain");
  ASSERT_TRUE(who);
  world.exit(*who, errc::shutdown);
  world.settle();
  EXPECT_FALSE(world.alive(*who));
}

TEST_F(hostile_test, inspect_survives_a_plugin_that_throws) {
  auto actions = plugins.make_agent("hostile", "villain", value::map{});
  ASSERT_TRUE(actions);
  behaviour* raw = actions->get();
  ASSERT_TRUE(world.add("x", std::move(*actions)));
  const value shown = raw->inspect();
  EXPECT_EQ(shown["plugin"], value("hostile 1.0.0"));
  EXPECT_EQ(shown["error"], value("plugin hostile: villain: inspect threw: inspect threw"));
}

// -- tools

TEST_F(hostile_test, a_tool_that_goes_wrong_fails_its_call_and_names_itself) {
  const auto message = [&](const std::string& tool) {
    auto answer = call_tool(tool, value::map{});
    return answer ? "answered" : answer.error().code + ": " + answer.error().message;
  };
  EXPECT_EQ(message("hostile.throw"),
            "crash: tool hostile.throw of plugin hostile threw: tool threw");
  EXPECT_EQ(message("hostile.number"),
            "bad_response: tool hostile.number of plugin hostile returned 77, which means nothing");
  EXPECT_EQ(message("hostile.silent"),
            "bad_response: tool hostile.silent of plugin hostile returned without an answer");
  EXPECT_EQ(
      message("hostile.garbage"),
      "bad_body: tool hostile.garbage of plugin hostile answered garbage: body: not MessagePack");
  EXPECT_EQ(message("hostile.fail_null"),
            "failed: tool hostile.fail_null of plugin hostile: failed, and its error is garbage");
  EXPECT_EQ(message("hostile.throw_open"), "answered");
}

TEST_F(hostile_test, the_first_answer_of_a_tool_counts) {
  auto answer = call_tool("hostile.twice", value::map{});
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value(1));
}

TEST_F(hostile_test, a_tool_can_not_answer_more_than_it_may) {
  auto r = request("hostile.big", value::map{});
  r.max_result = 1000;
  auto answer = plugins.call_tool(r, outlet(posts));
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_TRUE(answer->error().is(errc::too_big));
}

TEST_F(hostile_test, a_tool_may_answer_from_its_own_thread) {
  auto r = request("hostile.slow", value::map{});
  EXPECT_FALSE(plugins.call_tool(r, outlet(posts)));
  ASSERT_EQ(posts->posts().size(), 1u);
  const auto [verb, body] = posts->posts()[0];
  EXPECT_EQ(verb, tool_answer_verb);
  auto answer = unpack_tool_answer(body);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, r.id);
  EXPECT_FALSE(answer->failure);
  EXPECT_TRUE(unpack(answer->value.view())->is_nil());
}

TEST_F(hostile_test, an_open_call_is_cancelled_by_its_id_and_a_throw_is_contained) {
  auto r = request("hostile.hang", value::map{});
  EXPECT_FALSE(plugins.call_tool(r, outlet(posts)));
  EXPECT_TRUE(posts->posts().empty());
  plugins.cancel_tool("hostile.hang", 0, r.id);
  EXPECT_EQ(posts->posts().size(), 1u)
      << "an answer after cancel still arrives, and is dropped there";
}

TEST_F(hostile_test, lists_tools_with_their_schema) {
  auto tools = plugins.tools();
  ASSERT_EQ(tools.size(), 11u);
  EXPECT_EQ(tools[0].name, "hostile.throw");
  EXPECT_TRUE(tools[0].parameters.is_map());
  EXPECT_EQ(tools[0].origin, "hostile");
}

// -- codecs

class codec_misdeed_test : public hostile_test, public testing::WithParamInterface<misdeed> {};

TEST_P(codec_misdeed_test, is_an_error_that_names_the_plugin) {
  auto codec = plugins.make_codec("hostile", value::map{{"how", GetParam().verb}}, "/");
  ASSERT_TRUE(codec) << codec.error().describe();
  auto exchange = (*codec)->begin(value::map{});
  std::string seen;
  if (!exchange) {
    seen = exchange.error().message;
  } else {
    model_events events = (*exchange)->local();
    if ((*exchange)->request() != nullptr) {
      for (auto& e : (*exchange)->response(200, {}))
        events.push_back(std::move(e));
      for (auto& e : (*exchange)->feed("x"))
        events.push_back(std::move(e));
      for (auto& e : (*exchange)->finish())
        events.push_back(std::move(e));
    }
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back().what, model_event::what::error);
    EXPECT_EQ(events.back().fault, model_fault::fatal);
    seen = events.back().why.message;
  }
  EXPECT_EQ(seen, std::string("plugin hostile: hostile: ") + GetParam().reason);
}

INSTANTIATE_TEST_SUITE_P(
    codecs, codec_misdeed_test,
    testing::Values(
        misdeed{"begin throws", "begin threw: begin threw"},
        misdeed{"begin garbage", "begin returned 77, which means nothing"},
        misdeed{"neither", "begin: asked neither for HTTP nor for a local answer, or for both"},
        misdeed{"both", "begin: asked neither for HTTP nor for a local answer, or for both"},
        misdeed{"url", "begin: made a request with a URL that is neither http nor https"},
        misdeed{"header", "begin: made a request with a header that is garbage"},
        misdeed{"headers null", "begin: made a request with headers that are garbage"},
        misdeed{"body null", "begin: made a request with a body that is garbage"},
        misdeed{"http null", "begin: made a request with headers that are garbage"},
        misdeed{"local without end", "ended without a stop or an error"},
        misdeed{"nothing at all", "ended without a stop or an error"},
        misdeed{"feed throws", "feed threw: feed threw"},
        misdeed{"event null", "put an event that is garbage"},
        misdeed{"event type", "put an event that is garbage"},
        misdeed{"event text", "put an event that is garbage"},
        misdeed{"event fault", "put an event that is garbage"}),
    [](const auto& info) {
      std::string name = info.param.verb;
      for (char& c : name)
        if (c == ' ') c = '_';
      return name;
    });

TEST_F(hostile_test, nothing_follows_the_end_of_an_answer) {
  auto codec = plugins.make_codec("hostile", value::map{{"how", "goes on after the end"}}, "/");
  ASSERT_TRUE(codec);
  auto exchange = (*codec)->begin(value::map{});
  ASSERT_TRUE(exchange);
  codec->reset();  // an exchange may outlive its codec
  auto events = (*exchange)->feed("x");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].what, model_event::what::stop);
  EXPECT_TRUE((*exchange)->feed("x").empty());
  EXPECT_TRUE((*exchange)->finish().empty());
}

TEST_F(hostile_test, a_codec_that_can_not_be_made_says_why) {
  auto codec = plugins.make_codec("hostile", value::map{}, "/");
  ASSERT_FALSE(codec);
  EXPECT_TRUE(codec.error().is(errc::config));
  EXPECT_EQ(codec.error().message, "hostile: how is missing");
}

TEST_F(hostile_test, an_agent_that_never_comes_back_is_found_and_named_and_others_go_on) {
  event_list events;
  node_carrier node({.threads = 1,
                     .spare_threads = 1,
                     .patience = std::chrono::milliseconds(30),
                     .events = &events});
  auto door = *gateway::open(node, "test");
  std::vector<address> all;
  for (const char* path : {"hangs", "other"}) {
    process_init init;
    init.path = path;
    init.actions = *plugins.make_agent("hostile", "villain", value::map{});
    all.push_back(*door->start(std::move(init)));
  }
  std::latch back(1);
  door->begin_call(all[0], "hang", *pack(value(value::array{})), {.timeout = std::chrono::hours(1)},
                   [&](result<bytes> answer) {
                     EXPECT_TRUE(answer);
                     back.count_down();
                   });
  while (events.of(runtime_event::what::stuck).empty())
    std::this_thread::yield();
  const auto found = events.of(runtime_event::what::stuck).at(0);
  EXPECT_EQ(found.path, "hangs");
  EXPECT_EQ(found.data["in"], value("plugin hostile: villain: receive"));
  EXPECT_TRUE(door->call(all[1], "release", *pack(value(value::array{}))))
      << "the only thread was replaced";
  back.wait();
  door.reset();
}

}  // namespace
}  // namespace troupe::test
