// SPDX-License-Identifier: Apache-2.0
//
// A node with a gateway, and a few words to write tests with.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/msgpack.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"
#include "support/simulation.hpp"

namespace troupe::test {

/// Keeps what was reported.
class event_list final : public event_sink {
 public:
  void on_event(const runtime_event& event) override {
    const std::lock_guard lock(mutex_);
    events_.push_back(event);
  }
  std::vector<runtime_event> of(enum runtime_event::what what) const {
    const std::lock_guard lock(mutex_);
    std::vector<runtime_event> some;
    for (const auto& e : events_)
      if (e.what == what) some.push_back(e);
    return some;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<runtime_event> events_;
};

class node_test : public testing::Test {
 protected:
  using handler = std::function<void(context&, envelope&)>;

  /// Two threads and no spares, unless a test says otherwise first.
  void open(node_options options) {
    close();
    options.events = &events;
    node.emplace(std::move(options));
    gate = *gateway::open(*node, "test");
  }
  void SetUp() override { open({.threads = 2, .spare_threads = 0}); }
  void TearDown() override { close(); }
  /// Ends all agents: to be called before what they refer to goes.
  void close() {
    gate.reset();
    node.reset();
  }

  static process_init agent(std::string path, std::unique_ptr<behaviour> b) {
    process_init init;
    init.path = std::move(path);
    init.actions = std::move(b);
    return init;
  }
  static std::unique_ptr<behaviour> doing(handler f, concurrency c = {}) {
    return std::make_unique<lambda_behaviour>(std::move(f), std::move(c));
  }
  /// Starts an agent; a test that can't is over.
  address add(process_init init) {
    auto made = gate->start(std::move(init));
    if (!made) ADD_FAILURE() << made.error().describe();
    return made ? *made : address{};
  }
  address add(std::string path, handler f, concurrency c = {}) {
    return add(agent(std::move(path), doing(std::move(f), std::move(c))));
  }
  /// Answers `ask` with its arguments, ends at `end` with reason normal.
  address add_echo(std::string path) {
    return add(std::move(path), [](context& ctx, envelope& e) {
      if (e.verb == "end") return ctx.exit({errc::normal, "told to end"});
      if (e.kind == kind::call) ctx.reply(e.cause, e.body);
    });
  }
  static bytes packed(std::int64_t n) { return *pack(value(value::array{n})); }
  static std::int64_t number_in(const bytes& body) {
    return unpack(body.view())->as_array().at(0).as_int();
  }
  result<bytes> ask(const target& to, std::string_view verb = "ask", std::int64_t n = 0,
                    duration timeout = std::chrono::seconds(30)) {
    return gate->call(to, verb, packed(n), {.timeout = timeout});
  }
  /// Ends an agent and waits for it.
  error end(const address& a) {
    gate->exit(a, error(errc::kill, "told by the test"));
    return *gate->wait_end(a);
  }

  event_list events;
  std::optional<node_carrier> node;
  std::unique_ptr<gateway> gate;
};

}  // namespace troupe::test
