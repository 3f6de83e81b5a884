// SPDX-License-Identifier: Apache-2.0
//
// What a message costs on process and carrier, beside a bare event_based_actor of CAF in the same
// run. Plain figures, one a line. `bench_core SCALE ROW`: how much work (default 1), and which row
// alone, without CAF's, as a profiler wants it: trip, many, start, idle.
#include <atomic>
#include <caf/all.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <latch>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"

namespace {

using namespace troupe;
using stop_watch = std::chrono::steady_clock;

double ns_since(stop_watch::time_point t) {
  return std::chrono::duration<double, std::nano>(stop_watch::now() - t).count();
}

// -- ours -----------------------------------------------------------------------------------------

class answers : public behaviour {
 public:
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start || e->kind == kind::call) {
      ctx.reply(e->cause, e->body);
      ctx.done(e->cause);
    } else if (e->kind == kind::stop) {
      ctx.exit({errc::shutdown, "done"});
    }
    return progress::idle;
  }
};

/// Calls `to` over and over, one call at a time.
class asks : public behaviour {
 public:
  asks(const address& to, int rounds, std::latch& done) : to_(to), left_(rounds), done_(done) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
      ctx.done(e->cause);
    } else if (e->kind == kind::send || e->kind == kind::reply) {
      if (e->kind == kind::send) ctx.done(e->cause);
      if (left_-- > 0)
        ctx.call(no_cause, ++id_, to_, "ping", body_);
      else
        done_.count_down();
    } else if (e->kind == kind::stop) {
      ctx.exit({errc::shutdown, "done"});
    }
    return progress::idle;
  }

 private:
  address to_;
  int left_;
  std::latch& done_;
  call_id id_ = 0;
  bytes body_{"\x91\x01"};
};

class counts : public behaviour {
 public:
  counts(int wanted, std::latch& done) : left_(wanted), done_(done) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
    } else if (e->kind == kind::stop) {
      ctx.exit({errc::shutdown, "done"});
    } else if (--left_ == 0) {
      done_.count_down();
    }
    ctx.done(e->cause);
    return progress::idle;
  }

 private:
  int left_;
  std::latch& done_;
};

/// Sends `each` messages, a few a turn, so that its receiver's mailbox does not fill up.
class sends : public behaviour {
 public:
  sends(const address& to, int each) : to_(to), left_(each) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
    } else if (e->kind == kind::stop) {
      ctx.exit({errc::shutdown, "done"});
    } else {
      for (int i = 0; i < 50 && left_ > 0; ++i, --left_)
        ctx.send(no_cause, to_, "count", body_);
      if (left_ > 0) ctx.send(no_cause, ctx.self(), "more", {});
    }
    ctx.done(e->cause);
    return progress::idle;
  }

 private:
  address to_;
  int left_;
  bytes body_{"\x91\x01"};
};

process_init agent(std::unique_ptr<behaviour> b) {
  process_init init;
  init.actions = std::move(b);
  init.mailbox.messages = 1u << 22;
  init.mailbox.bytes = std::size_t{1} << 34;
  return init;
}

struct node_and_gate {
  explicit node_and_gate(std::size_t threads)
      : node({.threads = threads}), gate(*gateway::open(node, "bench")) {}
  node_carrier node;
  std::unique_ptr<gateway> gate;
};

double round_trip(std::size_t threads, int pairs, int rounds) {
  node_and_gate n(threads);
  std::latch done(pairs);
  std::vector<address> asking;
  for (int i = 0; i < pairs; ++i) {
    const auto to = *n.gate->start(agent(std::make_unique<answers>()));
    asking.push_back(*n.gate->start(agent(std::make_unique<asks>(to, rounds, done))));
  }
  const auto began = stop_watch::now();
  for (const auto& a : asking)
    n.gate->send(a, "go", {});
  done.wait();
  return ns_since(began) / pairs / rounds;
}

double many_to_one(std::size_t threads, int senders, int each) {
  node_and_gate n(threads);
  std::latch done(1);
  const auto to = *n.gate->start(agent(std::make_unique<counts>(senders * each, done)));
  std::vector<address> all;
  for (int i = 0; i < senders; ++i)
    all.push_back(*n.gate->start(agent(std::make_unique<sends>(to, each))));
  const auto began = stop_watch::now();
  for (const auto& a : all)
    n.gate->send(a, "go", {});
  done.wait();
  return ns_since(began) / senders / each;
}

/// Starts agents in its own turns; each ends after its first message.
class breeds : public behaviour {
 public:
  breeds(starter& s, int wanted, std::latch& done) : starter_(s), left_(wanted), done_(done) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) {
      ctx.reply(e->cause, {});
      ctx.done(e->cause);
    } else if (e->kind == kind::send || e->kind == kind::error || e->kind == kind::reply) {
      if (e->kind == kind::send) ctx.done(e->cause);
      if (left_-- == 0) {
        done_.count_down();
        return progress::idle;
      }
      auto init = agent(std::make_unique<short_lived>());
      init.parent = ctx.self();
      ctx.call(no_cause, ++id_, *starter_.start(std::move(init)), start_verb, {});
    } else if (e->kind == kind::stop) {
      ctx.exit({errc::shutdown, "done"});
    }
    return progress::idle;
  }

 private:
  class short_lived : public behaviour {
    progress receive(context& ctx, envelope_ptr e) override {
      ctx.reply(e->cause, {});
      ctx.exit({errc::normal, "done"});
      return progress::idle;
    }
  };
  starter& starter_;
  int left_;
  std::latch& done_;
  call_id id_ = 0;
};

double start_and_end(std::size_t threads, int wanted) {
  node_and_gate n(threads);
  std::latch done(1);
  const auto a = *n.gate->start(agent(std::make_unique<breeds>(n.node, wanted, done)));
  const auto began = stop_watch::now();
  n.gate->send(a, "go", {});
  done.wait();
  return ns_since(began) / wanted;
}

/// Processor time of this program while nothing happens, in percent of one core.
double idle_share(int agents) {
  node_and_gate n(2);
  for (int i = 0; i < agents; ++i)
    n.gate->start(agent(std::make_unique<answers>())).value();
  // Past the few milliseconds in which threads still look for work.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto used = std::clock();
  std::this_thread::sleep_for(std::chrono::seconds(2));
  return 100.0 * static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC / 2;
}

// -- bare CAF -------------------------------------------------------------------------------------

caf::behavior bare_answers(caf::event_based_actor*) {
  return {[](int x) { return x; }};
}

caf::behavior bare_asks(caf::event_based_actor* self, const caf::actor& to, int rounds,
                        std::latch* done) {
  self->send(to, rounds);
  return {[=](int x) {
    if (x > 0) return self->send(to, x - 1);
    self->send_exit(to, caf::exit_reason::user_shutdown);
    self->quit();
    done->count_down();
  }};
}

double bare_round_trip(std::size_t threads, int pairs, int rounds) {
  caf::actor_system_config config;
  config.set("scheduler.max-threads", threads);
  caf::actor_system system(config);
  std::latch done(pairs);
  const auto began = stop_watch::now();
  for (int i = 0; i < pairs; ++i)
    system.spawn(bare_asks, system.spawn(bare_answers), rounds, &done);
  done.wait();
  return ns_since(began) / pairs / rounds;
}

}  // namespace

int main(int argc, char** argv) {
  const double scale = argc > 1 ? std::atof(argv[1]) : 1;
  const std::string_view only = argc > 2 ? argv[2] : "";
  const auto wanted = [&](std::string_view what) { return only.empty() || what == only; };
  for (const std::size_t threads : {1, 2})
    for (const int pairs : {1, 8}) {
      const int rounds = static_cast<int>(scale * (pairs == 1 ? 800'000 : 100'000));
      if (!wanted("trip") && only != "ours") continue;  // `ours`: for a profile
      const double ours = round_trip(threads, pairs, rounds);
      if (only == "ours") continue;
      const double bare = bare_round_trip(threads, pairs, rounds);
      std::printf("round trip, %zu threads, %d pairs: %7.0f ns, bare CAF %7.0f ns: %.2f x\n",
                  threads, pairs, ours, bare, ours / bare);
    }
  for (const std::size_t threads : {1, 2})
    if (wanted("many"))
      std::printf("64 senders, one receiver, %zu threads: %7.0f ns a message\n", threads,
                  many_to_one(threads, 64, static_cast<int>(scale * 20'000)));
  for (const std::size_t threads : {1, 2})
    if (wanted("start"))
      std::printf("start, first message, end, %zu threads: %7.0f ns\n", threads,
                  start_and_end(threads, static_cast<int>(scale * 200'000)));
  if (wanted("idle")) std::printf("10 000 idle agents: %.2f %% of a core\n", idle_share(10'000));
}
