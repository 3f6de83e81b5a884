// SPDX-License-Identifier: Apache-2.0
#include "sim/world.hpp"

#include <memory>
#include <optional>
#include <utility>

#include "actors/directory/directory.hpp"
#include "actors/supervisor/api.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "exe/launcher.hpp"
#include "sim/observed.hpp"
#include "sim/prompter.hpp"
#include "sim/simulation.hpp"
#include "support/simulation.hpp"

namespace troupe::test {

namespace {

using namespace std::chrono_literals;
namespace api = supervisor_api;

class silent_sink final : public log_sink {
 public:
  void write(const log_record&) override {}
};

/// The simulation with a ledger, and what breaks its promises.
class watched_simulation final : public troupe::simulation {
 public:
  watched_simulation(std::uint64_t seed, ledger& book) : troupe::simulation(seed), book_(book) {}

  /// Not before the world has come up.
  sabotage harm = sabotage::none;

  void post(envelope_ptr e) override {
    book_.posted(*e, now());
    switch (harm) {
      case sabotage::overtake:
      case sabotage::hasty_down:
        return post_out_of_order(std::move(e));
      case sabotage::answer_twice:
        if (e->kind == kind::reply) {
          auto again = std::make_unique<envelope>();
          again->kind = e->kind;
          again->from = e->from;
          again->to = e->to;
          again->id = e->id;
          again->body = e->body;
          book_.posted(*again, now());
          troupe::simulation::post(std::move(again));
        }
        break;
      case sabotage::extra_credit:
        if (e->credit > 0) e->credit += 5;
        break;
      case sabotage::hasty_start:
        if (e->kind == kind::start) pass_off(*e, kind::reply, e->id);
        break;
      case sabotage::hasty_stop:
        if (e->kind == kind::monitor) watches_[{e->from.agent, e->to.agent}] = e->id;
        if (e->kind == kind::exit_signal)
          if (const auto watch = watches_.find({e->from.agent, e->to.agent});
              watch != watches_.end())
            pass_off(*e, kind::down, watch->second);
        break;
      case sabotage::lose_down:
        if (e->kind == kind::down) return;
        break;
      case sabotage::stay:
        if (e->kind == kind::exit_signal && path_of(e->to) == "b") return;
        break;
      default:
        break;
    }
    troupe::simulation::post(std::move(e));
  }

  result<address> start(process_init init) override {
    const auto parent = init.parent;
    const auto path = init.path;
    init.actions = observe(std::move(init.actions), book_, &harm);
    TROUPE_TRY(a, troupe::simulation::start(std::move(init)));
    book_.born(a, parent, path);
    if (harm == sabotage::unknown_child && path == "a") {
      process_init rogue;
      rogue.path = "rogue";
      rogue.parent = parent;
      rogue.actions = std::make_unique<lambda_behaviour>([](context&, envelope&) {});
      TROUPE_TRY(b, troupe::simulation::start(std::move(rogue)));
      book_.born(b, parent, "rogue");
    }
    return a;
  }

  bool bind(std::string_view name, const address& holder, bool replace) override {
    const bool done =
        troupe::simulation::bind(name, holder, replace || harm == sabotage::two_holders);
    book_.bound(name, holder, replace, done);
    names_.emplace(name);
    return done;
  }
  void unbind(const address& holder) override {
    if (harm != sabotage::keep_name) troupe::simulation::unbind(holder);
  }

  void report(const runtime_event& event) override {
    troupe::simulation::report(event);
    ++counts[static_cast<std::size_t>(event.what)];
    if (event.reason.is(errc::overloaded)) ++overloaded;
    if (event.what != runtime_event::what::ended) return;
    std::string still_named;
    for (const auto& name : names_)
      if (lookup(name) == event.agent) still_named = name;
    book_.ended(event.agent, event.reason, still_named);
  }

  std::map<std::size_t, std::uint64_t> counts;
  std::uint64_t overloaded = 0;  ///< of the dead letters

 private:
  /// Holds one send of each pair back. It goes before the next message of the pair, or behind it.
  void post_out_of_order(envelope_ptr e) {
    auto& held = held_[{e->from.agent, e->to.agent}];
    if (e->kind == kind::send && !held) {
      held = std::move(e);
      return;
    }
    auto before = std::exchange(held, nullptr);
    const bool is_first = harm == sabotage::overtake || e->kind == kind::down;
    if (before && !is_first) troupe::simulation::post(std::move(before));
    troupe::simulation::post(std::move(e));
    if (before) troupe::simulation::post(std::move(before));
  }

  /// As if the receiver of `e` had said so already.
  void pass_off(const envelope& e, kind k, std::uint64_t id) {
    auto lie = std::make_unique<envelope>();
    lie->kind = k;
    lie->from = e.to;
    lie->to = e.from;
    lie->id = id;
    lie->body = k == kind::down ? pack_error({errc::shutdown, "told to"}) : *pack(nullptr);
    book_.posted(*lie, now());
    troupe::simulation::post(std::move(lie));
  }

  ledger& book_;
  std::set<std::string, std::less<>> names_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, envelope_ptr> held_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, monitor_id> watches_;
};

class world {
 public:
  explicit world(const world_options& with)
      : with_(with), random_(with.seed * 0x9e3779b97f4a7c15u + 1), sim_(with.seed, book_) {
    book_.print = with.print;
    scripts_.cache = &codes_;
    scripts_.count = static_cast<int>(50 + random_.below(1000));
    sim_.turns.messages = random_.below(3) == 0 ? 10 : 1;
    sim_.mailboxes.messages = static_cast<std::uint32_t>(8 + random_.below(60));
    sim_.messages_travel = random_.below(2) == 0;
    launcher_.add_builtin("directory", [] { return std::make_unique<directory>(); });
    launcher_.add_builtin("app", [this] {
      return std::make_unique<supervisor>(
          supervisor_options{.spec = tree_, .base_folder = TROUPE_SIM_AGENTS, .below = ""},
          launcher_, sim_);
    });
  }

  story run() {
    begin();
    if (root_) {
      sim_.harm = with_.sabotage;
      for (auto n = 30 + random_.below(60); n > 0; --n) {
        disturb();
        for (auto some = random_.below(12); some > 0; --some)
          step(sim_.now());
      }
      come_to_rest();
      end();
    }
    story told;
    told.hash = book_.hash();
    told.length = book_.length();
    told.steps = steps_;
    told.breaches = book_.breaches();
    told.counts["overloaded"] = sim_.overloaded;
    told.counts["came up"] = static_cast<bool>(root_);
    for (const auto& [what, n] : sim_.counts)
      told.counts[std::string(names_of_events[what])] = n;
    return told;
  }

 private:
  static constexpr std::string_view names_of_events[] = {
      "started", "ended", "dead letters", "late replies", "expired", "restarted", "given up"};

  bool step(instant limit) {
    ++steps_;
    const bool goes_on = sim_.step(limit);
    book_.turn_is_over();
    return goes_on;
  }
  void advance(duration d) {
    const auto end = add(sim_.now(), d);
    while (step(end)) {
    }
    sim_.advance(end - sim_.now());
  }

  // -- the tree

  strategy any_strategy() {
    constexpr strategy all[] = {strategy::one_for_one, strategy::one_for_all,
                                strategy::rest_for_one};
    return all[random_.below(3)];
  }
  child_spec leaf(std::string id, const char* file) {
    constexpr restart_type types[] = {restart_type::permanent, restart_type::permanent,
                                      restart_type::transient, restart_type::temporary};
    child_spec spec;
    spec.id = std::move(id);
    spec.start = start_script{file};
    spec.base_folder = TROUPE_SIM_AGENTS;
    spec.restart = types[random_.below(4)];
    spec.start_timeout = 1s;
    spec.shutdown = random_.below(4) == 0 ? 0s : 2s;
    spec.limits.set("memory", 4 << 20);
    if (spec.restart != restart_type::temporary) spec.options.set("may_ignore", true);
    return spec;
  }
  static child_spec nested(std::string id, supervisor_spec tree) {
    child_spec spec;
    spec.id = std::move(id);
    spec.start = std::move(tree);
    spec.shutdown = spec.start_timeout = duration::max();
    return spec;
  }
  supervisor_spec make_tree() {
    auto pool = leaf("pool", "plain.lua");
    pool.restart = restart_type::permanent;
    pool.options = value::map{};
    pool.pool = pool_spec{.size = 3, .queue = 5, .by_key = random_.below(3) == 0, .intensity = 20};
    const auto few = static_cast<std::uint32_t>(1 + random_.below(5));
    return {
        any_strategy(),
        1000,
        5s,
        {leaf("a", "plain.lua"),
         nested("left", {any_strategy(),
                         1000,
                         5s,
                         {leaf("c", "plain.lua"), leaf("d", "wide.lua"),
                          nested("deep", {any_strategy(), few, 5s, {leaf("e", "plain.lua")}})}}),
         leaf("b", "wide.lua"),
         nested("right",
                {any_strategy(), few, 5s, {leaf("f", "mixed.lua"), leaf("g", "plain.lua")}}),
         std::move(pool), leaf("mixed", "mixed.lua")}};
  }

  void begin() {
    tree_ = make_tree();
    book_.knows("app", "", tree_);
    supervisor_spec services;
    services.strategy = strategy::rest_for_one;
    services.intensity = 1000;
    for (const char* name : {"directory", "app"}) {
      child_spec spec;
      spec.id = name;
      spec.start = start_builtin{name};
      spec.start_timeout = spec.shutdown = duration::max();
      services.children.push_back(std::move(spec));
    }
    book_.knows("root", "", services);
    auto all = std::make_shared<authority>();
    all->grants = grants::all();
    process_init root;
    root.path = "root";
    root.rights = all;
    root.makes_children = &launcher_;
    root.actions = std::make_unique<supervisor>(
        supervisor_options{.spec = std::move(services), .below = ""}, launcher_, sim_);
    prompter_ = *sim_.add("prompter", make_prompter(to_do_));
    prompts_ = sim_.outlet_to(prompter_);
    auto made = sim_.add(std::move(root));
    // A tree that does not come up is a story too, but a short one.
    if (made) root_ = *made;
  }

  // -- what happens

  template <std::size_t N>
  const char* one_of(const char* const (&list)[N]) {
    return list[random_.below(N)];
  }
  std::string any_peer() {
    constexpr const char* peers[] = {"a",      "b",       "left/c",  "left/d",     "left/deep/e",
                                     "mixed",  "right/f", "right/g", "pool",       "pool",
                                     "pool/1", "a/kid",   "n1",      "left/c/kid", "b/kid"};
    return one_of(peers);
  }
  duration any_time() { return std::chrono::milliseconds(1 + random_.below(4000)); }

  void prompt(std::function<void(context&)> f) {
    to_do_->add(std::move(f));
    prompts_.post("order", {});
  }
  void call(target to, std::string_view verb, value::array args, std::uint32_t credit = 0) {
    const auto id = ++last_call_;
    prompt([=, body = *pack(value(std::move(args))), verb = std::string(verb),
            timeout = any_time()](context& ctx) {
      ctx.call(no_cause, id, to, verb, body, {.timeout = timeout, .credit = credit});
    });
  }

  void disturb() {
    constexpr const char* verbs[] = {
        "echo",          "work",      "nap", "chat",  "chat",  "ask",      "parts", "read",
        "later",         "detached",  "fan", "race",  "try",   "tell_all", "flood", "watch",
        "watch_address", "part_ways", "tie", "spawn", "spawn", "tick",     "name",  "join",
        "leave",         "all",       "big", "fail",  "crash", "crash"};
    switch (random_.below(20)) {
      case 0:
        return kill();
      case 1:
        return tell_to_end();
      case 2:
        if (last_call_ > 0) {
          const auto id = last_call_ - random_.below(std::min<call_id>(last_call_, 5));
          prompt([id](context& ctx) { ctx.cancel(id); });
        }
        return;
      case 3:
      case 4:
        return administer();
      case 5:
        return call(any_peer(), "parts", {8}, 1 + static_cast<std::uint32_t>(random_.below(3)));
      case 6: {
        const auto to = any_peer();
        return prompt([to](context& ctx) {
          for (int i = 0; i < 40; ++i)
            ctx.send(no_cause, to, "echo", *pack(value::array{i}));
        });
      }
      case 7:
        return prompt(
            [to = any_peer(), id = ++last_monitor_](context& ctx) { ctx.monitor(id, to); });
      case 8:
      case 9:
      case 10:
        return advance(std::chrono::milliseconds(random_.below(900)));
      case 11:
        return prompt([to = any_peer(), verb = std::string(one_of(verbs))](context& ctx) {
          ctx.send(no_cause, to, verb, *pack(value::array{}));
        });
      default:
        return call(any_peer(), one_of(verbs), {});
    }
  }

  /// Anybody but the root and who runs the world.
  std::optional<address> any_victim() {
    const auto all = book_.living();
    const auto& one = all[random_.below(all.size())];
    if (one == root_ || one == prompter_) return {};
    return one;
  }
  void kill() {
    if (const auto victim = any_victim())
      prompt(
          [to = *victim](context& ctx) { ctx.exit(to, error(errc::kill, "told by the world")); });
  }
  void tell_to_end() {
    constexpr const char* codes[] = {"normal", "shutdown", "crash", "mine"};
    if (const auto victim = any_victim())
      prompt([to = *victim, code = std::string(one_of(codes))](context& ctx) {
        ctx.exit(to, error(code, "told by the world"));
      });
  }

  void administer() {
    constexpr const char* supervisors[] = {"app", "app", "left", "right", "left/deep", "pool"};
    constexpr const char* ids[] = {"a",    "b",    "c",     "d",    "e",     "f",  "g",
                                   "left", "deep", "right", "pool", "mixed", "new"};
    constexpr const char* types[] = {"permanent", "transient", "temporary"};
    const std::string_view all[] = {api::start_child,  api::restart_child,  api::terminate_child,
                                    api::delete_child, api::which_children, api::count_children,
                                    api::get_childspec};
    const auto verb = all[random_.below(std::size(all))];
    const char* id = one_of(ids);
    value argument = id;
    if (verb == api::start_child) {
      argument = value::map{};
      argument.set("id", id).set("start", TROUPE_SIM_AGENTS "/kid.lua");
      argument.set("restart", one_of(types)).set("start_timeout", 1).set("shutdown", 1);
    }
    value::array args{argument};
    if (verb == api::which_children || verb == api::count_children) args.clear();
    call(std::string(one_of(supervisors)), verb, std::move(args));
  }

  // -- the end

  void come_to_rest() {
    advance(400s);
    book_.check_rest(sim_.now());
    for (const auto& one : book_.living()) {
      if (!sim_.alive(one)) continue;  // gone since, while somebody was asked
      const auto path = book_.path_of(one);
      if (!(sim_.lookup(path) == one))
        book_.broken(promise::name, path + " does not lead to the agent that runs there");
      const auto seen = sim_.call(one, inspect_verb, {}, {.timeout = 1h});
      if (!seen) {
        if (sim_.alive(one))
          book_.broken(promise::one_end, path + " can't be inspected: " + seen.error().describe());
        continue;
      }
      for (const char* what : {"mailbox", "mailbox_bytes", "serving", "calls"})
        if (!((*seen)[what] == value(0)))
          book_.broken(
              promise::nothing_left,
              path + " has " + std::to_string((*seen)[what].as_int()) + " in " + what + " at rest");
      const bool is_supervisor = (*seen)["behaviour"]["strategy"].is_string() || path == "pool";
      if (!is_supervisor) continue;
      const auto list = sim_.call(one, api::which_children, {}, {.timeout = 1h});
      if (!list) {
        book_.broken(promise::known_child, path + " can't say: " + list.error().describe());
        continue;
      }
      std::vector<address> known;
      for (const auto& child : list->as_array()) {
        const auto at = api::child_info_from(child).at;
        if (at) known.push_back(at);
      }
      book_.check_children(one, known);
    }
  }

  void end() {
    sim_.exit(root_, errc::shutdown);
    advance(400s);
    book_.check_that_nobody_lives({prompter_});
    if (sim_.population() != 2)  // the outside and the prompter
      book_.broken(promise::nothing_left, std::to_string(sim_.population()) + " agents are left");
  }

  const world_options& with_;
  random_source random_;
  ledger book_;
  silent_sink sink_;
  const system_clock clock_;
  logger log_{sink_, clock_};
  script::code_cache codes_;
  script::environment scripts_;
  catalog plugins_{log_, TROUPE_VERSION};
  supervisor_spec tree_;
  /// Before the simulation, whose agents use it to their end.
  std::shared_ptr<prompts> to_do_ = std::make_shared<prompts>();
  watched_simulation sim_;
  node_launcher launcher_{node_launcher::parts{&sim_, &scripts_, &plugins_, nullptr}};
  address prompter_, root_;
  outlet prompts_;
  call_id last_call_ = 0;
  monitor_id last_monitor_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace

story run_world(const world_options& with) {
  world one(with);
  return one.run();
}

}  // namespace troupe::test
