// SPDX-License-Identifier: Apache-2.0
#include "support/simulation.hpp"

#include <memory>
#include <utility>

namespace troupe::test {

lambda_behaviour::lambda_behaviour(std::function<void(context&, envelope&)> f, concurrency c)
    : f_(std::move(f)), overlap_(std::move(c)) {}

progress lambda_behaviour::receive(context& ctx, envelope_ptr e) {
  const auto cause = e->cause;
  if (e->kind == kind::start && !handles_start) {
    ctx.reply(cause, {});
    ctx.done(cause);
    return progress::idle;
  }
  f_(ctx, *e);
  const bool is_served = e->kind != kind::part && e->kind != kind::reply &&
                         e->kind != kind::error && e->kind != kind::credit &&
                         e->kind != kind::cancel && e->kind != kind::event;
  if (is_served && !keeps_open) ctx.done(cause);
  return progress::idle;
}

result<address> simulation::add(std::string path, std::function<void(context&, envelope&)> f,
                                concurrency c) {
  return add(std::move(path), std::make_unique<lambda_behaviour>(std::move(f), std::move(c)));
}

void simulation::log(log_level level, std::string_view component, std::string_view message,
                     value::map fields) {
  troupe::simulation::log(level, component, message, fields);
  logs.push_back({level, std::string(component), std::string(message), std::move(fields)});
}

}  // namespace troupe::test
