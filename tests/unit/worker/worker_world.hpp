// SPDX-License-Identifier: Apache-2.0
//
// A node for tests of workers: real OS processes as the far ends of real agent processes.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/worker/worker.hpp"
#include "unit/channel/world.hpp"

namespace troupe::test {

class worker_world : public world {
 protected:
  explicit worker_world(std::string program) : host(*io, std::move(program)) {
    spec.id = "agent";
    spec.start = start_script{"agent.lua"};
    spec.isolate = isolation::process;
    spec.base_folder = "/usr";
  }
  ~worker_world() override {
    sim.reset();  // every agent ends
    until_no_child_is_left();
  }

  /// As world::until, without agents.
  void until_no_child_is_left() {
    while (has_children())
      io->step(20);
  }
  /// Running or not yet collected.
  static bool has_children() {
    siginfo_t info;
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
  }

  child_spec program(std::vector<std::string> argv) {
    auto s = spec;
    s.start = start_program{std::move(argv)};
    return s;
  }

  /// Makes the agent and its start call.
  address begin(const child_spec& s, authority_ptr rights = nullptr) {
    auto made = make_worker_behaviour(host, s);
    EXPECT_TRUE(made) << made.error().describe();
    process_init init;
    init.path = s.id;
    init.parent = probe_;
    init.actions = std::move(*made);
    init.rights = std::move(rights);
    auto a = sim->start(std::move(init));
    start_ = begin_call(*a, std::string(start_verb));
    return *a;
  }
  address run(const child_spec& s, authority_ptr rights = nullptr) {
    const auto a = begin(s, std::move(rights));
    auto& answer = answer_to(start_);
    EXPECT_TRUE(answer.got) << answer.data().as_string();
    return a;
  }
  void stop(const address& a) {
    as_probe([&](context& ctx) { ctx.exit(a, error(errc::shutdown, "enough")); });
  }
  std::string logged() const {
    std::string all;
    for (const auto& line : sim->log_lines)
      all += line + "\n";
    return all;
  }

  worker_host host;
  child_spec spec;
};

}  // namespace troupe::test
