// SPDX-License-Identifier: Apache-2.0
//
// Agents at the far end of a channel behave as they would in the node: a real process here, any
// behaviour there.
#include <gmock/gmock.h>
#include <future>

#include <atomic>
#include <thread>
#include <vector>

#include "agent/control.hpp"
#include "unit/channel/world.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

class conversation : public world {};

value args_of(const envelope& e) {
  return *unpack(e.body.view());
}

void echo(context& ctx, envelope& e) {
  if (e.kind == kind::call) ctx.reply(e.cause, e.body);
}

TEST_F(conversation, a_call_is_answered) {
  const auto a = start("echo", echo);
  EXPECT_EQ(ask(a, "say", {"hello", 1, 2.5}), value(value::array{"hello", 1, 2.5}));
}

TEST_F(conversation, a_body_of_the_largest_size_crosses_both_ways) {
  const auto a = start("echo", echo);
  const std::string big(body_limits{}.size - 16, 'x');
  const auto got = call(a, "say", {big});
  ASSERT_TRUE(got) << got.error().describe();
  EXPECT_EQ(got->as_array().at(0).as_string().size(), big.size());
}

TEST_F(conversation, the_agent_knows_who_and_where_it_is) {
  const auto a = start("desk/writer", [](context& ctx, envelope& e) {
    ctx.reply(e.cause, *pack(value::array{ctx.path(), to_value(ctx.self()), to_value(e.from)}));
  });
  EXPECT_EQ(ask("desk/writer", "who"),
            value(value::array{"desk/writer", to_value(a), to_value(probe_)}));
}

TEST_F(conversation, a_call_that_it_makes_comes_back_to_the_cause_it_serves) {
  start("echo", echo);
  const auto a = start("middle", [](const greeting&) {
    auto b =
        std::make_unique<lambda_behaviour>([cause = cause_id{}](context& ctx, envelope& e) mutable {
          if (e.kind == kind::call) {
            cause = e.cause;
            ctx.call(cause, 7, "echo", "say", e.body);
          } else if (e.kind == kind::reply && e.id == 7) {
            ctx.reply(cause, e.body);
            ctx.done(cause);
          }
        });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  for (int i = 0; i < 3; ++i)  // the id 7 is used again each time
    EXPECT_EQ(ask(a, "go", {i}), value(value::array{i}));
}

TEST_F(conversation, a_serial_agent_gets_its_next_message_when_it_is_done) {
  const auto a = start("slow", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [open = std::vector<cause_id>()](context& ctx, envelope& e) mutable {
          if (e.kind == kind::call) open.push_back(e.cause);
          if (e.kind == kind::call) ctx.sleep(e.cause, open.size(), 1s);
          if (e.kind != kind::reply) return;
          ctx.reply(open.back(), *pack(static_cast<std::int64_t>(open.size())));
          ctx.done(open.back());
        });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  const auto one = begin_call(a, "go"), two = begin_call(a, "go");
  // Each sleep is known to the node before time moves.
  for (const auto id : {one, two}) {
    until([&] { return sim->call(a, inspect_verb)->find("calls")->as_int() == 1; });
    sim->advance(1s);
    answer_to(id);
  }
  EXPECT_EQ(answer_to(one).data(), value(1));
  EXPECT_EQ(answer_to(two).data(), value(2));
}

TEST_F(conversation, verbs_that_overlap_are_served_while_another_waits) {
  const auto a = start("busy", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [](context& ctx, envelope& e) {
          if (e.verb != "status") return;
          ctx.reply(e.cause, *pack("waiting"));
          ctx.done(e.cause);
        },
        concurrency{.slots = 1, .overlapping = {"status"}});
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  begin_call(a, "forever");
  EXPECT_EQ(ask(a, "status"), value("waiting"));
}

TEST_F(conversation, an_agent_of_unlimited_slots_serves_sends_without_saying_done) {
  const auto a = start("many", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [n = 0](context& ctx, envelope& e) mutable {
          if (e.kind == kind::send) ++n;
          if (e.kind == kind::call) ctx.reply(e.cause, *pack(n));
        },
        concurrency{.slots = concurrency::unlimited});
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  for (int i = 0; i < 100; ++i)
    sim->send(a, "count");
  EXPECT_EQ(ask(a, "total"), value(100));
  EXPECT_EQ(sim->call(a, inspect_verb)->find("serving")->as_int(), 1)
      << "the sends are over; the call was answered and not done";
}

/// Sends as many parts as it is asked for, and no sooner than it may.
void stream(context& ctx, envelope& e, std::int64_t& next, std::int64_t& last, cause_id& cause,
            int& refused) {
  if (e.kind == kind::call) {
    cause = e.cause;
    last = args_of(e).as_array().at(0).as_int();
  }
  while (next < last) {
    auto sent = ctx.part(cause, *pack(next + 1));
    if (!sent) {
      EXPECT_TRUE(sent.error().is(errc::no_credit));
      ++refused;
      return;
    }
    ++next;
  }
  ctx.reply(cause, *pack(refused));
  ctx.done(cause);
}

TEST_F(conversation, parts_wait_for_the_credit_that_their_reader_grants) {
  const auto a = start("tokens", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [next = std::int64_t{}, last = std::int64_t{}, cause = cause_id{}, refused = 0](
            context& ctx, envelope& e) mutable { stream(ctx, e, next, last, cause, refused); });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  const auto id = begin_call(a, "count", {5}, {.timeout = 1h, .credit = 2});
  auto& got = answer_to(id);
  EXPECT_THAT(got.parts, ElementsAre(1, 2, 3, 4, 5));
  ASSERT_TRUE(got.got) << got.got.error().describe();
  EXPECT_GE(got.got->as_int(), 1) << "nothing held the writer back";
}

TEST_F(conversation, a_part_above_its_size_or_of_no_call_is_refused_on_the_spot) {
  const auto a = start("parts", [](context& ctx, envelope& e) {
    if (e.kind != kind::call) return;
    value::array said;
    said.emplace_back(ctx.part(e.cause, bytes(std::string(65'537, 'x'))).error().code);
    said.emplace_back(ctx.part(e.cause + 1, {}).error().code);
    said.emplace_back(ctx.part(e.cause, {}).error().code);
    ctx.reply(e.cause, *pack(said));
  });
  EXPECT_EQ(ask(a, "go"), value(value::array{"too_big", "not_found", "no_credit"}));
}

TEST_F(conversation, a_call_above_the_size_of_a_body_fails_at_home) {
  const auto a = start("big", [](const greeting&) {
    auto b =
        std::make_unique<lambda_behaviour>([cause = cause_id{}](context& ctx, envelope& e) mutable {
          if (e.kind == kind::call) {
            cause = e.cause;
            ctx.call(cause, 1, "probe", "say", bytes(std::string((16u << 20) + 1, 'x')));
          } else if (e.kind == kind::error) {
            ctx.fail(cause, unpack_error(e.body));
            ctx.done(cause);
          }
        });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  const auto got = call(a, "go");
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().is(errc::too_big)) << got.error().describe();
}

TEST_F(conversation, a_cancelled_call_reaches_the_agent) {
  auto cancelled = std::make_shared<std::atomic<int>>(0);
  const auto a = start("waiting", [cancelled](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>([cancelled](context& ctx, envelope& e) {
      if (e.kind == kind::send) ctx.log(log_level::info, "seen");
      if (e.kind == kind::send) ctx.done(e.cause);
      if (e.kind != kind::cancel) return;
      ++*cancelled;
      EXPECT_TRUE(ctx.part(e.cause, {}).error().is(errc::cancelled));
      ctx.done(e.cause);
    });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  const auto id = begin_call(a, "go", {}, {.timeout = 1h, .credit = 5});
  as_probe([&](context& ctx) { ctx.cancel(id); });
  sim->send(a, "next");  // is served only when the other is done
  until([&] { return !sim->log_lines.empty(); });
  EXPECT_EQ(*cancelled, 1);
}

TEST_F(conversation, timers_come_once_and_not_after_they_are_taken_back) {
  const auto a = start("clock", [ticks = std::string()](context& ctx, envelope& e) mutable {
    if (e.kind == kind::timer) ticks += std::to_string(e.id) + " ";
    if (e.verb == "set") {
      ctx.set_timer(1, 1s);
      ctx.set_timer(2, 1s);
      ctx.set_timer(2, 2s);  // replaces
      ctx.set_timer(3, 3s);
      ctx.cancel_timer(3);
    }
    if (e.kind == kind::call) ctx.reply(e.cause, *pack(ticks));
  });
  ASSERT_TRUE(call(a, "set"));
  sim->advance(1s);
  EXPECT_EQ(ask(a, "ticks"), value("1 "));
  sim->advance(10s);
  EXPECT_EQ(ask(a, "ticks"), value("1 2 "));
}

TEST_F(conversation, names_monitors_and_links_work_as_at_home) {
  const auto other = start("other", echo);
  const auto a = start("a", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [open = cause_id{}, seen = value::array()](context& ctx, envelope& e) mutable {
          if (e.verb == "begin") {
            open = e.cause;
            ctx.trap_exits(true);
            ctx.find(1, "other");
            ctx.bind(2, "alias");
            ctx.find(3, "nobody");
            return;
          }
          if (e.kind == kind::reply && e.id == 1) {
            const auto found = address_from(args_of(e));
            ctx.monitor(11, found);
            ctx.link(found);
          }
          if (e.kind == kind::error) {
            ctx.reply(open, *pack(unpack_error(e.body).code));
            ctx.done(open);
          }
          if (e.kind == kind::down || e.kind == kind::exit) {
            seen.emplace_back(std::string(to_string(e.kind)) + " " + std::to_string(e.id) + " " +
                              unpack_error(e.body).code);
            ctx.done(e.cause);
          }
          if (e.verb == "seen") {
            ctx.reply(e.cause, *pack(seen));
            ctx.done(e.cause);
          }
        });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  EXPECT_EQ(ask(a, "begin"), value("no_such_agent"));
  EXPECT_EQ(sim->lookup("alias"), a);
  until([&] { return sim->call(a, inspect_verb)->find("links")->as_int() == 1; });
  sim->exit(other, errc::kill);
  until([&] { return sim->reason_of(other) != nullptr; });
  const auto seen = call("alias", "seen");
  ASSERT_TRUE(seen);
  EXPECT_THAT(seen->as_array(), testing::UnorderedElementsAre("down 11 killed", "exit 0 killed"));
}

TEST_F(conversation, events_of_its_own_threads_reach_the_agent) {
  const auto a = start("threads", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [open = cause_id{}, n = 0, threads = std::make_shared<std::vector<std::thread>>()](
            context& ctx, envelope& e) mutable {
          if (e.kind == kind::call) {
            open = e.cause;
            for (int i = 0; i < 4; ++i)
              threads->emplace_back([to = ctx.make_outlet()] {
                for (int k = 0; k < 250; ++k)
                  EXPECT_TRUE(to.post("tick", *pack(k)));
              });
          }
          if (e.kind != kind::event || ++n < 1000) return;
          for (auto& t : *threads)
            t.join();
          ctx.reply(open, *pack(n));
          ctx.done(open);
        });
    b->keeps_open = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  EXPECT_EQ(ask(a, "go"), value(1000));
}

TEST_F(conversation, an_outlet_that_outlives_its_agent_says_so) {
  auto kept = std::make_shared<outlet>();
  const auto a = start("short", [kept](context& ctx, envelope&) {
    *kept = ctx.make_outlet();
    ctx.exit({errc::normal, "done"});
  });
  sim->send(a, "go");
  EXPECT_TRUE(reason_of(a).is(errc::normal));
  log.reset();
  sim.reset();
  EXPECT_FALSE(kept->post("late", {}));
}

/// Computes in slices until it is told otherwise.
class endless final : public behaviour {
 public:
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
      return progress::idle;
    }
    cause_ = e->cause;
    return progress::preempted;
  }
  progress resume(context& ctx) override {
    if (++slices_ < 1000) return progress::preempted;
    if (slices_ == 1000) ctx.reply(cause_, *pack("done"));
    return progress::preempted;
  }

 private:
  cause_id cause_ = no_cause;
  int slices_ = 0;
};

TEST_F(conversation, an_agent_that_only_computes_is_resumed_and_can_be_killed) {
  const auto a =
      start("endless", [](const greeting&) { return std::unique_ptr<behaviour>(new endless); });
  EXPECT_EQ(ask(a, "go"), value("done"));
  sim->exit(a, errc::kill);
  EXPECT_TRUE(reason_of(a).is(errc::killed));
  EXPECT_TRUE(log->destroyed);
}

class shows_itself final : public behaviour {
 public:
  progress receive(context& ctx, envelope_ptr e) override {
    ctx.reply(e->cause, {});
    ctx.done(e->cause);
    return progress::idle;
  }
  value inspect() const override { return value::map{{"memory", 42}}; }
};

TEST_F(conversation, an_inspection_shows_the_inside_of_the_agent) {
  const auto a =
      start("open", [](const greeting&) { return std::unique_ptr<behaviour>(new shows_itself); });
  const auto seen = *sim->call(a, inspect_verb);
  EXPECT_EQ(seen["behaviour"]["agent"]["memory"], value(42));
  EXPECT_EQ(seen["behaviour"]["pid"], value(1));
}

/// Computes for ever once it is told to, and counts its slices.
class counts_slices final : public behaviour {
 public:
  progress receive(context& ctx, envelope_ptr e) override {
    ctx.reply(e->cause, {});
    ctx.done(e->cause);
    return e->verb == "go" ? progress::preempted : progress::idle;
  }
  progress resume(context&) override {
    ++slices_;
    return progress::preempted;
  }
  value inspect() const override { return value::map{{"slices", slices_}}; }

 private:
  std::int64_t slices_ = 0;
};

TEST_F(conversation, an_agent_that_computes_is_asked_for_its_inside_and_stands_still_if_told_to) {
  const auto a = start(
      "counts", [](const greeting&) { return std::unique_ptr<behaviour>(new counts_slices); });
  ask(a, "go");
  const auto slices = [&] {
    return ask(a, std::string(inspect_verb), {true})["behaviour"]["agent"]["slices"].as_int();
  };
  const auto first = slices();
  until([&] { return slices() > first; });
  EXPECT_EQ(ask(a, std::string(suspend_verb)), value(true));
  const auto still = slices();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(slices(), still);
  EXPECT_EQ(ask(a, std::string(resume_verb)), value(true));
  until([&] { return slices() > still; });
  sim->exit(a, errc::kill);
}

TEST_F(conversation, a_worker_that_does_not_answer_is_inspected_without_its_inside) {
  std::promise<void> go_on;
  const auto waits = go_on.get_future().share();
  const auto a = start("stuck", [waits](const greeting&) {
    return std::unique_ptr<behaviour>(
        std::make_unique<lambda_behaviour>([waits](context&, envelope& e) {
          if (e.verb == "block") waits.wait();
        }));
  });
  sim->send(a, "block");
  const auto asked = begin_call(a, std::string(inspect_verb), {true});
  sim->advance(2s);
  EXPECT_EQ(answer_to(asked).data()["behaviour"]["pid"], value(1));
  go_on.set_value();
}

TEST_F(conversation, a_stop_is_handled_by_the_agent_which_then_ends) {
  const auto a = start("polite", [](context& ctx, envelope& e) {
    if (e.kind == kind::stop) ctx.log(log_level::info, "cleaning up");
    if (e.kind == kind::stop) ctx.exit(unpack_error(e.body));
  });
  as_probe([&](context& ctx) { ctx.exit(a, error(errc::shutdown, "enough")); });
  EXPECT_TRUE(reason_of(a).is(errc::shutdown));
  EXPECT_THAT(sim->log_lines, ElementsAre("polite: cleaning up"));
  EXPECT_EQ(log->kills, 0) << "it ended by itself";
}

TEST_F(conversation, a_crash_says_why_and_ends_the_open_calls) {
  const auto a = start("bad", [](context& ctx, envelope&) {
    error why(errc::crash, "attempt to index nil");
    why.traceback = "bad.lua:3";
    ctx.exit(why);
  });
  const auto got = call(a, "go");
  ASSERT_FALSE(got);
  EXPECT_TRUE(got.error().is(errc::down));
  EXPECT_EQ(reason_of(a).message, "attempt to index nil");
  EXPECT_EQ(reason_of(a).traceback, "bad.lua:3");
}

TEST_F(conversation, an_agent_that_cannot_be_made_fails_its_start) {
  const auto a = begin_start(
      "none", std::make_unique<thread_far_end>(log, *io, [](const greeting&) {
        return result<std::unique_ptr<behaviour>>(errc::syntax, "none.lua:1: unexpected symbol");
      }));
  auto& got = answer_to(start_);
  ASSERT_FALSE(got.got);
  EXPECT_TRUE(got.got.error().is(errc::syntax)) << got.got.error().describe();
  EXPECT_TRUE(reason_of(a).is(errc::syntax));
}

TEST_F(conversation, an_agent_that_fails_its_start_ends_with_that_reason) {
  const auto a =
      begin_start("none", std::make_unique<thread_far_end>(log, *io, [](const greeting&) {
                    auto b = std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
                      ctx.fail(e.cause, {errc::config, "no options"});
                    });
                    b->handles_start = true;
                    return result<std::unique_ptr<behaviour>>(std::move(b));
                  }));
  auto& got = answer_to(start_);
  ASSERT_FALSE(got.got);
  EXPECT_EQ(got.got.error().message, "no options");
  EXPECT_TRUE(reason_of(a).is(errc::config));
}

TEST_F(conversation, a_call_made_in_the_start_is_answered_before_it) {
  start("echo", echo);
  const auto a = start("eager", [](const greeting&) {
    auto b = std::make_unique<lambda_behaviour>(
        [start = cause_id{}, got = bytes()](context& ctx, envelope& e) mutable {
          if (e.kind == kind::start) {
            start = e.cause;
            ctx.call(start, 1, "echo", "say", *pack(value::array{"early"}));
          } else if (e.kind == kind::reply) {
            got = e.body;
            ctx.reply(start, {});
            ctx.done(start);
          } else {
            ctx.reply(e.cause, got);
            ctx.done(e.cause);
          }
        });
    b->keeps_open = b->handles_start = true;
    return std::unique_ptr<behaviour>(std::move(b));
  });
  EXPECT_EQ(ask(a, "got"), value(value::array{"early"}));
}

}  // namespace
}  // namespace troupe::test
