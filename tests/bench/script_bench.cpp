// SPDX-License-Identifier: Apache-2.0
//
// What Lua agents cost on the carrier of a node: a round trip, many senders to one receiver, a
// start, the memory of one at rest. Plain figures, one a line. `bench_script SCALE ROW`: how much
// work (default 1), and which row alone: trip, many, start, memory.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "base/msgpack.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"
#include "script/lua_behaviour.hpp"

namespace {

using namespace troupe;
using stop_watch = std::chrono::steady_clock;

double ns_since(stop_watch::time_point t) {
  return std::chrono::duration<double, std::nano>(stop_watch::now() - t).count();
}

script::code_cache cache;
const script::environment shared{.cache = &cache};

process_init lua(const char* source) {
  auto program = std::make_shared<script::program>();
  program->file = "bench.lua";
  program->source = source;
  script::lua_settings settings;
  settings.shared = &shared;
  settings.script = std::move(program);
  process_init init;
  init.actions = std::make_unique<script::lua_behaviour>(std::move(settings));
  init.mailbox.messages = 1u << 22;
  init.mailbox.bytes = std::size_t{1} << 34;
  return init;
}

/// Counts down when a Lua agent tells it that it is done.
class judge : public behaviour {
 public:
  explicit judge(std::latch& done) : done_(done) {}
  progress receive(context& ctx, envelope_ptr e) override {
    if (e->kind == kind::start) ctx.reply(e->cause, {});
    if (e->kind == kind::stop) ctx.exit({errc::shutdown, "done"});
    if (e->kind == kind::send) done_.count_down();
    ctx.done(e->cause);
    return progress::idle;
  }

 private:
  std::latch& done_;
};

struct bench_node {
  bench_node(std::size_t threads, int parties)
      : done(parties), node({.threads = threads}), gate(*gateway::open(node, "bench")) {
    process_init init;
    init.path = "judge";
    init.actions = std::make_unique<judge>(done);
    gate->start(std::move(init)).value();
  }
  std::latch done;
  node_carrier node;
  std::unique_ptr<gateway> gate;
};

constexpr char echo[] = R"(
local troupe = require("troupe")
local agent = troupe.agent()
function agent.on.echo(self, x) return x end
return agent
)";

double round_trip(std::size_t threads, int pairs, int rounds) {
  bench_node n(threads, pairs);
  const std::string asking = R"(
    local troupe = require("troupe")
    local agent = troupe.agent()
    function agent.on.go(self, to)
      local call = troupe.call
      for i = 1, )" + std::to_string(rounds) +
                             R"( do call(to, "echo", i) end
      troupe.send("judge", "done")
    end
    return agent
  )";
  std::vector<std::pair<address, address>> all;
  for (int i = 0; i < pairs; ++i) {
    const auto to = n.gate->start(lua(echo)).value();
    all.emplace_back(n.gate->start(lua(asking.c_str())).value(), to);
  }
  const auto began = stop_watch::now();
  for (const auto& [from, to] : all)
    n.gate->send(from, "go", *pack(value::array{to_value(to)}));
  n.done.wait();
  return ns_since(began) / pairs / rounds;
}

double many_to_one(std::size_t threads, int senders, int each) {
  bench_node n(threads, 1);
  const std::string counting = R"(
    local troupe = require("troupe")
    local agent = troupe.agent()
    local n = 0
    function agent.on.count(self, x)
      n = n + 1
      if n == )" + std::to_string(senders * each) +
                               R"( then troupe.send("judge", "done") end
    end
    return agent
  )";
  const std::string sending = R"(
    local troupe = require("troupe")
    local agent = troupe.agent()
    local left = )" + std::to_string(each) +
                              R"(
    function agent.on.go(self, to)
      for i = 1, math.min(50, left) do troupe.send(to, "count", i) end
      left = left - 50
      if left > 0 then troupe.send(troupe.self(), "go", to) end
    end
    return agent
  )";
  const auto to = n.gate->start(lua(counting.c_str())).value();
  std::vector<address> all;
  for (int i = 0; i < senders; ++i)
    all.push_back(n.gate->start(lua(sending.c_str())).value());
  const auto began = stop_watch::now();
  for (const auto& a : all)
    n.gate->send(a, "go", *pack(value::array{to_value(to)}));
  n.done.wait();
  return ns_since(began) / senders / each;
}

/// Resident memory of this process in bytes.
double resident() {
  std::FILE* f = std::fopen("/proc/self/statm", "r");
  long size = 0, pages = 0;
  if (f == nullptr || std::fscanf(f, "%ld %ld", &size, &pages) != 2) pages = 0;
  if (f != nullptr) std::fclose(f);
  return static_cast<double>(pages) * 4096;
}

/// Starts agents and keeps them; time and memory of one.
std::pair<double, double> start(std::size_t threads, int wanted) {
  bench_node n(threads, 1);
  n.gate->start(lua(echo)).value();
  const auto memory = resident();
  const auto began = stop_watch::now();
  for (int i = 0; i < wanted; ++i)
    n.gate->start(lua(echo)).value();
  return {ns_since(began) / wanted, (resident() - memory) / wanted};
}

}  // namespace

int main(int argc, char** argv) {
  const double scale = argc > 1 ? std::atof(argv[1]) : 1;
  const std::string_view only = argc > 2 ? argv[2] : "";
  const auto wanted = [&](std::string_view what) { return only.empty() || what == only; };
  for (const std::size_t threads : {1, 2})
    for (const int pairs : {1, 8})
      if (wanted("trip"))
        std::printf("Lua calls Lua, %zu threads, %d pairs: %7.0f ns\n", threads, pairs,
                    round_trip(threads, pairs, static_cast<int>(scale * 400'000 / pairs)));
  for (const std::size_t threads : {1, 2})
    if (wanted("many"))
      std::printf("64 Lua senders, one Lua receiver, %zu threads: %7.0f ns a message\n", threads,
                  many_to_one(threads, 64, static_cast<int>(scale * 10'000)));
  if (wanted("start")) {
    const auto [time, memory] = start(1, static_cast<int>(scale * 10'000));
    std::printf(
        "start of a Lua agent: %7.1f us (a wait in another thread included), at rest %.1f kB\n",
        time / 1000, memory / 1000);
  }
}
