// SPDX-License-Identifier: Apache-2.0
//
// A supervised team in the simulation, for tests of supervisors and pools: agents that start, end
// and stop as a test plans it, and write down what happens to them.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/supervisor/api.hpp"
#include "actors/supervisor/pool.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "agent/answers.hpp"
#include "support/simulation.hpp"

namespace troupe::test {

using namespace std::chrono_literals;
using texts = std::vector<std::string>;

/// What an agent does, by its path.
struct plan {
  /// What becomes of its next starts, the last for all further ones: "ready", "fail", "ignore",
  /// "hang", "crash". None: ready.
  std::deque<std::string> starts;
  /// Ends when it is told to stop.
  bool obeys = true;
  /// Code that it fails each call with, if any.
  std::string fails_with = {};
  /// Asks its supervisor something before it answers its start; gets what becomes of it.
  std::function<void(error)> asks_in_start;
  /// What it says with its start.
  value info = {};
  /// Takes this name in its start; fails as that fails.
  std::string registers = {};
  /// Unties itself from its supervisor in its start.
  bool unlinks = false;
};

/// Answers any verb with its argument, `who` with its path; `hold` only at `release` or an event;
/// `end` ends it with the code, data and message given; `parts` sends as many parts as it may
/// first. Serial.
class member final : public behaviour {
 public:
  member(texts& diary, plan& todo) : diary_(diary), todo_(todo) {}

  progress receive(context& ctx, envelope_ptr e) override {
    switch (e->kind) {
      case kind::start:
        begin(ctx, *e);
        return progress::idle;
      case kind::stop:
        diary_.push_back("stop " + ctx.path());
        if (todo_.obeys) ctx.exit(unpack_error(e->body));
        return progress::idle;
      case kind::call:
      case kind::send:
        serve(ctx, *e);
        return progress::idle;
      case kind::reply:
        answer(ctx, start_, todo_.info);
        return progress::idle;
      case kind::error:
        if (!todo_.registers.empty()) {
          refuse(ctx, start_, unpack_error(e->body));
          return progress::idle;
        }
        todo_.asks_in_start(unpack_error(e->body));
        answer(ctx, start_, nullptr);
        return progress::idle;
      case kind::cancel:
        diary_.push_back("cancel " + ctx.path());
        ctx.done(e->cause);
        return progress::idle;
      case kind::event:
        answer(ctx, held_.front(), "held");
        held_.pop_front();
        return progress::idle;
      case kind::credit:
        return progress::idle;
      default:
        ctx.done(e->cause);
        return progress::idle;
    }
  }

 private:
  void begin(context& ctx, const envelope& e) {
    diary_.push_back("start " + ctx.path());
    auto& starts = todo_.starts;
    const std::string how = starts.empty() ? "ready" : starts.front();
    if (starts.size() > 1) starts.pop_front();
    const auto told = *unpack(e.body.view());
    if (const auto* last = told.find("last_exit"))
      diary_.push_back(ctx.path() + " had ended: " + error_from(*last).code);
    start_ = e.cause;
    if (todo_.unlinks) ctx.unlink(e.from);
    if (how == "ready" && !todo_.registers.empty()) return ctx.bind(1, todo_.registers);
    if (how == "fail") ctx.fail(e.cause, {errc::failed, "planned"});
    if (how == "crash") ctx.exit(error(errc::crash, "planned"));
    if (todo_.asks_in_start) {
      ctx.call(e.cause, 1, e.from, supervisor_api::which_children, *pack(value::array{}), {});
    } else if (how == "ready") {
      answer(ctx, e.cause, todo_.info);
    }
    if (how == "ignore") answer(ctx, e.cause, "ignore");
  }

  void serve(context& ctx, const envelope& e) {
    const auto args = *unpack(e.body.view());
    const auto first = args.as_array().empty() ? value() : args.as_array().front();
    diary_.push_back(e.verb + " " + ctx.path());
    if (e.verb == "end") {
      const auto& more = args.as_array();
      error reason(std::string(first.as_string()), "told to");
      if (more.size() > 1) reason.data = more[1];
      if (more.size() > 2) reason.message = more[2].as_string();
      return ctx.exit(std::move(reason));
    }
    if (e.verb == "release") {
      answer(ctx, held_.front(), "held");
      held_.pop_front();
    }
    if (e.verb == "hold") {
      held_.push_back(e.cause);
      return;
    }
    if (e.verb == "parts")
      while (ctx.part(e.cause, *pack(value("part"))))
        ;
    if (!todo_.fails_with.empty()) return refuse(ctx, e.cause, error(todo_.fails_with, "planned"));
    answer(ctx, e.cause, e.verb == "who" ? value(ctx.path()) : first);
  }

  texts& diary_;
  plan& todo_;
  std::deque<cause_id> held_;
  cause_id start_ = no_cause;
};

class team : public testing::Test, public launcher {
 protected:
  explicit team(std::uint64_t seed = 1) : sim(seed) { sim.makes_children = this; }

  /// A worker with a script; further keys by assignment.
  static child_spec worker(std::string id, restart_type restart = restart_type::permanent) {
    child_spec spec;
    spec.id = std::move(id);
    spec.start = start_script{"member.lua"};
    spec.restart = restart;
    return spec;
  }
  static supervisor_spec of(std::vector<child_spec> children, strategy how = strategy::one_for_one,
                            std::uint32_t intensity = 3) {
    supervisor_spec spec;
    spec.strategy = how;
    spec.intensity = intensity;
    spec.children = std::move(children);
    return spec;
  }
  static supervisor_spec abc(strategy how = strategy::one_for_one, std::uint32_t intensity = 3) {
    return of({worker("a"), worker("b"), worker("c")}, how, intensity);
  }
  static value spec_value(const std::string& id, const char* restart = "permanent") {
    value v = value::map{};
    v.set("id", id).set("start", "member.lua").set("restart", restart);
    return v;
  }
  static child_spec nested(std::string id, supervisor_spec tree) {
    child_spec spec;
    spec.id = std::move(id);
    spec.start = std::move(tree);
    spec.shutdown = spec.start_timeout = duration::max();
    return spec;
  }

  /// Starts a supervisor at `top`; fails as its start fails.
  result<address> start_top(supervisor_spec spec) {
    process_init init;
    init.path = "top";
    init.rights = top_rights;
    init.actions = std::make_unique<supervisor>(supervisor_options{std::move(spec)}, *this, sim);
    TROUPE_TRY(at, sim.add(std::move(init)));
    sim.settle();
    return at;
  }
  address top(supervisor_spec spec) {
    auto at = start_top(std::move(spec));
    EXPECT_TRUE(at) << at.error().describe();
    return at ? *at : address();
  }

  result<value> ask(std::string_view verb, value::array args = {}) {
    auto said = sim.call("top", verb, std::move(args), {.timeout = duration::max()});
    sim.settle();
    return said;
  }
  /// The code of the error, or "ok".
  std::string code_of(std::string_view verb, value::array args = {}) {
    auto said = ask(verb, std::move(args));
    return said ? "ok" : said.error().code;
  }
  address at(const std::string& path) const { return sim.lookup(path); }
  std::string state_of(const std::string& id) {
    const auto list = *ask(supervisor_api::which_children);
    for (const auto& child : list.as_array())
      if (child["id"] == value(id)) return std::string(child["state"].as_string());
    return "gone";
  }
  void end(const target& whom, const char* code = "crash") { sim.send(whom, "end", {code}); }
  address agent(std::string path, std::function<void(context&, envelope&)> f, concurrency c = {}) {
    const auto made = sim.add(std::move(path), std::move(f), std::move(c));
    EXPECT_TRUE(made) << made.error().describe();
    return made ? *made : address();
  }
  /// What was written down since the last time.
  texts diary_now() { return std::exchange(diary, {}); }
  std::size_t count(enum runtime_event::what kind) const {
    std::size_t n = 0;
    for (const auto& e : sim.events)
      n += e.what == kind;
    return n;
  }

  // -- launcher
  result<process_init> prepare(const child_spec& spec, const place& where) override {
    process_init init;
    init.path = where.path;
    init.parent = where.parent;
    init.rights = where.rights;
    rights_of[where.path] = where.rights;
    options_of[where.path] = spec.options;
    if (refuses == spec.id) return error(errc::denied, spec.id + " needs what nobody grants");
    if (spec.pool)
      init.actions = std::make_unique<pool>(spec, *this, sim);
    else if (const auto* tree = std::get_if<supervisor_spec>(&spec.start))
      init.actions = std::make_unique<supervisor>(supervisor_options{*tree}, *this, sim);
    else
      init.actions = std::make_unique<member>(diary, plans[where.path]);
    return init;
  }
  result<process_init> implicit_supervisor(const place& owner) override {
    process_init init;
    init.path = owner.path + "/~";
    init.parent = owner.parent;
    init.rights = owner.rights;
    init.actions = std::make_unique<supervisor>(
        supervisor_options{.spec = {}, .below = owner.path, .is_implicit = true}, *this, sim);
    return init;
  }

  authority_ptr top_rights;
  texts diary;
  std::map<std::string, plan> plans;
  std::string refuses;                             ///< id of a child that can't be prepared
  std::map<std::string, authority_ptr> rights_of;  ///< what each was prepared with
  std::map<std::string, value> options_of;         ///< the same
  simulation sim;
};

}  // namespace troupe::test
