// SPDX-License-Identifier: Apache-2.0
//
// Far ends that do not behave: the test itself plays the worker.
#include <gmock/gmock.h>

#include "channel/frame.hpp"
#include "channel/message_frame.hpp"
#include "unit/channel/world.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class far_end_test : public world {
 protected:
  /// Starts an agent up to where its worker has the greeting and the start.
  void begin(remote_limits limits = {}) {
    agent = begin_start("hostile", std::make_unique<played_far_end>(log), limits);
    until([&] { return static_cast<bool>(log->theirs); });
    EXPECT_EQ(receive().name, "hello");
    start_frame = receive();
    EXPECT_EQ(start_frame.fields["kind"].as_string(), "start");
  }
  void begin_and_answer(remote_limits limits = {}) {
    begin(limits);
    frame f{"started"};
    f.fields.set("on", start_frame.fields["cause"]);
    f.fields.set("protocol", channel_protocol);
    say(f);
    say({"done", value::map{{"on", start_frame.fields["cause"]}}});
    EXPECT_TRUE(answer_to(start_).got);
  }

  void begin_with_slots(int slots, remote_limits limits) {
    begin(limits);
    frame f{"started", value::map{{"on", start_frame.fields["cause"]}}};
    f.fields.set("protocol", channel_protocol);
    f.fields.set("slots", slots);
    say(f);
    EXPECT_TRUE(answer_to(start_).got);
  }

  frame receive() {
    std::optional<frame> f;
    until([&] {
      auto payload = in.next();
      while (payload && !*payload && in.read_from(log->theirs.get(), 64u << 10) == io_state::more)
        payload = in.next();
      if (payload && *payload) f = *decode(**payload, {});
      return f.has_value();
    });
    return f.value_or(frame{});
  }
  void say(const frame& f) { say(encode(f, {})->view()); }
  void say(std::string_view raw) {
    ASSERT_EQ(::send(log->theirs.get(), raw.data(), raw.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(raw.size()));
  }
  /// The far end is gone, as its starter sees it.
  void is_over() {
    log->theirs.reset();
    log->to.post("far.over", {});
  }
  /// It was killed for what it did; after that it is gone.
  const error& ends_by_kill() {
    until([&] { return log->kills > 0; });
    EXPECT_EQ(sim->reason_of(agent), nullptr) << "ended before its far end";
    is_over();
    return reason_of(agent);
  }

  address agent;
  frame start_frame;
  frame_reader in{frame_limits{}.frame()};
};

value::map on(const value& cause) {
  return {{"on", cause}};
}

TEST_F(far_end_test, garbage_ends_it_with_a_crash) {
  begin_and_answer();
  say("GET / HTTP/1.1\r\n\r\n");
  const auto& why = ends_by_kill();
  EXPECT_TRUE(why.is(errc::crash));
  EXPECT_EQ(why.message,
            "the worker broke the protocol: a frame of 1195725856 bytes is above the limit of "
            "16842752");
}

TEST_F(far_end_test, garbage_before_it_is_ready_fails_its_start) {
  begin();
  say(std::string_view("\0\0\0\0", 4));
  ends_by_kill();
  EXPECT_EQ(answer_to(start_).got.error().message,
            "the worker broke the protocol: a frame has no bytes");
}

TEST_F(far_end_test, each_broken_frame_is_refused_with_a_sentence) {
  const std::vector<std::pair<frame, std::string>> cases = {
      {{"fly"}, "there is no frame `fly`"},
      {{"call"}, "call: id: expected an integer from 1 to 2^62 - 1, got nil"},
      {{"send", value::map{{"to", 1}, {"verb", "x"}, {"args", "x"}}},
       "send: to: expected an address or a name, got integer"},
      {{"send", value::map{{"to", "x"}, {"verb", "@start"}, {"args", "x"}}},
       "send: verb: expected a verb of an agent, got string"},
      {{"started", value::map{{"on", 1}, {"protocol", 1}}},
       "started: there is no start that waits for an answer"},
      {{"log", value::map{{"level", "loud"}, {"message", "x"}}},
       "log: level: expected debug, info, warning or error, got string"},
      {{"exit", value::map{{"why", "bored"}}}, "exit: why: expected an error, got string"},
      {{"set_timer", value::map{{"id", 1}, {"delay", "soon"}}},
       "set_timer: delay: expected seconds, got string"},
  };
  for (const auto& [f, sentence] : cases) {
    log = std::make_shared<far_log>();
    in = frame_reader(frame_limits{}.frame());
    begin_and_answer();
    say(f);
    EXPECT_THAT(ends_by_kill().message, HasSubstr(sentence));
  }
}

TEST_F(far_end_test, another_protocol_is_refused) {
  begin();
  frame f{"started", on(start_frame.fields["cause"])};
  f.fields.set("protocol", 9);
  say(f);
  ends_by_kill();
  auto& got = answer_to(start_);
  EXPECT_TRUE(got.got.error().is(errc::abi));
  EXPECT_EQ(got.got.error().message, "the worker speaks protocol 9 of the channel, this node 1");
}

TEST_F(far_end_test, an_id_that_is_open_is_refused) {
  begin_and_answer();
  const frame sleep{"sleep", value::map{{"id", 1}, {"delay", 10}}};
  say(sleep);
  say(sleep);
  EXPECT_THAT(ends_by_kill().message, HasSubstr("the id 1 of calls is open"));
}

TEST_F(far_end_test, what_it_leaves_open_is_bounded) {
  remote_limits limits;
  limits.open_requests = 10;
  begin_and_answer(limits);
  for (int i = 1; i <= 11; ++i)
    say({"set_timer", value::map{{"id", i}, {"delay", 1000}}});
  const auto& why = ends_by_kill();
  EXPECT_TRUE(why.is(errc::limit));
  EXPECT_EQ(why.message, "more than 10 timers are open");
  EXPECT_EQ(why.data["what"], value("channel"));
}

TEST_F(far_end_test, links_count_once_and_until_they_end) {
  remote_limits limits;
  limits.open_requests = 2;
  begin_with_slots(1000, limits);
  const auto add = [&] { return sim->add("linked", [](context&, envelope&) {}).value(); };
  const auto links = [&] { return sim->call(agent, inspect_verb)->find("links")->as_int(); };
  say({"trap_exits", value::map{{"value", true}}});
  for (int round = 0; round < 3; ++round) {
    const auto other = add();
    for (int i = 0; i < 10; ++i) {
      say({"link", value::map{{"to", to_value(other)}}});
      say({"link", value::map{{"to", "linked"}}});
      say({"link", value::map{{"to", to_value(agent)}}});
    }
    say({"unlink", value::map{{"to", "linked"}}});
    say({"link", value::map{{"to", to_value(other)}}});
    until([&] { return links() == 1; });
    sim->exit(other, errc::kill);
    until([&] { return links() == 0; });
  }
  EXPECT_EQ(log->kills, 0);
  for (int i = 0; i < 3; ++i)
    say({"link", value::map{{"to", to_value(add())}}});
  EXPECT_EQ(ends_by_kill().message, "more than 2 links are open");
}

TEST_F(far_end_test, one_that_never_reads_is_ended_after_a_while) {
  remote_limits limits;
  limits.waiting = 1u << 20;
  begin_with_slots(1000, limits);
  for (int i = 0; i < 40; ++i)
    sim->send(agent, "take", {std::string(50'000, 'x')});
  EXPECT_EQ(log->kills, 0);
  sim->advance(11s);
  const auto& why = ends_by_kill();
  EXPECT_TRUE(why.is(errc::limit));
  EXPECT_THAT(why.message, HasSubstr("the worker does not read: "));
}

TEST_F(far_end_test, one_that_reads_slowly_is_not_ended) {
  remote_limits limits;
  limits.waiting = 1u << 20;
  begin_with_slots(1000, limits);
  for (int i = 0; i < 40; ++i)
    sim->send(agent, "take", {std::string(50'000, 'x')});
  for (int i = 0; i < 40; ++i) {
    receive();
    sim->advance(4s);
    ASSERT_EQ(log->kills, 0);
  }
}

TEST_F(far_end_test, no_more_than_a_bound_waits_for_one_that_never_reads) {
  remote_limits limits;
  limits.waiting_at_most = limits.waiting = 1u << 20;
  begin_with_slots(1000, limits);
  int sent = 0;
  while (log->kills == 0 && ++sent < 1000)
    sim->send(agent, "take", {std::string(50'000, 'x')});
  EXPECT_LT(sent, 60) << "more was kept than allowed";
  const auto& why = ends_by_kill();
  EXPECT_TRUE(why.is(errc::limit));
  EXPECT_THAT(why.message, HasSubstr("the worker does not read: "));
  EXPECT_EQ(why.data["what"], value("channel"));
}

TEST_F(far_end_test, one_that_reads_late_gets_everything_in_order) {
  begin_and_answer();
  std::vector<call_id> calls;
  for (int i = 0; i < 3; ++i)
    calls.push_back(begin_call(agent, "take", {i, std::string(1u << 20, 'x')}));
  for (int i = 0; i < 3; ++i) {
    const auto f = receive();
    EXPECT_EQ(unpack(f.fields["body"].as_string())->as_array().at(0), value(i));
    say({"reply", value::map{{"on", f.fields["cause"]}, {"body", value::binary{"\x01"}}}});
    say({"done", on(f.fields["cause"])});
  }
  for (const auto id : calls)
    EXPECT_EQ(answer_to(id).data(), value(1));
}

TEST_F(far_end_test, a_frame_that_is_never_completed_ends_it) {
  begin_and_answer();
  say(std::string_view("\0\0\0\x20\x92", 5));
  until([&] { return sim->call(agent, inspect_verb)->find("calls")->as_int() == 1; });
  sim->advance(31s);
  const auto& why = ends_by_kill();
  EXPECT_TRUE(why.is(errc::limit));
  EXPECT_EQ(why.message, "the worker began a frame and did not complete it");
}

TEST_F(far_end_test, the_reason_is_how_it_ended) {
  begin_and_answer();
  log->reason = error(errc::crash, "worker ended by SIGSEGV");
  is_over();
  EXPECT_EQ(reason_of(agent).message, "worker ended by SIGSEGV");
}

TEST_F(far_end_test, an_end_without_complaint_is_normal_only_if_nothing_was_owed) {
  begin();
  is_over();
  EXPECT_TRUE(reason_of(agent).is(errc::crash));
  EXPECT_EQ(answer_to(start_).got.error().message,
            "worker ended with exit code 0 before it was ready");

  log = std::make_shared<far_log>();
  in = frame_reader(frame_limits{}.frame());
  begin_and_answer();
  begin_call(agent, "go");
  receive();
  is_over();
  EXPECT_TRUE(reason_of(agent).is(errc::crash));
  EXPECT_EQ(reason_of(agent).message, "worker ended with exit code 0 while it served 1 message");

  log = std::make_shared<far_log>();
  in = frame_reader(frame_limits{}.frame());
  begin_and_answer();
  is_over();
  EXPECT_TRUE(reason_of(agent).is(errc::normal));
}

TEST_F(far_end_test, its_last_frames_count_although_its_end_was_heard_first) {
  begin_and_answer();
  const auto id = begin_call(agent, "go");
  const auto f = receive();
  say({"reply", value::map{{"on", f.fields["cause"]}, {"body", value::binary{"\x07"}}}});
  say({"exit", value::map{{"why", to_value(error(errc::failed, "had enough"))}}});
  is_over();
  EXPECT_EQ(answer_to(id).data(), value(7));
  EXPECT_EQ(reason_of(agent).message, "had enough");
}

TEST_F(far_end_test, one_that_closes_its_channel_and_goes_on_is_killed) {
  begin_and_answer();
  log->theirs.reset();
  until([&] { return sim->call(agent, inspect_verb)->find("calls")->as_int() == 1; });
  sim->advance(6s);
  EXPECT_EQ(ends_by_kill().message, "the worker closed its channel and went on");
}

TEST_F(far_end_test, one_that_asks_to_end_and_stays_is_killed_after_a_while) {
  begin_and_answer();
  say({"exit", value::map{{"why", to_value(error(errc::normal, "done"))}}});
  until([&] { return sim->call(agent, inspect_verb)->find("calls")->as_int() == 1; });
  EXPECT_EQ(log->kills, 0);
  sim->advance(6s);
  EXPECT_TRUE(ends_by_kill().is(errc::normal));
}

TEST_F(far_end_test, one_that_survives_its_kill_does_not_hold_the_agent_for_ever) {
  begin_and_answer();
  say(frame{"fly"});
  until([&] { return log->kills > 0; });
  sim->advance(11s);
  EXPECT_TRUE(reason_of(agent).is(errc::crash));
  EXPECT_THAT(sim->log_lines, testing::ElementsAre("hostile: a killed worker does not end"));
}

TEST_F(far_end_test, a_kill_destroys_the_far_end_at_once) {
  begin_and_answer();
  sim->exit(agent, errc::kill);
  EXPECT_TRUE(log->destroyed);
  EXPECT_TRUE(sim->reason_of(agent)->is(errc::killed));
}

TEST_F(far_end_test, a_flood_of_frames_does_not_starve_other_agents) {
  begin_and_answer();
  const auto one = *encode({"cancel", value::map{{"id", 1}}}, {});
  std::string flood;
  while (flood.size() < 1u << 20)
    flood += one.view();
  std::size_t sent = 0;
  ASSERT_TRUE(sim->add("other", [](context& ctx, envelope& e) { ctx.reply(e.cause, *pack(1)); }));
  for (int calls = 0; calls < 20; ++calls) {
    const auto n = ::send(log->theirs.get(), flood.data() + sent, flood.size() - sent,
                          MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) sent += static_cast<std::size_t>(n);
    const auto before = sim->call(agent, inspect_verb)->find("handled")->as_int();
    io->step(0);
    EXPECT_EQ(*sim->call("other", "ping"), value(1));
    sim->settle();
    EXPECT_LE(sim->call(agent, inspect_verb)->find("handled")->as_int(), before + 1)
        << "one turn reads one piece";
  }
}

}  // namespace
}  // namespace troupe::test
