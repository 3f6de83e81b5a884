// SPDX-License-Identifier: Apache-2.0
//
// [private] The carrier that agents see. It is apart from node_carrier so that it can be left
// behind, whole, when threads are stuck in it.
#pragma once

#include <atomic>
#include <caf/actor_system.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <shared_mutex>

#include "agent/watchdog.hpp"
#include "base/id.hpp"
#include "core/alarm.hpp"
#include "core/fifo_policy.hpp"
#include "core/lane_table.hpp"
#include "core/names.hpp"
#include "core/node_carrier.hpp"

namespace troupe::core {

class inner_carrier;

/// What outlets hold of a node, which they may outlive.
struct gate {
  std::shared_mutex mutex;
  inner_carrier* open = nullptr;  ///< null: the node has gone
};

class inner_carrier final : public carrier {
 public:
  explicit inner_carrier(node_options options);
  ~inner_carrier() override;

  std::size_t population() const { return population_.load(std::memory_order_acquire); }
  bool wait_until_empty(duration limit) const;
  shutdown_report shutdown(duration limit);
  /// Uses nothing of its options any more.
  void detach();
  const address& self() const { return self_; }
  /// Delivers an event. False if nobody will ever see it.
  bool post_event(const address& to, std::string_view verb, bytes body);

  // -- for lanes
  watchdog& dog() { return dog_; }
  const turn_limits& turns() const { return options_.turns; }
  /// Why agents end instead of running; null while they run.
  const error* abandons() const { return abandons_.load(std::memory_order_acquire); }
  void forget_wish(wheel_entry& e) { alarm_->cancel(e); }
  void retire(lane& l, const address& who);

  // -- carrier
  void post(envelope_ptr e) override;
  instant now() const override;
  wall_time wall() const override;
  void wake_at(process& p, instant t) override;
  result<address> start(process_init init) override;
  bool bind(std::string_view name, const address& holder, bool replace) override;
  void unbind(const address& holder) override;
  address lookup(std::string_view name) const override;
  bool was_held(std::string_view name) const override;
  std::string path_of(const address& a) const override;
  void report(const runtime_event& event) override;
  void log(log_level level, std::string_view component, std::string_view message,
           value::map fields) override;
  outlet outlet_to(const address& a) override;
  tracer* traces() override { return options_.traces.get(); }

 private:
  bool is_here(const address& a) const {
    return a.node == self_.node && a.incarnation == self_.incarnation;
  }
  lane* find(const address& a) const;
  void schedule(lane& l);
  void ring(std::uint32_t slot);
  void undeliverable(envelope_ptr e);
  void ring_all();
  void report_stuck(const late_turn& turn);
  void leave_population();
  bool wait_for_those_not_stuck(duration limit) const;

  node_options options_;
  std::atomic<const clock*> time_;
  std::atomic<event_sink*> events_;
  std::atomic<logger*> log_;
  std::atomic<bool> is_detached_{false};
  address self_;
  std::mutex random_mutex_;
  random_source random_;
  names names_;
  watchdog dog_;
  lane_table lanes_;
  std::shared_ptr<gate> gate_;  ///< shared: outlets outlive the node

  std::atomic<std::size_t> population_{0};
  mutable std::mutex empty_mutex_;
  mutable std::condition_variable empty_;
  const error shutdown_reason_;
  std::atomic<const error*> abandons_{nullptr};

  std::unique_ptr<alarm> alarm_;
  caf_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::abstract_coordinator* scheduler_ = nullptr;
};

}  // namespace troupe::core
