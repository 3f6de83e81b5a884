// SPDX-License-Identifier: Apache-2.0
//
// The simulation as tests use it: agents may be made of a function.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/simulation.hpp"

namespace troupe::test {

/// A behaviour made of a function. Answers its start by itself, unless `handles_start`.
class lambda_behaviour final : public behaviour {
 public:
  /// `f` may end without calling done: then the message is done when it returns.
  explicit lambda_behaviour(std::function<void(context&, envelope&)> f, concurrency c = {});
  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return overlap_; }

  /// Keeps a message open after its handler: the function calls `done` itself later.
  bool keeps_open = false;
  bool handles_start = false;

 private:
  std::function<void(context&, envelope&)> f_;
  concurrency overlap_;
};

class simulation : public troupe::simulation {
 public:
  using troupe::simulation::add;
  using troupe::simulation::simulation;
  result<address> add(std::string path, std::function<void(context&, envelope&)> f,
                      concurrency c = {});

  /// What `log_lines` is made of, with its fields.
  struct logged {
    log_level level;
    std::string who, what;
    value fields;
  };
  std::vector<logged> logs;
  void log(log_level level, std::string_view component, std::string_view message,
           value::map fields) override;
};

}  // namespace troupe::test
