// SPDX-License-Identifier: Apache-2.0
//
// The rules of the design's *Messages*, each in the simulation.
#include "agent/process.hpp"

#include <gmock/gmock.h>

#include "agent/control.hpp"
#include "base/msgpack.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;

bytes body(value v) {
  return *pack(v);
}
bytes args(value::array a = {}) {
  return *pack(value(std::move(a)));
}
value first(const envelope& e) {
  return unpack(e.body.view())->as_array().at(0);
}

struct process_test : testing::Test {
  simulation sim;

  /// An agent that answers `echo` with its argument, and never answers `hold`.
  address echo(const std::string& path) {
    return *sim.add(path, [](context& ctx, envelope& e) {
      if (e.kind == kind::call && e.verb == "echo") ctx.reply(e.cause, body(first(e)));
    });
  }

  /// A serial agent that keeps each message open until it gets an event `release`.
  struct held {
    address who;
    std::vector<std::string> seen;
    std::vector<cause_id> open;
    std::vector<cause_id> cancelled;
    context* ctx = nullptr;
  };
  std::shared_ptr<held> holder(const std::string& path, concurrency c = {}) {
    auto h = std::make_shared<held>();
    auto b = std::make_unique<lambda_behaviour>(
        [h](context& ctx, envelope& e) {
          h->ctx = &ctx;
          if (e.kind == kind::cancel) {
            h->cancelled.push_back(e.cause);
            ctx.done(e.cause);
          } else if (e.kind == kind::event) {
            auto cause = h->open.front();
            h->open.erase(h->open.begin());
            ctx.reply(cause, body(true));
            ctx.done(cause);
          } else if (e.kind == kind::stop) {
            ctx.exit(unpack_error(e.body));
          } else {
            h->seen.push_back(e.verb);
            h->open.push_back(e.cause);
          }
        },
        c);
    b->keeps_open = true;
    h->who = *sim.add(path, std::move(b));
    return h;
  }
  void release(const held& h) {
    sim.outlet_to(h.who).post("release", {});
    sim.settle();
  }
  /// An agent that makes one call and keeps what comes back.
  struct caller {
    address who;
    std::vector<value> parts;
    std::optional<value> reply;
    std::optional<error> failure;
  };
  std::shared_ptr<caller> call_from(const std::string& path, const target& to, std::string verb,
                                    call_options options = {}) {
    auto c = std::make_shared<caller>();
    c->who = *sim.add(path, [c, to, verb, options](context& ctx, envelope& e) {
      if (e.kind == kind::event) ctx.call(no_cause, 1, to, verb, args({1}), options);
      if (e.kind == kind::part) c->parts.push_back(*unpack(e.body.view()));
      if (e.kind == kind::reply) c->reply = *unpack(e.body.view());
      if (e.kind == kind::error) c->failure = unpack_error(e.body);
      if (e.kind == kind::send) ctx.cancel(1);
    });
    sim.outlet_to(c->who).post("go", {});
    sim.settle();
    return c;
  }
};

TEST_F(process_test, answers_a_call_and_says_who_it_is) {
  auto a = echo("a");
  EXPECT_EQ(*sim.call(a, "echo", {42}), value(42));
  auto inspected = sim.call(std::string("a"), inspect_verb);
  ASSERT_TRUE(inspected);
  EXPECT_EQ((*inspected)["path"], value("a"));
}

TEST_F(process_test, shows_what_it_serves_and_what_it_waits_for) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "slow", {.timeout = 5s});
  sim.send(h->who, "later");
  auto callee = *sim.call(h->who, inspect_verb, {true});
  EXPECT_EQ(callee["mailbox"], value(1));
  ASSERT_EQ(callee["calls_in"].as_array().size(), 1u);
  const auto& in = callee["calls_in"].as_array()[0];
  EXPECT_EQ(in["from"], value("c"));
  EXPECT_EQ(in["verb"], value("slow"));
  EXPECT_EQ(in["left"], value(5.0));
  auto caller = *sim.call(c->who, inspect_verb, {true});
  ASSERT_EQ(caller["calls_out"].as_array().size(), 1u);
  EXPECT_EQ(caller["calls_out"].as_array()[0]["to"], value("h"));
  EXPECT_EQ(caller["calls_out"].as_array()[0]["verb"], value("slow"));
  EXPECT_TRUE((*sim.call(c->who, inspect_verb))["calls_out"].is_nil()) << "only when asked for all";
}

TEST_F(process_test, suspended_keeps_its_mail_and_ends_as_it_is_told) {
  auto h = holder("h");
  EXPECT_EQ(*sim.call(h->who, suspend_verb), value(true));
  sim.send(h->who, "one");
  EXPECT_TRUE(h->seen.empty());
  EXPECT_EQ((*sim.call(h->who, inspect_verb))["mailbox"], value(1));
  EXPECT_EQ(*sim.call(h->who, resume_verb), value(true));
  EXPECT_EQ(h->seen, std::vector<std::string>({"one"}));
  ASSERT_TRUE(sim.call(h->who, suspend_verb));
  sim.exit(h->who, errc::kill);
  EXPECT_FALSE(sim.alive(h->who));
}

TEST_F(process_test, an_answer_that_comes_while_it_is_suspended_is_delivered_afterwards) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "slow", {.timeout = 5s});
  ASSERT_TRUE(sim.call(c->who, suspend_verb));
  sim.advance(6s);
  EXPECT_FALSE(c->failure);
  ASSERT_TRUE(sim.call(c->who, resume_verb));
  ASSERT_TRUE(c->failure);
  EXPECT_TRUE(c->failure->is(errc::timeout));
}

TEST_F(process_test, answers_verbs_of_the_runtime_only_to_those_who_may_ask) {
  echo("top/a");
  const auto ask = [&](const std::string& path, std::vector<std::string> may_call) {
    auto rights = std::make_shared<authority>();
    rights->path = path;
    value::array globs(may_call.begin(), may_call.end());
    rights->grants = *grants::from(value::map{{"call", value(std::move(globs))}});
    auto said = std::make_shared<std::string>("nothing");
    process_init init;
    init.path = path;
    init.rights = rights;
    init.actions = std::make_unique<lambda_behaviour>(
        [said, a = sim.lookup("top/a")](context& ctx, envelope& e) {
          if (e.kind == kind::send) ctx.call(no_cause, 1, a, suspend_verb, {});
          if (e.kind == kind::reply) *said = "done";
          if (e.kind == kind::error) *said = unpack_error(e.body).describe();
        });
    auto made = *sim.add(std::move(init));
    sim.send(made, "go");
    return *said;
  };
  EXPECT_EQ(ask("other", {}),
            "denied: other needs call top/a, which its needs or its grants leave out");
  EXPECT_EQ(ask("to", {}), "denied: to needs call top/a, which its needs or its grants leave out");
  EXPECT_EQ(ask("granted", {"top/*"}), "done");
  EXPECT_EQ(ask("top", {}), "done");
}

TEST_F(process_test, refuses_a_verb_of_the_runtime_that_it_does_not_know) {
  auto a = echo("a");
  EXPECT_THAT(sim.call(a, "@supend").error().describe(),
              testing::StartsWith("unknown_verb: unknown verb \"@supend\": did you mean "
                                  "\"@suspend\"?"));
  EXPECT_TRUE(sim.call(a, upgrade_verb).error().is(errc::unsupported));
}

TEST_F(process_test, handles_one_message_at_a_time_in_order_of_arrival) {
  auto h = holder("h");
  for (const char* verb : {"one", "two", "three"})
    sim.send(h->who, verb);
  EXPECT_EQ(h->seen, std::vector<std::string>({"one"}));
  release(*h);
  EXPECT_EQ(h->seen, std::vector<std::string>({"one", "two"}));
  release(*h);
  EXPECT_EQ(h->seen, std::vector<std::string>({"one", "two", "three"}));
}

TEST_F(process_test, lets_overlapping_verbs_run_while_others_wait) {
  auto h = holder("h", {.slots = 1, .overlapping = {"status"}});
  for (const char* verb : {"one", "two", "status"})
    sim.send(h->who, verb);
  EXPECT_EQ(h->seen, std::vector<std::string>({"one", "status"}));
}

TEST_F(process_test, serves_as_many_messages_at_once_as_it_has_slots) {
  auto h = holder("h", {.slots = 2});
  for (const char* verb : {"one", "two", "three"})
    sim.send(h->who, verb);
  EXPECT_EQ(h->seen.size(), 2u);
}

TEST_F(process_test, fails_a_call_at_its_deadline_and_takes_it_back) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "slow", {.timeout = 5s});
  sim.advance(4s);
  EXPECT_FALSE(c->failure);
  sim.advance(1s);
  ASSERT_TRUE(c->failure);
  EXPECT_EQ(c->failure->code, "timeout");
  EXPECT_EQ(h->cancelled.size(), 1u) << "the callee must learn of it";
}

TEST_F(process_test, drops_a_call_unhandled_that_waited_past_its_deadline) {
  auto h = holder("h");
  sim.send(h->who, "first");
  auto c = call_from("c", h->who, "late", {.timeout = 5s});
  sim.advance(6s);
  release(*h);
  EXPECT_EQ(h->seen, std::vector<std::string>({"first"}));
}

TEST_F(process_test, bounds_a_nested_call_by_the_one_it_is_made_under) {
  auto h = holder("h");
  sim.add("middle",
          [&](context& ctx, envelope& e) {
            if (e.kind == kind::call)
              ctx.call(e.cause, 7, h->who, "inner", args(), {.timeout = 100s});
          })
      .value();
  instant inner = never, outer = never;
  sim.on_post = [&](const envelope& e) {
    if (e.verb == "inner") inner = e.deadline;
    if (e.verb == "outer") outer = e.deadline;
  };
  auto c = call_from("c", std::string("middle"), "outer", {.timeout = 3s});
  EXPECT_NE(inner, never);
  EXPECT_EQ(inner, outer);
}

TEST_F(process_test, refuses_at_once_a_call_that_comes_back_to_an_agent_that_waits_in_it) {
  std::optional<error> seen;
  auto forward = [&](std::string to) {
    auto b = std::make_unique<lambda_behaviour>([&seen, to](context& ctx, envelope& e) {
      if (e.kind == kind::call || e.kind == kind::send) ctx.call(e.cause, 1, to, "go", args());
      if (e.kind == kind::error) seen = unpack_error(e.body);
    });
    b->keeps_open = true;
    return b;
  };
  ASSERT_TRUE(sim.add("a", forward("b")));
  ASSERT_TRUE(sim.add("b", forward("a")));
  sim.send(std::string("a"), "go");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->code, "deadlock");
  EXPECT_EQ(seen->message, "a -> b -> a");
}

TEST_F(process_test, refuses_a_call_to_itself_when_it_has_no_free_slot) {
  std::optional<error> seen;
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.call(e.cause, 1, std::string("a"), "go", args());
    if (e.kind == kind::error) seen = unpack_error(e.body);
  });
  b->keeps_open = true;
  ASSERT_TRUE(sim.add("a", std::move(b)));
  sim.send(std::string("a"), "go");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->message, "a -> a");
}

TEST_F(process_test, sends_parts_only_against_credit) {
  std::vector<std::string> outcomes;
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind != kind::call && e.kind != kind::credit) return;
    for (int i = 0; i < 3; ++i) {
      auto sent = ctx.part(e.cause, body(i));
      outcomes.push_back(sent ? "sent" : sent.error().code);
    }
  });
  b->keeps_open = true;
  auto a = *sim.add("a", std::move(b));
  auto c = call_from("c", a, "stream", {.credit = 2});
  EXPECT_EQ(outcomes, std::vector<std::string>({"sent", "sent", "no_credit"}));
  EXPECT_EQ(c->parts.size(), 2u);
}

TEST_F(process_test, delivers_nothing_more_of_a_call_that_was_taken_back) {
  auto b = std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
    if (e.kind != kind::call) return;
    for (int i = 0; i < 3; ++i)
      EXPECT_TRUE(ctx.part(e.cause, body(i)));
    ctx.reply(e.cause, body(true));
  });
  auto a = *sim.add("a", std::move(b));
  std::vector<kind> heard;
  auto c = *sim.add("c", [&](context& ctx, envelope& e) {
    if (e.kind == kind::event) return ctx.call(no_cause, 1, a, "stream", args(), {.credit = 3});
    heard.push_back(e.kind);
    ctx.cancel(1);
  });
  sim.outlet_to(c).post("go", {});
  sim.settle();
  EXPECT_EQ(heard, std::vector<kind>({kind::part}));
}

TEST_F(process_test, refuses_parts_above_64_KiB_and_parts_nobody_asked_for) {
  std::string big, unasked;
  auto a = *sim.add("a", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) unasked = ctx.part(e.cause, body(1)).error().code;
    if (e.kind == kind::call) {
      big = ctx.part(e.cause, bytes(std::string(65 * 1024, 'x'))).error().code;
      ctx.reply(e.cause, body(true));
    }
  });
  sim.send(a, "x");
  EXPECT_EQ(unasked, "not_found");
  ASSERT_TRUE(sim.call(a, "y"));
  EXPECT_EQ(big, "too_big");
}

TEST_F(process_test, tells_the_callee_when_its_caller_dies) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "work");
  sim.exit(c->who, errc::kill);
  EXPECT_EQ(h->cancelled.size(), 1u);
}

TEST_F(process_test, forgets_a_queued_call_that_is_taken_back) {
  auto h = holder("h");
  sim.send(h->who, "first");
  auto c = call_from("c", h->who, "second");
  sim.send(c->who, "cancel");
  release(*h);
  EXPECT_EQ(h->seen, std::vector<std::string>({"first"}));
}

TEST_F(process_test, answers_all_who_wait_with_down_and_the_reason_when_it_dies) {
  auto h = holder("h");
  auto served = call_from("c1", h->who, "one");
  auto queued = call_from("c2", h->who, "two");
  sim.exit(h->who, errc::kill);
  for (const auto& c : {served, queued}) {
    ASSERT_TRUE(c->failure);
    EXPECT_EQ(c->failure->code, "down");
    EXPECT_TRUE(c->failure->retryable);
    ASSERT_TRUE(c->failure->cause);
    EXPECT_EQ(c->failure->cause->code, "killed");
  }
}

TEST_F(process_test, fails_a_call_to_the_dead_and_the_unknown_at_once) {
  auto a = echo("a");
  sim.exit(a, errc::kill);
  EXPECT_EQ(sim.call(a, "echo", {1}).error().code, "down");
  EXPECT_EQ(sim.call(address{}, "echo").error().code, "no_such_agent");
  EXPECT_EQ(sim.call(std::string("nobody"), "echo").error().code, "no_such_agent");
  const auto by_name = sim.call(std::string("a"), "echo", {1}).error();
  EXPECT_EQ(by_name.code, "down");
  EXPECT_TRUE(by_name.retryable) << "another may be about to take its place";
}

TEST_F(process_test, delivers_down_behind_what_the_dead_had_sent_before) {
  std::vector<std::string> seen;
  auto a = *sim.add("a", [&](context& ctx, envelope& e) {
    if (e.kind != kind::send) return;
    for (int i = 0; i < 3; ++i)
      ctx.send(e.cause, std::string("watcher"), "note", args({i}));
    ctx.exit({errc::crash, "enough"});
  });
  ASSERT_TRUE(sim.add("watcher", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send && e.verb == "watch") ctx.monitor(9, a);
    if (e.kind == kind::send && e.verb == "note") seen.push_back("note");
    if (e.kind == kind::down) seen.push_back("down " + unpack_error(e.body).code);
  }));
  sim.send(std::string("watcher"), "watch");
  sim.send(a, "die");
  EXPECT_EQ(seen, std::vector<std::string>({"note", "note", "note", "down crash"}));
}

TEST_F(process_test, answers_a_monitor_of_the_dead_at_once) {
  auto a = echo("a");
  sim.exit(a, errc::kill);
  std::vector<std::string> seen;
  auto w = *sim.add("w", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.monitor(1, a);
    if (e.kind == kind::down) seen.push_back(unpack_error(e.body).code);
  });
  sim.send(w, "watch");
  EXPECT_EQ(seen, std::vector<std::string>({"down"}));
}

TEST_F(process_test, ends_with_its_link_unless_it_traps) {
  auto a = echo("a");
  std::vector<std::string> trapped;
  auto linker = [&](bool traps) {
    return [&trapped, a, traps](context& ctx, envelope& e) {
      if (e.kind == kind::send) {
        ctx.trap_exits(traps);
        ctx.link(a);
      }
      if (e.kind == kind::exit) trapped.push_back(unpack_error(e.body).code);
    };
  };
  auto plain = *sim.add("plain", linker(false));
  auto trapper = *sim.add("trapper", linker(true));
  sim.send(plain, "go");
  sim.send(trapper, "go");
  sim.exit(a, errc::kill);
  EXPECT_FALSE(sim.alive(plain));
  EXPECT_EQ(sim.reason_of(plain)->code, "killed");
  EXPECT_TRUE(sim.alive(trapper));
  EXPECT_EQ(trapped, std::vector<std::string>({"killed"}));
}

TEST_F(process_test, is_killed_whatever_it_traps_and_while_it_computes) {
  struct endless final : behaviour {
    progress receive(context& ctx, envelope_ptr e) override {
      if (e->kind == kind::start) {
        ctx.trap_exits(true);
        ctx.reply(e->cause, {});
        return progress::idle;
      }
      return progress::preempted;
    }
    progress resume(context&) override { return progress::preempted; }
  };
  auto a = *sim.add("a", std::make_unique<endless>());
  auto b = echo("b");
  auto e = std::make_unique<envelope>();
  e->to = a;
  sim.post(std::move(e));
  EXPECT_EQ(*sim.call(b, "echo", {1}), value(1)) << "others go on";
  auto order = std::make_unique<envelope>();
  order->kind = kind::exit_signal;
  order->to = a;
  order->body = pack_error({errc::kill, "enough"});
  sim.post(std::move(order));
  sim.settle();
  EXPECT_FALSE(sim.alive(a));
  EXPECT_EQ(sim.reason_of(a)->code, "killed");
}

TEST_F(process_test, stops_in_order_when_its_parent_says_so) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "work");
  sim.exit(h->who, errc::shutdown);
  EXPECT_EQ(h->cancelled.size(), 1u) << "what it waits for is over";
  EXPECT_FALSE(sim.alive(h->who));
  EXPECT_EQ(sim.reason_of(h->who)->code, "shutdown");
}

/// A parent with unlimited slots that starts one child when it is told to, and keeps what it hears.
/// At an event it does what it is given.
struct parent_of_one {
  address who, child;
  std::vector<kind> heard;
};
std::shared_ptr<parent_of_one> start_parent(simulation& sim, std::unique_ptr<behaviour> child,
                                            kind starts_at,
                                            std::function<void(context&)> at_event = {}) {
  auto p = std::make_shared<parent_of_one>();
  auto shared_child = std::make_shared<std::unique_ptr<behaviour>>(std::move(child));
  auto b = std::make_unique<lambda_behaviour>(
      [&sim, p, shared_child, starts_at, at_event](context& ctx, envelope& e) {
        if (e.kind == starts_at) {
          process_init init;
          init.path = "parent/child";
          init.parent = ctx.self();
          init.actions = std::move(*shared_child);
          p->child = *sim.start(std::move(init));
          ctx.monitor(1, p->child);
          ctx.call(no_cause, 1, p->child, start_verb, {}, {});
          ctx.set_timer(1, 1s);
        }
        p->heard.push_back(e.kind);
        if (e.kind == kind::event && at_event) at_event(ctx);
        if (e.kind == kind::stop) ctx.exit(p->child, {errc::shutdown, ""});
      },
      concurrency{.slots = concurrency::unlimited});
  b->handles_start = true;
  b->keeps_open = true;
  process_init init;
  init.path = "parent";
  init.actions = std::move(b);
  p->who = *sim.start(std::move(init));
  auto e = std::make_unique<envelope>();
  e->kind = kind::start;
  e->to = p->who;
  sim.post(std::move(e));
  sim.settle();
  return p;
}

TEST_F(process_test, tells_an_agent_with_unlimited_slots_of_ends_and_times_before_it_is_ready) {
  auto child = std::make_unique<lambda_behaviour>([](context&, envelope&) {});
  auto p = start_parent(sim, std::move(child), kind::start);
  sim.exit(p->child, errc::kill);
  sim.advance(1s);
  EXPECT_EQ(p->heard, std::vector<kind>({kind::start, kind::reply, kind::down, kind::timer}));
}

TEST_F(process_test, ends_with_its_parent_whatever_the_reason) {
  auto child = std::make_unique<lambda_behaviour>([](context&, envelope&) {});
  auto p = start_parent(sim, std::move(child), kind::start);
  sim.exit(p->who, errc::kill);
  EXPECT_FALSE(sim.alive(p->child));
  EXPECT_EQ(sim.reason_of(p->child) ? sim.reason_of(p->child)->code : "", "killed");
}

TEST_F(process_test, ends_with_its_parent_though_it_took_back_a_link_to_it) {
  address parent;
  auto child = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind != kind::send) return;
    ctx.link(parent);
    ctx.unlink(parent);
  });
  auto p = start_parent(sim, std::move(child), kind::start);
  parent = p->who;
  sim.send(p->child, "go");
  sim.exit(p->who, errc::kill);
  EXPECT_FALSE(sim.alive(p->child));
}

TEST_F(process_test, ends_by_a_link_to_a_child_that_ends_at_the_same_time) {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    SCOPED_TRACE(seed);
    simulation world(seed);
    world.messages_travel = true;
    auto child = std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
      if (e.kind == kind::event) ctx.exit(error(errc::crash, "planned"));
    });
    std::shared_ptr<parent_of_one> p;
    p = start_parent(world, std::move(child), kind::start,
                     [&](context& ctx) { ctx.link(p->child); });
    world.outlet_to(p->child).post("end", {});
    world.outlet_to(p->who).post("link", {});
    world.settle();
    EXPECT_FALSE(world.alive(p->who));
  }
}

TEST_F(process_test, hears_no_end_and_no_tick_that_it_took_back_before_it_is_ready) {
  std::vector<kind> heard;
  auto b = std::make_unique<lambda_behaviour>(
      [&](context& ctx, envelope& e) {
        if (e.kind == kind::start) {
          for (std::uint64_t id : {1, 2}) {
            ctx.monitor(id, std::string("nobody"));
            ctx.set_timer(id, 1s);
          }
          return;
        }
        heard.push_back(e.kind);
        if (e.kind == kind::down) ctx.demonitor(3 - e.id);
        if (e.kind == kind::timer) ctx.cancel_timer(3 - e.id);
      },
      concurrency{.slots = concurrency::unlimited});
  b->handles_start = b->keeps_open = true;
  process_init init;
  init.path = "a";
  init.actions = std::move(b);
  auto start = std::make_unique<envelope>();
  start->kind = kind::start;
  start->to = *sim.start(std::move(init));
  sim.post(std::move(start));
  sim.advance(2s);
  EXPECT_EQ(heard, std::vector<kind>({kind::down, kind::timer}));
}

TEST_F(process_test, stops_in_order_when_its_parent_dies_and_it_traps) {
  auto stopped = std::make_shared<bool>(false);
  auto child = std::make_unique<lambda_behaviour>([stopped](context& ctx, envelope& e) {
    if (e.kind == kind::start) {
      ctx.trap_exits(true);
      ctx.reply(e.cause, {});
    }
    if (e.kind == kind::stop) {
      *stopped = true;
      ctx.exit(unpack_error(e.body));
    }
  });
  child->handles_start = true;
  auto p = start_parent(sim, std::move(child), kind::start);
  sim.exit(p->who, errc::kill);
  EXPECT_TRUE(*stopped);
  EXPECT_FALSE(sim.alive(p->child));
}

TEST_F(process_test, answers_down_to_open_calls_when_it_is_told_to_stop) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "hold");
  sim.exit(h->who, errc::shutdown);
  ASSERT_TRUE(c->failure);
  EXPECT_TRUE(c->failure->is(errc::down)) << c->failure->describe();
}

TEST_F(process_test, holds_mail_until_its_start_is_answered) {
  std::vector<std::string> seen;
  auto slow = holder("slow");
  auto b =
      std::make_unique<lambda_behaviour>([&, start = no_cause](context& ctx, envelope& e) mutable {
        if (e.kind == kind::start) {
          start = e.cause;
          seen.push_back("start");
          ctx.send(e.cause, std::string("a"), "early", args());
          ctx.call(e.cause, 1, slow->who, "work", args());
        } else if (e.kind == kind::reply) {
          seen.push_back("ready");
          ctx.reply(start, {});
          ctx.done(start);
        } else {
          seen.push_back(e.verb);
        }
      });
  b->handles_start = b->keeps_open = true;
  process_init init;
  init.path = "a";
  init.actions = std::move(b);
  std::optional<result<address>> made;
  sim.outlet_to(slow->who);
  auto starter = sim.add("starter", [&](context& ctx, envelope& e) {
    if (e.kind != kind::send) return;
    init.parent = ctx.self();
    made = sim.start(std::move(init));
    ctx.call(no_cause, 1, **made, start_verb, args());
  });
  sim.send(*starter, "go");
  EXPECT_EQ(seen, std::vector<std::string>({"start"}));
  release(*slow);
  EXPECT_EQ(seen, std::vector<std::string>({"start", "ready", "early"}));
}

TEST_F(process_test, is_started_by_its_parent_alone_and_once) {
  auto a = echo("a");
  EXPECT_EQ(sim.call(a, start_verb).error().code, "running");
}

TEST_F(process_test, ends_with_the_reason_its_start_failed_for) {
  auto b = std::make_unique<lambda_behaviour>([](context& ctx, envelope& e) {
    if (e.kind == kind::start) ctx.fail(e.cause, {errc::config, "no such model"});
  });
  b->handles_start = true;
  auto made = sim.add("a", std::move(b));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, "config");
  EXPECT_EQ(sim.lookup("a"), address{});
}

TEST_F(process_test, answers_overloaded_when_its_mailbox_is_full_and_counts_dead_letters) {
  sim.mailboxes.messages = 3;
  auto h = holder("h");
  for (int i = 0; i < 5; ++i)
    sim.send(h->who, "x");
  std::vector<std::string> letters;
  for (const auto& e : sim.events)
    if (e.what == runtime_event::what::dead_letter) letters.push_back(e.reason.code);
  EXPECT_EQ(letters, std::vector<std::string>({"overloaded"})) << "one served, three wait";
  EXPECT_EQ(sim.call(h->who, "y").error().code, "overloaded");
}

TEST_F(process_test, frees_its_names_before_down_is_announced) {
  auto a = echo("a");
  address found = a;
  auto w = *sim.add("w", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.monitor(1, a);
    if (e.kind == kind::down) found = sim.lookup("a");
  });
  sim.send(w, "watch");
  sim.exit(a, errc::kill);
  EXPECT_FALSE(found);
}

TEST_F(process_test, gives_its_path_back_to_the_one_that_it_took_it_from) {
  // Below a supervisor that is killed: the start of the child that was meant to be there before
  // comes late, when its successor stands there already.
  process_init init;
  init.path = "a";
  init.actions = std::make_unique<lambda_behaviour>([](context&, envelope&) {});
  const auto before = *sim.start(std::move(init));
  const auto after = echo("a");
  auto start = std::make_unique<envelope>();
  start->kind = kind::start;
  start->to = before;
  sim.post(std::move(start));
  sim.settle();
  EXPECT_EQ(sim.lookup("a"), before);
  sim.exit(before, errc::kill);
  EXPECT_EQ(sim.lookup("a"), after);
}

TEST_F(process_test, fires_timers_in_the_order_of_their_times_and_not_after_cancel) {
  std::vector<timer_id> fired;
  auto a = *sim.add("a", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) {
      ctx.set_timer(1, 3s);
      ctx.set_timer(2, 1s);
      ctx.set_timer(3, 2s);
      ctx.cancel_timer(3);
    }
    if (e.kind == kind::timer) fired.push_back(e.id);
  });
  sim.send(a, "go");
  sim.advance(10s);
  EXPECT_EQ(fired, std::vector<timer_id>({2, 1}));
}

TEST_F(process_test, replaces_a_timer_whose_tick_waits_already) {
  std::vector<instant> ticks;
  cause_id busy = no_cause;
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) {
      busy = e.cause;
      ctx.set_timer(1, 1s);
    } else if (e.kind == kind::event) {
      ctx.set_timer(1, 5s);
      ctx.done(busy);
    } else {
      ticks.push_back(sim.now());
      ctx.done(e.cause);
    }
  });
  b->keeps_open = true;
  auto a = *sim.add("a", std::move(b));
  sim.send(a, "go");
  sim.advance(2s);
  const auto again = sim.now();
  sim.outlet_to(a).post("again", {});
  sim.advance(10s);
  EXPECT_EQ(ticks, std::vector<instant>({again + 5s}));
}

TEST_F(process_test, drops_and_counts_an_answer_to_no_open_call) {
  auto h = holder("h");
  auto c = call_from("c", h->who, "work");
  auto stray = std::make_unique<envelope>();
  stray->kind = kind::reply;
  stray->to = c->who;
  stray->id = 99;
  stray->body = body(1);
  sim.post(std::move(stray));
  sim.settle();
  EXPECT_FALSE(c->reply);
  EXPECT_EQ(sim.events.back().what, runtime_event::what::late_reply);
}

TEST_F(process_test, sleeps_out_of_turn_while_it_serves_a_message) {
  bool slept = false;
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.sleep(e.cause, 5, 2s);
    if (e.kind == kind::reply && e.id == 5) slept = true;
  });
  b->keeps_open = true;
  auto a = *sim.add("a", std::move(b));
  sim.send(a, "go");
  sim.advance(1s);
  EXPECT_FALSE(slept);
  sim.advance(1s);
  EXPECT_TRUE(slept);
}

TEST_F(process_test, refuses_a_chain_of_more_than_64_calls) {
  std::optional<error> seen;
  int depth = 0;
  auto b = std::make_unique<lambda_behaviour>(
      [&](context& ctx, envelope& e) {
        if (e.kind == kind::call || e.kind == kind::send) {
          ++depth;
          ctx.call(e.cause, static_cast<call_id>(depth), std::string("a"), "deeper", args());
        }
        if (e.kind == kind::error && !seen) seen = unpack_error(e.body);
      },
      concurrency{.slots = 1000});
  b->keeps_open = true;
  ASSERT_TRUE(sim.add("a", std::move(b)));
  sim.send(std::string("a"), "go");
  ASSERT_TRUE(seen);
  EXPECT_EQ(seen->code, "limit");
  EXPECT_EQ(seen->data["what"], value("chain"));
}

TEST_F(process_test, begins_a_new_chain_with_a_send_however_often_it_goes_to_and_fro) {
  echo("c");
  std::uint32_t longest = 0;
  std::optional<value> answer;
  const auto hand_on_to = [&](std::string other) {
    return [&, other](context& ctx, envelope& e) {
      if (e.chain) longest = std::max(longest, e.chain->length);
      if (e.kind == kind::reply) answer = *unpack(e.body.view());
      if (e.kind != kind::send) return;
      const auto left = first(e).as_int();
      if (left > 0) return ctx.send(e.cause, other, "on", args({left - 1}));
      ctx.call(e.cause, 1, std::string("c"), "echo", args({"there"}), {});
    };
  };
  auto b = std::make_unique<lambda_behaviour>(hand_on_to("a"));
  b->keeps_open = true;
  ASSERT_TRUE(sim.add("b", std::move(b)));
  auto a = std::make_unique<lambda_behaviour>(hand_on_to("b"), concurrency{.slots = 1000});
  a->keeps_open = true;
  sim.send(*sim.add("a", std::move(a)), "on", {2});
  EXPECT_EQ(answer, value("there"));
  EXPECT_EQ(longest, 0);
}

TEST_F(process_test, takes_a_call_that_comes_by_a_send_from_whom_it_waits_for) {
  cause_id work = no_cause, held = no_cause;
  auto a = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.call(work = e.cause, 1, std::string("b"), "work", args(), {});
    if (e.kind == kind::reply) ctx.done(work);
    if (e.kind == kind::call) ctx.reply(e.cause, body("here"));
    if (e.kind == kind::call) ctx.done(e.cause);
  });
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::call) ctx.send(held = e.cause, std::string("c"), "poke", args());
    if (e.kind != kind::event) return;
    ctx.reply(held, body(true));
    ctx.done(held);
  });
  a->keeps_open = b->keeps_open = true;
  std::optional<error> refused;
  std::optional<value> answer;
  auto c = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.call(e.cause, 1, std::string("a"), "ask", args(), {});
    if (e.kind == kind::error) refused = unpack_error(e.body);
    if (e.kind == kind::reply) answer = *unpack(e.body.view());
  });
  c->keeps_open = true;
  ASSERT_TRUE(sim.add("a", std::move(a)));
  auto at_b = *sim.add("b", std::move(b));
  ASSERT_TRUE(sim.add("c", std::move(c)));
  sim.send(std::string("a"), "go");
  EXPECT_FALSE(refused) << refused->describe();
  EXPECT_FALSE(answer) << "taken while it served something else";
  sim.outlet_to(at_b).post("release", {});
  sim.settle();
  EXPECT_EQ(answer, value("here"));
}

TEST_F(process_test, refuses_a_name_its_grants_do_not_cover) {
  echo("team/hidden");
  std::string code;
  auto b = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.call(e.cause, 1, std::string("team/hidden"), "echo", args({1}));
    if (e.kind == kind::error) code = unpack_error(e.body).code;
  });
  process_init init;
  init.path = "other/a";
  init.actions = std::move(b);
  init.rights = std::make_shared<authority>();
  ASSERT_TRUE(sim.add(std::move(init)));
  sim.send(std::string("other/a"), "go");
  EXPECT_EQ(code, "denied");
}

TEST_F(process_test, lets_a_grant_name_a_single_verb) {
  echo("team/hidden");
  std::vector<std::string> codes;
  process_init init;
  init.path = "other/a";
  init.actions = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
    const std::string hidden = "team/hidden";
    if (e.kind == kind::send) {
      ctx.call(no_cause, 1, hidden, "echo", args({1}));
      ctx.call(no_cause, 2, hidden, "other", args({1}));
      ctx.find(3, hidden);
    }
    if (e.kind == kind::error) codes.push_back(unpack_error(e.body).describe());
    if (e.kind == kind::reply) codes.push_back("answered");
  });
  auto rights = std::make_shared<authority>();
  rights->grants = *grants::from(value::map{{"call", value::array{"team/hidden.echo"}}}, "/");
  init.rights = rights;
  ASSERT_TRUE(sim.add(std::move(init)));
  sim.send(std::string("other/a"), "go");
  EXPECT_THAT(
      codes,
      testing::UnorderedElementsAre(
          "answered",
          "denied: other/a needs call team/hidden.other, which its needs or its grants leave out",
          "denied: other/a needs call team/hidden, which its needs or its grants leave out"));
}

TEST_F(process_test, takes_its_monitors_back_when_it_ends) {
  auto a = echo("a");
  for (int i = 0; i < 3; ++i) {
    auto w = *sim.add("w" + std::to_string(i), [&](context& ctx, envelope& e) {
      if (e.kind == kind::send) ctx.monitor(1, a);
    });
    sim.send(w, "watch");
    sim.exit(w, errc::kill);
  }
  EXPECT_EQ((*sim.call(a, inspect_verb))["watchers"], value(0));
}

TEST_F(process_test, tells_its_watchers_of_its_end_before_those_who_called_it) {
  auto h = holder("h");
  auto w = *sim.add("w", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ctx.monitor(1, h->who);
  });
  sim.send(w, "watch");
  auto c = call_from("c", h->who, "one");
  std::vector<kind> told;
  sim.on_post = [&](const envelope& e) {
    if (e.from == h->who) told.push_back(e.kind);
  };
  sim.exit(h->who, errc::kill);
  sim.on_post = {};
  EXPECT_THAT(told, testing::IsSupersetOf({kind::down, kind::error}));
  EXPECT_LT(std::find(told.begin(), told.end(), kind::down),
            std::find(told.begin(), told.end(), kind::error));
}

TEST_F(process_test, refuses_a_body_that_is_too_big_wherever_it_is_sent) {
  const bytes big(std::string((16u << 20) + 16, 'x'));
  int seen = 0;
  auto b = *sim.add("b", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send) ++seen;
    if (e.kind == kind::call) ctx.reply(e.cause, big);
  });
  auto c = call_from("c", b, "x");
  ASSERT_TRUE(c->failure);
  EXPECT_EQ(c->failure->code, "too_big");
  std::string code;
  auto w = *sim.add("w", [&](context& ctx, envelope& e) {
    if (e.kind == kind::send && e.verb == "go") ctx.send(e.cause, b, "y", big);
    if (e.kind == kind::send && e.verb == "call") ctx.call(e.cause, 7, b, "y", big);
    if (e.kind == kind::error) code = unpack_error(e.body).code;
  });
  sim.send(w, "call");
  EXPECT_EQ(code, "too_big");
  sim.send(w, "go");
  EXPECT_EQ(seen, 0);
}

TEST_F(process_test, runs_the_same_from_the_same_seed) {
  auto history = [](std::uint64_t seed) {
    simulation s(seed);
    std::string h;
    for (int i = 0; i < 5; ++i)
      s.add("a" + std::to_string(i), [&h, i](context& ctx, envelope& e) {
         if (e.kind != kind::send) return;
         h += std::to_string(i);
         if (h.size() < 100)
           for (int k = 0; k < 5; ++k)
             ctx.send(e.cause, "a" + std::to_string((i + k) % 5), "x", args());
       }).value();
    s.send(std::string("a0"), "x");
    return h;
  };
  EXPECT_EQ(history(7), history(7));
  EXPECT_NE(history(7), history(8));
}

/// Time passes with each look at the clock.
class restless final : public simulation {
 public:
  instant now() const override { return simulation::now() + looks++ * 100us; }
  mutable int looks = 0;
};

TEST(process_turn, ends_although_signals_keep_coming_in) {
  restless sim;
  sim.turns.time = 2ms;
  const auto a = *sim.add("a", [](context&, envelope&) {});
  const auto knock = [&] {
    auto e = std::make_unique<envelope>();
    e->kind = kind::start;  // refused, which is answered
    e->from = e->to = a;
    e->from.agent = 1;
    sim.post(std::move(e));
  };
  sim.on_post = [&](const envelope& e) {
    if (e.kind == kind::error) knock();
  };
  knock();
  for (int turns = 0; turns < 3; ++turns)
    EXPECT_TRUE(sim.step(never)) << "it has more to do";
  sim.on_post = nullptr;
}

}  // namespace
}  // namespace troupe::test
