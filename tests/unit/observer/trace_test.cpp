// SPDX-License-Identifier: Apache-2.0
//
// Messages of agents, shown to those who trace them and bounded whatever the agents do.
#include "actors/observer/trace_feed.hpp"

#include <gmock/gmock.h>

#include "actors/observer/api.hpp"
#include "actors/observer/observer.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
namespace api = observer_api;

class simulated_clock final : public clock {
 public:
  explicit simulated_clock(const simulation& s) : sim_(s) {}
  instant now() const override { return sim_.now(); }
  wall_time wall() const override { return sim_.wall(); }

 private:
  const simulation& sim_;
};

struct trace_test : testing::Test {
  trace_test() {
    sim.tracing = traces.get();
    there = *sim.add("observer", std::make_unique<observer>(feed, traces));
    a = *sim.add("desk/a", [](context& ctx, envelope& e) {
      if (e.kind == kind::call) ctx.reply(e.cause, *pack("said"));
    });
  }

  struct reader {
    address at;
    std::vector<value> parts;
    value answer;
    std::string failure;
  };
  /// Traces with so much credit; keeps what comes.
  std::shared_ptr<reader> trace(const std::string& glob, value limits = nullptr,
                                std::uint32_t credit = 1000) {
    auto r = std::make_shared<reader>();
    const auto path = "reader" + std::to_string(++readers);
    r->at = *sim.add(path, [this, r, glob, limits, credit](context& ctx, envelope& e) {
      if (e.kind == kind::send && e.verb == "grant") ctx.grant(1, 1000);
      if (e.kind == kind::send && e.verb == "go")
        ctx.call(no_cause, 1, there, api::trace, *pack(value(value::array{glob, limits})),
                 {.timeout = 1h, .credit = credit});
      if (e.kind == kind::send && e.verb == "stop") ctx.cancel(1);
      if (e.kind == kind::part) r->parts.push_back(*unpack(e.body.view()));
      if (e.kind == kind::reply) r->answer = *unpack(e.body.view());
      if (e.kind == kind::error) r->failure = unpack_error(e.body).code;
    });
    sim.send(r->at, "go");
    return r;
  }
  void say(int times) {
    for (int i = 0; i < times; ++i)
      sim.send(a, "say", {i});
  }

  simulation sim;
  const simulated_clock time{sim};
  std::shared_ptr<event_feed> feed = std::make_shared<event_feed>(time);
  std::shared_ptr<trace_feed> traces = std::make_shared<trace_feed>(feed, time);
  address there, a;
  int readers = 0;
};

TEST_F(trace_test, shows_who_says_what_to_whom) {
  auto r = trace("desk/*");
  EXPECT_EQ(*sim.call(a, "ask", {1, "two"}), value("said"));
  sim.settle();
  ASSERT_EQ(r->parts.size(), 2u);
  const auto& in = r->parts[0];
  EXPECT_EQ(in["kind"], value("call"));
  EXPECT_EQ(in["verb"], value("ask"));
  EXPECT_EQ(in["path"], value("desk/a"));
  EXPECT_EQ(in["peer"], value("outside"));
  EXPECT_EQ(in["out"], value(false));
  EXPECT_EQ(in["body"], value(value::array{1, "two"}));
  EXPECT_EQ(r->parts[1]["out"], value(true));
  EXPECT_EQ(r->parts[1]["body"], value("said"));
}

TEST_F(trace_test, ends_at_its_number_its_time_or_its_bytes) {
  auto number = trace("desk/a", value::map{{"count", 3}});
  auto bytes = trace("desk/a", value::map{{"bytes", 500}, {"count", 1000}});
  auto seconds = trace("desk/a", value::map{{"seconds", 0.5}});
  say(10);
  EXPECT_EQ(number->parts.size(), 3u);
  EXPECT_EQ(number->answer["ended"], value("count"));
  EXPECT_LT(bytes->parts.size(), 10u);
  EXPECT_EQ(bytes->answer["ended"], value("bytes"));
  EXPECT_TRUE(seconds->answer.is_nil());
  sim.advance(1s);
  EXPECT_EQ(seconds->answer["ended"], value("seconds"));
  EXPECT_EQ(seconds->answer["shown"], value(10));
  EXPECT_EQ((*sim.call(there, inspect_verb))["behaviour"]["traces"], value(0));
}

TEST_F(trace_test, drops_what_comes_too_fast_and_tells_how_much) {
  auto r = trace("desk/a", value::map{{"rate", 5}, {"count", 100}});
  say(20);
  sim.advance(1s);
  say(20);
  sim.advance(1min);
  EXPECT_EQ(r->parts.size(), 10u);
  EXPECT_EQ(r->answer["dropped"], value(30));
}

TEST_F(trace_test, keeps_a_bounded_number_for_who_reads_slowly) {
  auto slow = trace("desk/a", value::map{{"count", 1000}}, 1);
  say(1000);
  EXPECT_EQ(slow->parts.size(), 1u);
  EXPECT_TRUE(slow->answer.is_nil()) << "what it did not read yet comes first";
  sim.send(slow->at, "grant");
  EXPECT_LE(slow->parts.size(), 300u);
  EXPECT_EQ(slow->answer["shown"].as_int() + slow->answer["dropped"].as_int(), 1000);
}

TEST_F(trace_test, does_not_show_itself_nor_its_reader) {
  auto r = trace("*", value::map{{"seconds", 1}});
  say(1);
  sim.advance(2s);
  for (const auto& m : r->parts) {
    EXPECT_NE(m["path"], value("observer"));
    EXPECT_NE(m["peer"], value("observer"));
    EXPECT_NE(m["path"], value("reader1"));
  }
  EXPECT_EQ(r->parts.size(), 1u);
}

TEST_F(trace_test, leaves_out_bodies_above_its_bound) {
  auto r = trace("desk/a", value::map{{"body", 10}});
  sim.send(a, "say", {std::string(100, 'x')});
  ASSERT_EQ(r->parts.size(), 1u);
  EXPECT_TRUE(r->parts[0]["body"].is_nil());
  EXPECT_GT(r->parts[0]["size"].as_int(), 100);
}

TEST_F(trace_test, sees_agents_that_come_later_and_stops_with_its_caller) {
  auto r = trace("desk/*");
  auto b = *sim.add("desk/b", [](context&, envelope&) {});
  sim.settle();
  r->parts.clear();  // the answer to its start
  sim.send(b, "say");
  EXPECT_EQ(r->parts.size(), 1u);
  sim.send(r->at, "stop");
  sim.send(b, "say");
  EXPECT_EQ(r->parts.size(), 1u);
  EXPECT_EQ((*sim.call(there, inspect_verb))["behaviour"]["traces"], value(0));
}

TEST_F(trace_test, bounds_the_number_of_traces_and_starts_none_over_a_dead_observer) {
  for (std::size_t i = 0; i < trace_feed::most_traces; ++i)
    trace("desk/a");
  EXPECT_EQ(trace("desk/a")->failure, "overloaded");
  sim.exit(there, errc::kill);
  there = *sim.add("observer", std::make_unique<observer>(feed, traces));
  EXPECT_EQ(trace("desk/a")->failure, "");
}

TEST_F(trace_test, refuses_limits_that_it_does_not_have) {
  EXPECT_EQ(trace("a", value::map{{"cuont", 1}})->failure, "bad_argument");
  EXPECT_EQ(trace("a", value::map{{"count", 0}})->failure, "bad_argument");
  EXPECT_EQ(trace("a", value::map{{"rate", 1e9}})->failure, "bad_argument");
  EXPECT_EQ(trace("a", value::map{{"seconds", "long"}})->failure, "bad_argument");
  EXPECT_EQ(trace("a", 5)->failure, "bad_argument");
}

}  // namespace
}  // namespace troupe::test
