// SPDX-License-Identifier: Apache-2.0
//
// The same scenarios on the simulation's carrier and on a node's: what is promised is the same on
// both, whatever order is free. What a scenario tells is only what is promised.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <ostream>

#include "actors/supervisor/api.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "agent/answers.hpp"
#include "sim/stage.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using handler = std::function<void(context&, envelope&)>;
using lines = std::vector<std::string>;

bytes args(value::array a = {}) {
  return *pack(value(std::move(a)));
}
value first(const envelope& e) {
  return unpack(e.body.view())->as_array().at(0);
}
std::string code_of(const envelope& e) {
  return e.kind == kind::error ? unpack_error(e.body).code : std::string(to_string(e.kind));
}
lines sorted(lines some) {
  std::sort(some.begin(), some.end());
  return some;
}

/// Ends all agents before what they refer to goes: to be declared after that.
class curtain {
 public:
  explicit curtain(stage& on) : on_(on) {}
  ~curtain() { on_.close(); }
  curtain(const curtain&) = delete;
  curtain& operator=(const curtain&) = delete;

 private:
  stage& on_;
};

process_init agent(std::string path, std::unique_ptr<behaviour> b) {
  process_init init;
  init.path = std::move(path);
  init.actions = std::move(b);
  return init;
}
address add(stage& on, std::string path, handler f, concurrency c = {}) {
  return on.add(
      agent(std::move(path), std::make_unique<lambda_behaviour>(std::move(f), std::move(c))));
}
/// Keeps what it is asked open for ever, and notes each cancel; `ready` when it serves something.
address add_holder(stage& on, std::string path, notes& seen) {
  auto b = std::make_unique<lambda_behaviour>([&seen](context& ctx, envelope& e) {
    if (e.kind == kind::cancel) {
      seen.add("cancel " + ctx.path());
      ctx.done(e.cause);
    } else if (e.kind == kind::stop) {
      ctx.exit(unpack_error(e.body));
    } else {
      seen.add("serves " + ctx.path());
    }
  });
  b->keeps_open = true;
  return on.add(agent(std::move(path), std::move(b)));
}
/// Calls `to` when it is sent `go` and notes how the call ended; with unlimited slots.
address add_caller(stage& on, std::string path, target to, std::string verb, notes& seen,
                   duration timeout = 30s) {
  return add(
      on, std::move(path),
      [to = std::move(to), verb = std::move(verb), &seen, timeout](context& ctx, envelope& e) {
        if (e.kind == kind::send)
          ctx.call(no_cause, e.cause, to, verb, args({1}), {.timeout = timeout});
        if (e.kind == kind::reply || e.kind == kind::error) seen.add(ctx.path() + " " + code_of(e));
      },
      {.slots = concurrency::unlimited});
}

// -- messages

lines order_of_a_pair(stage& on) {
  constexpr int senders = 4, messages = 300;
  notes seen;
  // Ends with the last message, so that its `down` comes behind it.
  std::vector<address> from;
  std::map<std::uint64_t, std::string> names;
  address to;
  std::map<std::uint64_t, int> next;
  const curtain falls(on);
  for (int i = 0; i < senders; ++i) {
    from.push_back(add(on, "sender" + std::to_string(i), [&](context& ctx, envelope&) {
      for (int n = 0; n < messages; ++n)
        ctx.send(no_cause, to, "n", args({n}));
      ctx.exit(error(errc::normal, "all is said"));
    }));
    names[from.back().agent] = "sender" + std::to_string(i);
  }
  to = add(on, "receiver", [&](context& ctx, envelope& e) {
    if (e.verb == "watch") {
      for (int i = 0; i < senders; ++i)
        ctx.monitor(static_cast<monitor_id>(i + 1), from[static_cast<std::size_t>(i)]);
      ctx.reply(e.cause, {});
      return;
    }
    if (e.kind == kind::send && first(e) != value(next[e.from.agent]++))
      seen.add(names[e.from.agent] + " was overtaken");
    if (e.kind == kind::down)
      seen.add(names[e.from.agent] + " ended after " + std::to_string(next[e.from.agent]));
  });
  EXPECT_TRUE(on.call(to, "watch"));
  for (const auto& one : from)
    on.send(one, "go");
  on.until([&] { return seen.size() == senders; });
  return sorted(seen.all());
}

lines calls_to_one_that_dies(stage& on) {
  notes held, seen;
  const curtain falls(on);
  const auto to = add_holder(on, "holder", held);
  const auto caller = add_caller(on, "caller", to, "hold", seen);
  for (int i = 0; i < 20; ++i)
    on.send(caller, "go");
  on.until([&] { return held.size() == 1; });
  on.exit(to, errc::kill);
  on.until([&] { return seen.size() == 20; });
  on.send(caller, "go");  // to the dead
  on.until([&] { return seen.size() == 21; });
  return seen.all();
}

lines a_full_mailbox(stage& on) {
  notes held, seen;
  const curtain falls(on);
  auto init = agent("holder", nullptr);
  auto b = std::make_unique<lambda_behaviour>([&](context&, envelope& e) { held.add(e.verb); });
  b->keeps_open = true;
  init.actions = std::move(b);
  init.mailbox.messages = 5;
  const auto to = on.add(std::move(init));
  const auto caller = add_caller(on, "caller", to, "hold", seen);
  on.send(caller, "go");
  on.until([&] { return held.size() == 1; });  // it is served, so it counts no more
  for (int i = 0; i < 20; ++i)
    on.send(caller, "go");
  on.until([&] { return seen.size() == 15; });
  on.exit(to, errc::kill);
  on.until([&] { return seen.size() == 21; });
  return seen.all();
}

lines parts_under_credit(stage& on) {
  notes seen;
  struct telling {
    cause_id cause = no_cause;
    int said = 0;
  };
  auto state = std::make_shared<telling>();
  auto b = std::make_unique<lambda_behaviour>([state](context& ctx, envelope& e) {
    if (e.kind == kind::call) state->cause = e.cause;
    while (state->said < 20 && ctx.part(state->cause, *pack(value(state->said))))
      ++state->said;
    if (state->said < 20) return;
    ctx.reply(state->cause, *pack(value("all")));
    ctx.done(state->cause);
  });
  b->keeps_open = true;
  const auto teller = on.add(agent("teller", std::move(b)));
  const curtain falls(on);
  const auto reader = add(on, "reader",
                          [&, came = 0](context& ctx, envelope& e) mutable {
                            if (e.kind == kind::send)
                              ctx.call(no_cause, 1, teller, "tell", args(), {.credit = 3});
                            if (e.kind == kind::part) {
                              seen.add(std::to_string(unpack(e.body.view())->as_int()));
                              if (++came % 2 == 0) ctx.grant(1, 2);
                            }
                            if (e.kind == kind::reply) seen.add("reply");
                          },
                          {.slots = concurrency::unlimited});
  on.send(reader, "go");
  on.until([&] { return seen.size() == 21; });
  return seen.all();
}

/// Hands each call on to the next, and notes its cancel.
address add_link(stage& on, std::string path, target next, notes& seen) {
  struct state {
    cause_id cause = no_cause;
  };
  auto s = std::make_shared<state>();
  auto b = std::make_unique<lambda_behaviour>([s, next, &seen](context& ctx, envelope& e) {
    if (e.kind == kind::call) {
      s->cause = e.cause;
      ctx.call(e.cause, e.cause, next, "work", args());
    } else if (e.kind == kind::cancel) {
      seen.add("cancel " + ctx.path());
      ctx.done(e.cause);
    } else if (e.kind == kind::error) {
      seen.add(ctx.path() + " " + code_of(e));
      refuse(ctx, s->cause, unpack_error(e.body));
    }
  });
  b->keeps_open = true;
  return on.add(agent(std::move(path), std::move(b)));
}

lines a_cancel_along_a_chain(stage& on) {
  notes seen;
  const auto c = add_holder(on, "c", seen);
  const auto b = add_link(on, "b", c, seen);
  const auto a = add_link(on, "a", b, seen);
  const curtain falls(on);
  const auto caller = add(on, "caller",
                          [&](context& ctx, envelope& e) {
                            if (e.verb == "go") ctx.call(no_cause, 1, a, "work", args());
                            if (e.verb == "stop") ctx.cancel(1);
                            if (e.kind == kind::reply || e.kind == kind::error)
                              seen.add("an answer");
                          },
                          {.slots = concurrency::unlimited});
  on.send(caller, "go");
  on.until([&] { return seen.size() == 1; });
  on.send(caller, "stop");
  // Each hears that its call is over, and that the one it made for it is.
  on.until([&] { return seen.size() == 6; });
  return sorted(seen.all());
}

lines a_deadline_along_a_chain(stage& on) {
  notes seen;
  const curtain falls(on);
  const auto c = add_holder(on, "c", seen);
  const auto b = add_link(on, "b", c, seen);
  const auto caller = add_caller(on, "caller", b, "work", seen, 30ms);
  on.send(caller, "go");
  // How b hears of it, by the end of its own call or by the cancel of the caller, is free.
  on.until([&] {
    const auto all = seen.all();
    return std::count(all.begin(), all.end(), "caller timeout") > 0 &&
           std::count(all.begin(), all.end(), "cancel c") > 0;
  });
  return {"caller timeout", "cancel c"};
}

lines a_call_that_comes_back(stage& on) {
  notes seen;
  const curtain falls(on);
  const auto b = add_link(on, "b", std::string("a"), seen);
  const auto a = add_link(on, "a", b, seen);
  const auto answer = on.call(a, "work");
  return {answer ? "an answer" : answer.error().code + ": " + answer.error().message};
}

lines the_dead_and_the_unknown(stage& on) {
  notes seen;
  const auto dead = add(on, "dead", [](context&, envelope&) {});
  on.exit(dead, errc::kill);
  on.end_of(dead);
  const curtain falls(on);
  const auto one = add(on, "one",
                       [&](context& ctx, envelope& e) {
                         if (e.kind == kind::send) {
                           ctx.call(no_cause, 1, dead, "x", args());
                           ctx.call(no_cause, 2, std::string("dead"), "x", args());
                           ctx.call(no_cause, 3, std::string("nobody"), "x", args());
                           ctx.monitor(4, dead);
                           ctx.monitor(5, std::string("nobody"));
                         }
                         if (e.kind == kind::error)
                           seen.add(std::to_string(e.id) + " " + code_of(e));
                         if (e.kind == kind::down)
                           seen.add(std::to_string(e.id) + " down: " + unpack_error(e.body).code);
                       },
                       {.slots = concurrency::unlimited});
  on.send(one, "go");
  on.until([&] { return seen.size() == 5; });
  return sorted(seen.all());
}

// -- ends

lines a_ring_of_links(stage& on) {
  notes seen;
  std::vector<address> ring;
  const curtain falls(on);
  for (int i = 0; i < 5; ++i)
    ring.push_back(add(on, "ring" + std::to_string(i), [&, i](context& ctx, envelope& e) {
      if (e.verb != "link") return;
      ctx.link(ring[static_cast<std::size_t>(i + 1) % 5]);
      ctx.reply(e.cause, {});
    }));
  const auto trapper = add(on, "trapper", [&](context& ctx, envelope& e) {
    if (e.verb == "link") {
      ctx.trap_exits(true);
      ctx.link(ring[2]);
      ctx.reply(e.cause, {});
    }
    if (e.kind == kind::exit) seen.add("trapper heard " + unpack_error(e.body).code);
  });
  for (const auto& one : ring)
    EXPECT_TRUE(on.call(one, "link"));
  EXPECT_TRUE(on.call(trapper, "link"));
  on.exit(ring[0], errc::kill);
  lines told;
  for (const auto& one : ring)
    told.push_back(on.end_of(one).code);
  on.until([&] { return seen.size() == 1; });
  told.push_back(seen.all()[0]);
  return told;
}

lines names_of_the_dead(stage& on) {
  notes seen;
  const auto bind = [&](context& ctx, envelope& e) {
    if (e.kind == kind::send || e.kind == kind::down) ctx.bind(e.cause, "leader");
    if (e.kind == kind::reply || e.kind == kind::error) seen.add(ctx.path() + " " + code_of(e));
  };
  const auto a = add(on, "a", bind, {.slots = concurrency::unlimited});
  on.send(a, "go");
  on.until([&] { return seen.size() == 1; });
  const curtain falls(on);
  const auto b = add(on, "b",
                     [&](context& ctx, envelope& e) {
                       if (e.kind == kind::send) ctx.monitor(1, a);
                       bind(ctx, e);
                     },
                     {.slots = concurrency::unlimited});
  on.send(b, "go");
  on.until([&] { return seen.size() == 2; });
  on.exit(a, errc::kill);  // its names are free before b hears of it
  on.until([&] { return seen.size() == 3; });
  auto told = seen.all();
  told.push_back(on.lookup("leader") == b ? "b leads" : "b does not lead");
  return told;
}

/// Computes for ever once it is called, and says so to `killer`.
class endless final : public behaviour {
 public:
  explicit endless(const address& killer) : killer_(killer) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      answer(ctx, e->cause, nullptr);
      return progress::idle;
    }
    ctx.send(no_cause, killer_, "now", args());
    return progress::preempted;
  }
  progress resume(context&) override { return progress::preempted; }

 private:
  const address killer_;
};

lines a_kill_of_one_that_computes(stage& on) {
  notes seen;
  const curtain falls(on);
  const auto killer = add(on, "killer", [](context& ctx, envelope& e) {
    ctx.exit(e.from, error(errc::kill, "it computes"));
  });
  const auto a = on.add(agent("a", std::make_unique<endless>(killer)));
  const auto caller = add_caller(on, "caller", a, "compute", seen);
  on.send(caller, "go");
  on.until([&] { return seen.size() == 1; });
  return {on.end_of(a).code, seen.all()[0]};
}

lines timers_in_their_order(stage& on) {
  notes seen;
  const curtain falls(on);
  const auto a = add(on, "a",
                     [&](context& ctx, envelope& e) {
                       if (e.kind == kind::send) {
                         ctx.set_timer(1, 40ms);
                         ctx.set_timer(2, 10ms);
                         ctx.set_timer(3, 20ms);
                         ctx.set_timer(4, 30ms);
                         ctx.cancel_timer(3);
                       }
                       if (e.kind == kind::timer) seen.add(std::to_string(e.id));
                     },
                     {.slots = concurrency::unlimited});
  on.send(a, "go");
  on.until([&] { return seen.size() == 3; });
  return seen.all();
}

// -- supervision

/// Starts members that note when they start and stop, and end when they are told `end`.
class members final : public launcher {
 public:
  members(stage& on, notes& diary) : on_(on), diary_(diary) {}

  result<process_init> prepare(const child_spec& spec, const place& where) override {
    auto b = std::make_unique<lambda_behaviour>([this](context& ctx, envelope& e) {
      if (e.kind == kind::start) {
        diary_.add("start " + ctx.path());
        answer(ctx, e.cause, nullptr);
      } else if (e.kind == kind::stop) {
        diary_.add("stop " + ctx.path());
        ctx.exit(unpack_error(e.body));
      } else if (e.verb == "end") {
        diary_.add("end " + ctx.path());
        ctx.exit(error(errc::crash, "told to"));
      }
    });
    b->handles_start = true;
    auto init = agent(where.path, std::move(b));
    if (const auto* tree = std::get_if<supervisor_spec>(&spec.start))
      init.actions = std::make_unique<supervisor>(supervisor_options{*tree}, *this, on_.starts());
    init.parent = where.parent;
    return init;
  }
  result<process_init> implicit_supervisor(const place&) override {
    return error(errc::unsupported, "nobody spawns here");
  }

 private:
  stage& on_;
  notes& diary_;
};

child_spec member(std::string id) {
  child_spec spec;
  spec.id = std::move(id);
  spec.start = start_script{"member.lua"};
  return spec;
}

lines a_restart(stage& on, strategy how, std::uint32_t intensity) {
  notes diary;
  members makes(on, diary);
  const curtain falls(on);
  supervisor_spec below{how, intensity, 5s, {member("b"), member("c"), member("d")}};
  child_spec nested;
  nested.id = "team";
  nested.start = std::move(below);
  nested.restart = restart_type::temporary;
  nested.shutdown = nested.start_timeout = duration::max();
  supervisor_spec tree{strategy::one_for_one, 1, 5s, {member("a"), std::move(nested), member("e")}};
  const auto top =
      on.add(agent("top", std::make_unique<supervisor>(supervisor_options{std::move(tree)}, makes,
                                                       on.starts())));
  const auto before = on.lookup("top/team/c");
  on.send(before, "end");
  on.until([&] {
    // Either it is there anew, or its supervisor has given up.
    const auto list = on.call(top, supervisor_api::which_children, {}, {.timeout = 60s});
    bool has_team = false;
    for (const auto& child : list->as_array())
      has_team = has_team || child["id"] == value("team");
    if (!has_team) return true;
    const auto all = diary.all();
    const auto starts = std::count(all.begin(), all.end(), "start top/team/c");
    if (starts < 2) return false;
    // It does one thing after the other: when it answers, the restart is over.
    const auto team = on.call(std::string("top/team"), supervisor_api::which_children);
    return static_cast<bool>(team);
  });
  on.exit(top, errc::shutdown);
  on.end_of(top);
  return diary.all();
}

lines one_for_one(stage& on) {
  return a_restart(on, strategy::one_for_one, 1);
}
lines one_for_all(stage& on) {
  return a_restart(on, strategy::one_for_all, 1);
}
lines rest_for_one(stage& on) {
  return a_restart(on, strategy::rest_for_one, 1);
}
lines giving_up(stage& on) {
  return a_restart(on, strategy::one_for_one, 0);
}

// -- on both

struct scenario {
  const char* name;
  lines (*play)(stage&);
  lines promised;
};

lines join(std::vector<lines> parts) {
  lines all;
  for (const auto& part : parts)
    all.insert(all.end(), part.begin(), part.end());
  return all;
}
lines repeat(std::string line, std::size_t n) {
  return lines(n, std::move(line));
}
lines numbers(int n) {
  lines all;
  for (int i = 0; i < n; ++i)
    all.push_back(std::to_string(i));
  return all;
}

const lines boots = {"start top/a",      "start top/team/b", "start top/team/c",
                     "start top/team/d", "start top/e",      "end top/team/c"};
const lines stops = {"stop top/e", "stop top/team/d", "stop top/team/c", "stop top/team/b",
                     "stop top/a"};

const scenario scenarios[] = {
    {"order_of_a_pair",
     order_of_a_pair,
     {"sender0 ended after 300", "sender1 ended after 300", "sender2 ended after 300",
      "sender3 ended after 300"}},
    {"calls_to_one_that_dies", calls_to_one_that_dies, repeat("caller down", 21)},
    {"a_full_mailbox", a_full_mailbox,
     join({repeat("caller overloaded", 15), repeat("caller down", 6)})},
    {"parts_under_credit", parts_under_credit, join({numbers(20), {"reply"}})},
    {"a_cancel_along_a_chain",
     a_cancel_along_a_chain,
     {"a cancelled", "b cancelled", "cancel a", "cancel b", "cancel c", "serves c"}},
    {"a_deadline_along_a_chain", a_deadline_along_a_chain, {"caller timeout", "cancel c"}},
    {"a_call_that_comes_back", a_call_that_comes_back, {"deadlock: a -> b -> a"}},
    {"the_dead_and_the_unknown",
     the_dead_and_the_unknown,
     {"1 down", "2 down", "3 no_such_agent", "4 down: down", "5 down: no_such_agent"}},
    {"a_ring_of_links",
     a_ring_of_links,
     {"killed", "killed", "killed", "killed", "killed", "trapper heard killed"}},
    {"names_of_the_dead", names_of_the_dead, {"a reply", "b exists", "b reply", "b leads"}},
    {"a_kill_of_one_that_computes", a_kill_of_one_that_computes, {"killed", "caller down"}},
    {"timers_in_their_order", timers_in_their_order, {"2", "4", "1"}},
    {"one_for_one", one_for_one, join({boots, {"start top/team/c"}, stops})},
    {"one_for_all", one_for_all,
     join({boots,
           {"stop top/team/d", "stop top/team/b", "start top/team/b", "start top/team/c",
            "start top/team/d"},
           stops})},
    {"rest_for_one", rest_for_one,
     join({boots, {"stop top/team/d", "start top/team/c", "start top/team/d"}, stops})},
    {"giving_up", giving_up,
     join({boots, {"stop top/team/d", "stop top/team/b", "stop top/e", "stop top/a"}})},
};

void PrintTo(const scenario& s, std::ostream* to) {
  *to << s.name;
}

void play(const scenario& s, stage& on) {
  EXPECT_EQ(s.play(on), s.promised);
  for (const auto& b : on.book.breaches())
    ADD_FAILURE() << to_string(b.what) << ": " << b.how;
}

class sim_scenario : public testing::TestWithParam<scenario> {};

TEST_P(sim_scenario, is_promised_in_the_simulation) {
  for (std::uint64_t seed = 1; seed <= 50 && !HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    play(GetParam(), *simulated_stage(seed, seed % 2 == 0));
  }
}

TEST_P(sim_scenario, is_promised_in_a_node) {
  for (const std::size_t threads : {1, 2, 4})
    for (int i = 0; i < 5 && !HasFailure(); ++i) {
      SCOPED_TRACE(std::to_string(threads) + " threads");
      play(GetParam(), *node_stage(threads, i % 2));
    }
}

INSTANTIATE_TEST_SUITE_P(on_both, sim_scenario, testing::ValuesIn(scenarios),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace troupe::test
