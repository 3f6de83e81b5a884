// SPDX-License-Identifier: Apache-2.0
//
// The world of one case of `troupe test`: agents on the simulation with the services of a node, but
// without a network and without processes, and the agent `simulation` through which the test file
// moves them. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exe/launcher.hpp"
#include "exe/test_tools.hpp"
#include "http/client.hpp"
#include "plugin/catalog.hpp"
#include "script/lua_behaviour.hpp"
#include "script/program.hpp"
#include "sim/simulation.hpp"

namespace troupe {

/// What all worlds of a run share. Outlives them.
struct test_bench {
  catalog* plugins = nullptr;
  /// Nothing is ever sent through it.
  http_client* client = nullptr;
  const script::environment* scripts = nullptr;
};

class test_world {
 public:
  /// Starts the services and the test file. Fails as its start does.
  static result<std::unique_ptr<test_world>> open(const test_bench& with, script::program_ptr file,
                                                  std::uint64_t seed);
  ~test_world();

  /// Calls the test file and runs until it answers. Time moves where it asks for that, and where
  /// everybody waits. Fails as the file does, with timeout after `limit` of real time, and with
  /// deadlock if nothing is left that could go on.
  result<value> call(std::string_view verb, value::array args, duration limit);

  /// Agents that ended as they should not, one line each.
  std::vector<std::string> crashes() const;
  const std::vector<std::string>& log_lines() const { return sim_.log_lines; }

 private:
  class driver;
  /// What the test file asks of the world: done when all agents rest.
  struct order {
    cause_id cause = no_cause;
    std::string verb;
    value argument, second;
    bool is_done = false;
    result<value> answer = value();
  };
  struct shared_orders;
  class virtual_time final : public clock {
   public:
    explicit virtual_time(const simulation& sim) : sim_(sim) {}
    instant now() const override { return sim_.now(); }
    wall_time wall() const override { return sim_.wall(); }

   private:
    const simulation& sim_;
  };

  test_world(const test_bench& with, script::program_ptr file, std::uint64_t seed);
  result<void> start();
  result<void> start_models();
  bool perform_order();
  result<value> perform(order& o);
  value events() const;
  result<value> folder();
  bool is_service(const std::string& path) const;

  const test_bench with_;
  const script::program_ptr file_;
  authority_ptr all_;
  std::map<std::string, value> models_;
  std::string folder_;  ///< removed at the end; empty: there is none
  test_tools tools_;
  std::shared_ptr<shared_orders> orders_;  ///< shared: with the agent that takes them
  node_launcher launcher_;
  simulation sim_;
  virtual_time time_{sim_};
  address test_, models_at_;
  instant until_ = never;  ///< where the test moves time; never: nowhere
};

}  // namespace troupe
