// SPDX-License-Identifier: Apache-2.0
#include "core/node_carrier.hpp"

#include <mutex>
#include <utility>

#include "core/inner_carrier.hpp"

namespace troupe {

namespace {

/// Keeps what can't be destroyed, since threads still run in it, until the program ends.
void leave_behind(std::unique_ptr<core::inner_carrier> n) {
  static std::mutex mutex;
  static auto& left = *std::make_unique<std::vector<core::inner_carrier*>>().release();
  const std::lock_guard lock(mutex);
  left.push_back(n.release());
}

}  // namespace

node_carrier::node_carrier(node_options options)
    : node_(std::make_unique<core::inner_carrier>(std::move(options))) {}

node_carrier::~node_carrier() {
  if (!left_behind_) shutdown(duration::zero());
  if (!left_behind_) return;
  node_->detach();
  leave_behind(std::move(node_));
}

std::size_t node_carrier::population() const {
  return node_->population();
}

bool node_carrier::wait_until_empty(duration limit) const {
  return node_->wait_until_empty(limit);
}

shutdown_report node_carrier::shutdown(duration limit) {
  auto report = node_->shutdown(limit);
  left_behind_ = !report.stuck.empty();
  for (const auto& path : report.stuck)
    node_->log(log_level::error, "core", "a turn does not end: its thread is left behind",
               {{"agent", path}});
  return report;
}

address node_carrier::self() const {
  return node_->self();
}

void node_carrier::post(envelope_ptr e) {
  node_->post(std::move(e));
}

instant node_carrier::now() const {
  return node_->now();
}

wall_time node_carrier::wall() const {
  return node_->wall();
}

void node_carrier::wake_at(process& p, instant t) {
  node_->wake_at(p, t);
}

result<address> node_carrier::start(process_init init) {
  return node_->start(std::move(init));
}

bool node_carrier::bind(std::string_view name, const address& holder, bool replace) {
  return node_->bind(name, holder, replace);
}

void node_carrier::unbind(const address& holder) {
  node_->unbind(holder);
}

address node_carrier::lookup(std::string_view name) const {
  return node_->lookup(name);
}

bool node_carrier::was_held(std::string_view name) const {
  return node_->was_held(name);
}

std::string node_carrier::path_of(const address& a) const {
  return node_->path_of(a);
}

void node_carrier::report(const runtime_event& event) {
  node_->report(event);
}

void node_carrier::log(log_level level, std::string_view component, std::string_view message,
                       value::map fields) {
  node_->log(level, component, message, std::move(fields));
}

tracer* node_carrier::traces() {
  return node_->traces();
}

outlet node_carrier::outlet_to(const address& a) {
  return node_->outlet_to(a);
}

}  // namespace troupe
