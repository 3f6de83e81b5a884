// SPDX-License-Identifier: Apache-2.0
#include "sim/stage.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <thread>

#include "base/msgpack.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"
#include "sim/observed.hpp"
#include "sim/simulation.hpp"

namespace troupe::test {

namespace {

class simulated final : public stage {
 public:
  simulated(std::uint64_t seed, bool messages_travel) : stage(false) {
    world_.emplace(seed, book);
    world_->messages_travel = messages_travel;
  }

  address add(process_init init) override {
    auto made = world_->add(std::move(init));
    if (!made) ADD_FAILURE() << made.error().describe();
    return made ? *made : address{};
  }
  void send(const target& to, std::string_view verb, value::array args) override {
    world_->send(to, verb, std::move(args));
  }
  result<value> call(const target& to, std::string_view verb, value::array args,
                     call_options options) override {
    return world_->call(to, verb, std::move(args), options);
  }
  void exit(const target& whom, errc reason) override { world_->exit(whom, reason); }
  error end_of(const address& a) override {
    until([&] { return !world_->alive(a); });
    return *world_->reason_of(a);
  }
  void until(const std::function<bool()>& is_so) override {
    while (!is_so())
      if (!world_->step(never)) {
        if (!is_so()) ADD_FAILURE() << "nothing is left to do";
        return;
      }
  }
  address lookup(const std::string& name) const override { return world_->lookup(name); }
  starter& starts() override { return *world_; }
  void close() override { world_.reset(); }

 private:
  class carrier final : public simulation {
   public:
    carrier(std::uint64_t seed, ledger& book) : simulation(seed), book_(book) {}
    void post(envelope_ptr e) override {
      book_.posted(*e, now());
      simulation::post(std::move(e));
    }
    result<address> start(process_init init) override {
      const auto parent = init.parent;
      const auto path = init.path;
      init.actions = observe(std::move(init.actions), book_);
      TROUPE_TRY(a, simulation::start(std::move(init)));
      book_.born(a, parent, path);
      return a;
    }
    void report(const runtime_event& event) override {
      simulation::report(event);
      if (event.what == runtime_event::what::ended) book_.ended(event.agent, event.reason, "");
    }

   private:
    ledger& book_;
  };

  std::optional<carrier> world_;
};

class on_node final : public stage, private starter {
 public:
  on_node(std::size_t threads, std::size_t spare_threads) : stage(true) {
    node_.emplace(node_options{.threads = threads, .spare_threads = spare_threads});
    gate_ = *gateway::open(*node_, "outside");
  }
  ~on_node() override { on_node::close(); }

  address add(process_init init) override {
    init.actions = observe(std::move(init.actions), book);
    auto made = gate_->start(std::move(init));
    if (!made) ADD_FAILURE() << made.error().describe();
    return made ? *made : address{};
  }
  void send(const target& to, std::string_view verb, value::array args) override {
    gate_->send(to, verb, *pack(value(std::move(args))));
  }
  result<value> call(const target& to, std::string_view verb, value::array args,
                     call_options options) override {
    TROUPE_TRY(body, gate_->call(to, verb, *pack(value(std::move(args))), options));
    if (body.empty()) return value();
    return unpack(body.view());
  }
  void exit(const target& whom, errc reason) override {
    gate_->exit(whom, error(reason, "told by the test"));
  }
  error end_of(const address& a) override { return *gate_->wait_end(a); }
  void until(const std::function<bool()>& is_so) override {
    while (!is_so())
      std::this_thread::yield();
  }
  address lookup(const std::string& name) const override { return node_->lookup(name); }
  starter& starts() override { return *this; }
  void close() override {
    gate_.reset();
    node_.reset();
  }

 private:
  result<address> start(process_init init) override {
    init.actions = observe(std::move(init.actions), book);
    return node_->start(std::move(init));
  }
  void report(const runtime_event& event) override { node_->report(event); }

  std::optional<node_carrier> node_;
  std::unique_ptr<gateway> gate_;
};

}  // namespace

std::unique_ptr<stage> simulated_stage(std::uint64_t seed, bool messages_travel) {
  return std::make_unique<simulated>(seed, messages_travel);
}

std::unique_ptr<stage> node_stage(std::size_t threads, std::size_t spare_threads) {
  return std::make_unique<on_node>(threads, spare_threads);
}

}  // namespace troupe::test
