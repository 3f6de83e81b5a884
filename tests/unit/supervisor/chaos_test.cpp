// SPDX-License-Identifier: Apache-2.0
//
// Trees under random crashes, kills, failing starts and administration by hand, in a seeded order:
// every call ends, nobody lives whom no supervisor knows, and nothing is left at the end.
#include <gmock/gmock.h>

#include <set>

#include "support/team.hpp"

namespace troupe::test {
namespace {

namespace api = supervisor_api;

struct chaos : team {
  explicit chaos(std::uint64_t seed) : team(seed), random(seed) {}
  void TestBody() override {
    const auto sup = top(tree());
    make_asker();
    for (int i = 0; i < 150 && sim.alive(sup); ++i) {
      disturb();
      for (auto n = random.below(8); n > 0; --n)
        sim.step(sim.now());
    }
    for (auto& [path, todo] : plans)
      todo.starts.clear();
    sim.settle();
    sim.advance(100s);
    check_that_all_are_known();
    sim.exit(sup, errc::shutdown);
    sim.advance(100s);
    EXPECT_EQ(open_calls, 0) << "each call ends";
    EXPECT_EQ(sim.population(), 2u) << "only the outside and the asker are left";
  }

  supervisor_spec tree() {
    const auto leaf = [&](std::string id) {
      const restart_type types[] = {restart_type::permanent, restart_type::transient,
                                    restart_type::temporary};
      auto spec = worker(std::move(id), types[random.below(3)]);
      spec.start_timeout = 1s;
      spec.shutdown = random.below(4) == 0 ? 0s : 2s;
      if (random.below(3) == 0) spec.drain = 1s;
      if (random.below(3) == 0) spec.backoff = {1s, 4s, 0.5};
      return spec;
    };
    const strategy how[] = {strategy::one_for_one, strategy::one_for_all, strategy::rest_for_one};
    auto pooled = leaf("pool");
    pooled.restart = restart_type::permanent;
    pooled.pool = pool_spec{.size = 3, .queue = 5, .intensity = 20};
    const auto of = [&](std::uint32_t intensity, std::vector<child_spec> children) {
      supervisor_spec spec;
      spec.strategy = how[random.below(3)];
      spec.intensity = intensity;
      spec.children = std::move(children);
      return spec;
    };
    auto crowd = of(10, {leaf("s")});
    crowd.strategy = strategy::simple_one_for_one;
    auto brief = of(1000, {leaf("g"), leaf("h")});
    brief.auto_shutdown = auto_shutdown::any_significant;
    brief.children[0].restart = restart_type::transient;
    brief.children[0].significant = true;
    return of(1000, {leaf("a"), nested("left", of(3, {leaf("b"), leaf("c"), leaf("d")})),
                     nested("right", of(1000, {leaf("e"), leaf("f")})), nested("crowd", crowd),
                     nested("brief", brief), pooled});
  }

  /// Another tree for `top/right`.
  supervisor_spec of_right() {
    supervisor_spec spec;
    spec.strategy = random.below(2) == 0 ? strategy::one_for_all : strategy::rest_for_one;
    spec.intensity = 1000;
    for (const char* id : {"f", "e", "i"})
      if (random.below(4) != 0) spec.children.push_back(worker(id));
    return spec;
  }

  void make_asker() {
    const auto asker =
        agent("asker",
              [this](context& ctx, envelope& e) {
                if (e.kind == kind::event) {
                  ++open_calls;
                  const auto order = *unpack(e.body.view());
                  const auto& parts = order.as_array();
                  ctx.call(no_cause, ++last_call, std::string(parts[0].as_string()),
                           parts[1].as_string(), *pack(value::array{parts[2]}),
                           {.timeout = std::chrono::milliseconds(parts[3].as_int())});
                }
                if (e.kind == kind::reply || e.kind == kind::error) --open_calls;
              },
              {.slots = concurrency::unlimited});
    ask_through = sim.outlet_to(asker);
  }

  void disturb() {
    const char* paths[] = {"top/a",         "top/left/b",   "top/left/c",  "top/left/d",
                           "top/right/e",   "top/right/f",  "top/brief/g", "top/brief/h",
                           "top/pool/1",    "top/pool/2",   "top/pool/3",  "top/crowd/s-1",
                           "top/crowd/s-2", "top/crowd/s-3"};
    const char* codes[] = {"normal", "shutdown", "crash"};
    const char* starts[] = {"ready", "ready", "ready", "fail", "crash", "hang", "ignore"};
    const char* supervisors[] = {"top", "top/left", "top/right", "top/brief"};
    const std::string_view verbs[] = {api::start_child,  api::restart_child,  api::terminate_child,
                                      api::delete_child, api::which_children, api::count_children};
    const char* ids[] = {"a", "b", "c", "d", "e", "f", "left", "right", "pool", "new"};
    const std::string path = paths[random.below(std::size(paths))];
    switch (random.below(10)) {
      case 0:
        return order(path, "end", codes[random.below(3)]);
      case 1:
        if (at(path)) ask_to_kill(path);
        return;
      case 2:
        plans[path].starts = {starts[random.below(std::size(starts))], "ready"};
        return;
      case 3:
        plans[path].obeys = random.below(4) != 0;
        return;
      case 4:
      case 5: {
        const auto verb = verbs[random.below(std::size(verbs))];
        const char* id = ids[random.below(std::size(ids))];
        value argument = id;
        if (verb == api::start_child) argument = spec_value(id, "transient");
        return order(supervisors[random.below(std::size(supervisors))], verb, argument);
      }
      case 6:
        return order("top/pool", random.below(3) == 0 ? "hold" : "echo", 1);
      case 7:
        if (random.below(3) != 0) return order("top/crowd", api::start_child, value());
        return order("top/crowd", api::terminate_child, "s-" + std::to_string(random.below(9)));
      case 8:
        return order("top/right", api::upgrade, nested("x", of_right()).to_value()["start"]);
      default:
        return sim.advance(std::chrono::milliseconds(random.below(700)));
    }
  }

  void order(const std::string& to, std::string_view verb, value argument) {
    const value::array parts = {to, verb, std::move(argument),
                                static_cast<std::int64_t>(100 + random.below(4000))};
    ask_through.post("order", *pack(value(parts)));
  }
  void ask_to_kill(const std::string& path) {
    auto e = std::make_unique<envelope>();
    e->kind = kind::exit_signal;
    e->to = at(path);
    e->body = pack_error({errc::kill, "chaos"});
    sim.post(std::move(e));
  }

  void check_that_all_are_known() {
    std::set<address, bool (*)(const address&, const address&)> known(
        [](const address& a, const address& b) { return a.agent < b.agent; });
    std::vector<std::string> supervisors = {"top"};
    std::size_t count = 0;
    while (!supervisors.empty()) {
      const auto path = supervisors.back();
      supervisors.pop_back();
      if (!at(path)) continue;
      ++count;
      const auto list = sim.call(path, api::which_children, {}, {.timeout = duration::max()});
      ASSERT_TRUE(list);
      for (const auto& v : list->as_array()) {
        const auto c = api::child_info_from(v);
        EXPECT_NE(c.state, "restarting");
        if (!c.at) continue;
        EXPECT_TRUE(sim.alive(c.at)) << path << "/" << c.id;
        if (c.is_supervisor)
          supervisors.push_back(path + "/" + c.id);
        else
          ++count;
      }
    }
    EXPECT_EQ(sim.population(), count + 2) << "outside and asker";
  }

  random_source random;
  outlet ask_through;
  int open_calls = 0;
  call_id last_call = 0;
};

TEST(supervisor_chaos, leaves_no_call_open_and_no_agent_unknown) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    chaos one(seed);
    one.TestBody();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace troupe::test
