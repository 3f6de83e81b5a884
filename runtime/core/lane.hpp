// SPDX-License-Identifier: Apache-2.0
//
// [private] The actor class: a mailbox and the process of the agent that lives in it now. Lanes are
// reused, one agent after another, and freed only with the node, so that whoever holds an address
// may push without a lock and without counting references. What was meant for the agent before is
// recognised by its receiver, the process.
//
// Why not an actor for each agent? A sender would have to keep it alive while it pushes, and a
// worker until it is through with it: two more contended counters a message.
#pragma once

#include <atomic>
#include <caf/local_actor.hpp>
#include <caf/resumable.hpp>
#include <optional>

#include "agent/mailbox.hpp"
#include "agent/process.hpp"
#include "core/timer_wheel.hpp"

namespace troupe::core {

class inner_carrier;

/// Which node and thread this is, while a lane runs on it.
struct turn_of {
  const inner_carrier* carrier = nullptr;
  caf::execution_unit* unit = nullptr;
};
extern constinit thread_local turn_of this_turn;

class lane final : public caf::local_actor, public caf::resumable {
 public:
  lane(caf::actor_config& config, inner_carrier& c, std::uint32_t slot);
  ~lane() override;

  /// [who took it from the table] An agent moves in; its mailbox is open when this returns.
  void open(const troupe::address& self, process_init init, std::uint64_t seed);

  /// [any thread] Id of the agent that lives here, or 0. Another may live here a moment later.
  std::uint64_t agent() const { return agent_.load(std::memory_order_acquire); }
  /// [any thread]
  mailbox& box() { return box_; }
  std::uint32_t slot() const { return wish_.owner; }

  /// [turn] Its wish at the node's alarm.
  wheel_entry& wish() {
    has_wished_ = true;
    return wish_;
  }

  // -- caf::resumable. References are not counted: the table owns all lanes and outlives the
  // workers. A function object, as far as CAF is concerned: see fifo_policy.
  caf::resumable::resume_result resume(caf::execution_unit* unit, std::size_t) override;
  caf::resumable::subtype_t subtype() const override { return function_object; }
  void intrusive_ptr_add_ref_impl() override {}
  void intrusive_ptr_release_impl() override {}

  // -- caf::local_actor. What CAF itself would send to an actor is not for agents.
  using caf::local_actor::enqueue;
  void enqueue(caf::mailbox_element_ptr, caf::execution_unit*) override {}
  void launch(caf::execution_unit*, bool, bool) override {}
  void on_destroy() override;

 private:
  void move_out();

  inner_carrier& carrier_;
  std::optional<process> process_;
  wheel_entry wish_;
  bool has_wished_ = false;
  bool was_slow_ = false;  ///< its last turn took all the time there is
  /// What senders touch, on lines of its own.
  alignas(64) std::atomic<std::uint64_t> agent_{0};
  mailbox box_;
};

}  // namespace troupe::core
