// SPDX-License-Identifier: Apache-2.0
#include "core/lane.hpp"

#include <utility>

#include "core/inner_carrier.hpp"

namespace troupe::core {

constinit thread_local turn_of this_turn;

lane::lane(caf::actor_config& config, inner_carrier& c, std::uint32_t slot)
    : caf::local_actor(config), carrier_(c), box_({}) {
  wish_.owner = slot;
  box_.close();
}

lane::~lane() = default;

void lane::on_destroy() {
  // Nobody ever attached anything, and CAF's own cleanup would post to its clock, which blocks once
  // that has ended.
  setf(is_cleaned_up_flag);
}

void lane::open(const troupe::address& self, process_init init, std::uint64_t seed) {
  const auto limits = init.mailbox;
  process_.emplace(carrier_, box_, self, std::move(init), seed);
  agent_.store(self.agent, std::memory_order_release);
  box_.reopen(limits);
}

caf::resumable::resume_result lane::resume(caf::execution_unit* unit, std::size_t) {
  this_turn = {&carrier_, unit};
  const bool hurried = std::exchange(was_slow_, false);
  carrier_.dog().begin_turn(agent_.load(std::memory_order_relaxed), hurried);
  turn_end end = turn_end::ended;
  if (const auto* reason = carrier_.abandons())
    process_->abandon(*reason);
  else
    end = process_->run(carrier_.turns());
  // Asleep: it may run on another thread already, for another agent even.
  carrier_.dog().end_turn();
  if (end == turn_end::ended) move_out();
  if (end == turn_end::slow) {
    was_slow_ = true;
    return fifo_policy::slow;
  }
  return end == turn_end::more ? resume_later : awaiting_message;
}

void lane::move_out() {
  const auto self = process_->self();
  agent_.store(0, std::memory_order_release);
  process_.reset();
  if (has_wished_) carrier_.forget_wish(wish_);
  has_wished_ = false;
  carrier_.retire(*this, self);
}

}  // namespace troupe::core
