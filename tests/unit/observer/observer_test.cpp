// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/observer.hpp"

#include <gmock/gmock.h>

#include <mutex>
#include <thread>

#include "actors/observer/api.hpp"
#include "agent/answers.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
namespace api = observer_api;
using what = enum runtime_event::what;
using namespace std::chrono_literals;

class still_clock final : public clock {
 public:
  instant now() const override { return instant(1h); }
  wall_time wall() const override { return wall_time(100s); }
};

runtime_event event(what kind, const std::string& path, error reason = {}) {
  return {kind, {}, path, std::move(reason), {}};
}

struct observer_test : testing::Test {
  observer_test() { there = *sim.add("observer", std::make_unique<observer>(feed)); }

  void report(const runtime_event& e) {
    feed->on_event(e);
    sim.settle();
  }
  value::array events(value::array args = {}) {
    const auto said = sim.call(there, api::events, std::move(args));
    EXPECT_TRUE(said) << said.error().describe();
    return said ? said->as_array() : value::array{};
  }
  std::vector<std::string> paths(value::array args = {}) {
    std::vector<std::string> list;
    for (const auto& e : events(std::move(args)))
      list.emplace_back(e["path"].as_string());
    return list;
  }

  /// Follows, with as much credit as `credit`; keeps the parts.
  struct follower {
    address at;
    std::vector<value> parts;
    std::string failure;
  };
  std::shared_ptr<follower> follow(std::uint32_t credit, value::array args = {}) {
    auto f = std::make_shared<follower>();
    const auto path = "follower" + std::to_string(++followers);
    f->at = *sim.add(path, [this, f, args, credit](context& ctx, envelope& e) {
      if (e.kind == kind::send)
        ctx.call(no_cause, 1, there, api::follow, *pack(value(args)),
                 {.timeout = duration::max(), .credit = credit});
      if (e.kind == kind::event) ctx.grant(1, 1);
      if (e.kind == kind::part) f->parts.push_back(*unpack(e.body.view()));
      if (e.kind == kind::error) f->failure = unpack_error(e.body).code;
    });
    sim.send(f->at, "go");
    return f;
  }
  void grant(const follower& f) {
    sim.outlet_to(f.at).post("more", {});
    sim.settle();
  }

  still_clock time;
  std::shared_ptr<event_feed> feed = std::make_shared<event_feed>(time);
  simulation sim;
  address there;
  int followers = 0;
};

TEST_F(observer_test, counts_what_happens) {
  report(event(what::started, "a"));
  report(event(what::ended, "a", {errc::normal, ""}));
  report(event(what::ended, "b", {errc::shutdown, ""}));
  report(event(what::ended, "c", {errc::crash, "boom"}));
  report(event(what::dead_letter, "d"));
  report(event(what::late_reply, "e"));
  report(event(what::expired, "f"));
  report(event(what::restarted, "c"));
  report(event(what::given_up, "g"));
  const auto seen = *sim.call(there, api::counters);
  EXPECT_EQ(seen["started"], value(1));
  EXPECT_EQ(seen["ended"], value(3));
  EXPECT_EQ(seen["crashed"], value(1));
  EXPECT_EQ(seen["dead_letters"], value(1));
  EXPECT_EQ(seen["late_replies"], value(1));
  EXPECT_EQ(seen["expired"], value(1));
  EXPECT_EQ(seen["restarted"], value(1));
  EXPECT_EQ(seen["given_up"], value(1));
  EXPECT_EQ(seen["unseen"], value(0));
  EXPECT_EQ(events().back()["what"], value("given_up"));
}

TEST_F(observer_test, tells_an_event_with_its_time_reason_and_data) {
  auto e = event(what::restarted, "desk/writer", {errc::crash, "writer.lua:3: boom"});
  e.agent = there;
  e.data.set("ms", 0.1).set("count", 1).set("intensity", 5);
  report(e);
  const auto seen = events().at(0);
  EXPECT_EQ(seen["n"], value(1));
  EXPECT_EQ(seen["at"], value(100.0));
  EXPECT_EQ(seen["what"], value("restarted"));
  EXPECT_EQ(seen["path"], value("desk/writer"));
  EXPECT_EQ(seen["agent"], value(there.to_string())) << "text, which nobody can send to";
  EXPECT_EQ(error_from(seen["reason"]).message, "writer.lua:3: boom");
  EXPECT_EQ(seen["data"]["intensity"], value(5));
}

TEST_F(observer_test, keeps_the_newest_and_answers_as_many_as_are_asked_for) {
  for (std::size_t i = 0; i < api::kept + 5; ++i)
    report(event(what::started, std::to_string(i)));
  EXPECT_EQ(events().size(), 100u);
  EXPECT_THAT(paths({2}), ElementsAre("1003", "1004"));
  const auto all = paths({5000});
  EXPECT_EQ(all.size(), api::kept);
  EXPECT_EQ(all.front(), "5");
  EXPECT_THAT(paths({0}), IsEmpty());
}

TEST_F(observer_test, answers_those_whose_path_matches) {
  for (const char* path : {"desk/a", "shop/b", "desk/c"})
    report(event(what::started, path));
  EXPECT_THAT(paths({1, "desk/*"}), ElementsAre("desk/c"));
  EXPECT_THAT(paths({10, "desk/*"}), ElementsAre("desk/a", "desk/c"));
}

TEST_F(observer_test, sends_events_to_those_who_follow_as_they_come) {
  auto all = follow(10), desk = follow(10, {"desk/*"});
  report(event(what::started, "desk/a"));
  report(event(what::started, "shop/b"));
  ASSERT_EQ(all->parts.size(), 2u);
  ASSERT_EQ(desk->parts.size(), 1u);
  EXPECT_EQ(desk->parts[0]["path"], value("desk/a"));
}

TEST_F(observer_test, drops_events_for_a_slow_follower_and_tells_it_how_many) {
  auto slow = follow(1);
  for (const char* path : {"a", "b", "c"})
    report(event(what::started, path));
  ASSERT_EQ(slow->parts.size(), 1u);
  grant(*slow);
  report(event(what::started, "d"));
  ASSERT_EQ(slow->parts.size(), 2u);
  EXPECT_EQ(slow->parts[1]["path"], value("d"));
  EXPECT_EQ(slow->parts[1]["dropped"], value(2));
  grant(*slow);
  report(event(what::started, "e"));
  EXPECT_TRUE(slow->parts[2]["dropped"].is_nil()) << "told once";
}

TEST_F(observer_test, forgets_a_follower_that_ends) {
  auto f = follow(10);
  EXPECT_EQ((*sim.call(there, inspect_verb))["behaviour"]["followers"], value(1));
  sim.exit(f->at, errc::kill);
  EXPECT_EQ((*sim.call(there, inspect_verb))["behaviour"]["followers"], value(0));
}

TEST_F(observer_test, bounds_the_number_of_followers) {
  for (std::size_t i = 0; i < api::most_followers; ++i)
    follow(1);
  EXPECT_EQ(follow(1)->failure, "overloaded");
}

TEST_F(observer_test, shows_the_progress_that_agents_report) {
  value v = value::map{};
  process_init init;
  init.path = "reader";
  init.rights = std::make_shared<authority>(authority{*grants::from(v), "reader", {}});
  init.actions = std::make_unique<lambda_behaviour>([this](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.send(no_cause, there, api::progress, std::move(e.body));
  });
  const auto reader = *sim.add(std::move(init));
  sim.send(reader, "go", {0.4, "half way"});
  sim.send(reader, "go", {std::string("much")});
  sim.send(reader, "go", {2.0, "too far"});
  sim.send(reader, "go", {0.5, std::string(2 * api::longest_text, 'x')});
  const auto seen = events();
  ASSERT_EQ(seen.size(), 2u) << "what is no fraction is no progress";
  EXPECT_EQ(seen[0]["what"], value("progress"));
  EXPECT_EQ(seen[0]["path"], value("reader"));
  EXPECT_EQ(seen[0]["data"]["fraction"], value(0.4));
  EXPECT_EQ(seen[0]["data"]["text"], value("half way"));
  EXPECT_EQ(seen[1]["data"]["text"].as_string().size(), api::longest_text);
}

TEST_F(observer_test, answers_only_those_who_are_granted_it) {
  process_init init;
  init.path = "stranger";
  init.rights = std::make_shared<authority>(authority{{}, "stranger", {}});
  std::vector<std::string> codes;
  init.actions = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.call(no_cause, 1, there, e.verb, std::move(e.body), {});
    if (e.kind == kind::error) codes.push_back(unpack_error(e.body).code);
  });
  const auto stranger = *sim.add(std::move(init));
  for (const auto verb : {api::counters, api::events, api::follow})
    sim.send(stranger, verb);
  EXPECT_THAT(codes, ElementsAre("denied", "denied", "denied"));
}

TEST_F(observer_test, refuses_what_makes_no_sense) {
  EXPECT_EQ(sim.call(there, "count").error().code, "unknown_verb");
  EXPECT_EQ(sim.call(there, api::events, {"many"}).error().code, "bad_argument");
  EXPECT_EQ(sim.call(there, api::events, {-1}).error().code, "bad_argument");
  EXPECT_EQ(sim.call(there, api::events, {1, 2}).error().code, "bad_argument");
  EXPECT_EQ(sim.call(there, api::follow, {7}).error().code, "bad_argument");
}

TEST_F(observer_test, goes_on_with_a_new_observer_on_the_same_feed) {
  sim.exit(there, errc::kill);
  report(event(what::started, "between"));
  there = *sim.add("observer", std::make_unique<observer>(feed));
  report(event(what::started, "after"));
  EXPECT_THAT(paths(), ElementsAre("between", "after"));
  const auto seen = *sim.call(there, api::counters);
  EXPECT_EQ(seen["started"], value(2)) << "counters belong to the node";
  EXPECT_EQ(seen["unseen"], value(0));
}

TEST_F(observer_test, only_counts_a_storm_that_it_can_not_keep_up_with) {
  const auto most = static_cast<std::size_t>(event_feed::most_waiting);
  for (std::size_t i = 0; i < most + 100; ++i)
    feed->on_event(event(what::dead_letter, "storm"));
  sim.settle();
  const auto seen = *sim.call(there, api::counters);
  EXPECT_EQ(seen["dead_letters"], value(static_cast<std::int64_t>(most + 100)));
  EXPECT_EQ(seen["unseen"], value(100));
  report(event(what::started, "later"));
  EXPECT_THAT(paths({1}), ElementsAre("later"));
}

TEST_F(observer_test, stops_when_it_is_told_to) {
  auto f = follow(1);
  sim.exit(there, errc::shutdown);
  EXPECT_FALSE(sim.alive(there));
  EXPECT_EQ(f->failure, "down");
}

TEST_F(observer_test, is_woken_for_some_events_at_once_unless_somebody_follows) {
  const auto turns = [&] { return (*sim.call(there, inspect_verb))["handled"].as_int(); };
  const auto before = turns();
  for (int i = 0; i < event_feed::few - 1; ++i)
    report(event(what::started, "a"));
  EXPECT_EQ(turns(), before) << "the lives of agents cost no turn of the observer";
  report(event(what::started, "b"));
  EXPECT_EQ(turns(), before + 1);
  auto f = follow(10);
  report(event(what::started, "c"));
  EXPECT_EQ(f->parts.size(), 1u) << "who follows hears at once";
}

/// Takes what is in a feed when it is told to, on any thread: as an observer does, one at a time.
class counting_sink final : public outlet::sink {
 public:
  explicit counting_sink(event_feed& feed) : feed_(feed) {}
  bool post(std::string_view, bytes) override {
    const std::lock_guard lock(one_at_a_time_);
    feed_.take([&](const noted_event&) { ++taken; });
    return true;
  }
  std::atomic<int> taken{0};

 private:
  event_feed& feed_;
  std::mutex one_at_a_time_;
};

TEST(event_feed, takes_events_from_many_threads_while_its_observer_changes) {
  still_clock time;
  event_feed feed(time);
  auto sink = std::make_shared<counting_sink>(feed);
  feed.attach(outlet(sink));
  constexpr int each = 2000, threads = 3;
  std::vector<std::thread> reporters;
  for (int t = 0; t < threads; ++t)
    reporters.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        feed.on_event(event(what::started, "a"));
    });
  for (int i = 0; i < 100; ++i)
    feed.attach(outlet(sink));
  for (auto& r : reporters)
    r.join();
  feed.take([&](const noted_event&) { ++sink->taken; });
  const auto seen = feed.counters();
  EXPECT_EQ(sink->taken + seen["unseen"].as_int(), each * threads);
  EXPECT_EQ(seen["started"], value(each * threads));
}

}  // namespace
}  // namespace troupe::test
