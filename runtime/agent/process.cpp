// SPDX-License-Identifier: Apache-2.0
#include "agent/process.hpp"

#include <algorithm>
#include <utility>

#include "agent/bounce.hpp"
#include "agent/control.hpp"
#include "agent/exit_reason.hpp"

namespace troupe {

process::process(carrier& c, mailbox& inbox, const address& self, process_init init,
                 std::uint64_t seed)
    : carrier_(c),
      inbox_(inbox),
      self_(self),
      init_(std::move(init)),
      random_(seed),
      now_(c.now()),
      tracer_(c.traces()) {}

process::~process() = default;

turn_end process::run(const turn_limits& limits) {
  const auto began = carrier_.now();
  now_ = began;
  if (tracer_ != nullptr && tracer_->generation() != traces_seen_) look_at_traces();
  const auto until = add(began, limits.time);
  for (std::uint32_t handled = 0;;) {
    take_mail(until);
    if (now_ >= deadlines_.earliest()) expire();
    if (!exit_ && busy_ && !suspended_) {
      busy_ = init_.actions->resume(*this) == progress::preempted;
      ++handled;
    } else if (!exit_ && deliver_next()) {
      ++handled;
    } else if (!exit_) {
      if (drains_ && is_drained()) {
        on_stop_request(*std::exchange(drains_, {}));
        continue;
      }
      arm();
      // Reading the clock costs as much as a small message: one nap in 16 stands for all.
      if ((++naps_ & 15) == 0) time_used_ += 16 * (carrier_.now() - began);
      if (taken_.empty() && inbox_.try_sleep()) return turn_end::asleep;
      now_ = carrier_.now();  // it may have been a wake-up
      // Signals are no messages that would be counted: who sends enough of them could hold it here.
      if (now_ >= until) return turn_end::slow;
      continue;
    }
    if (exit_) {
      const error reason = *std::move(exit_);
      finish(reason);
      return turn_end::ended;
    }
    if (busy_ || wants_rest(handled, began, limits)) {
      arm();
      const auto took = carrier_.now() - began;
      time_used_ += took;
      return busy_ || took >= limits.time ? turn_end::slow : turn_end::more;
    }
  }
}

bool process::wants_rest(std::uint32_t handled, instant began, const turn_limits& limits) {
  if (handled >= limits.messages) return true;
  if (handled % 8 != 0) return false;  // reading the clock costs as much as a small message
  now_ = carrier_.now();
  return now_ - began >= limits.time;
}

void process::arm() {
  const auto earliest = deadlines_.earliest();
  if (armed_ <= now_) armed_ = never;
  if (earliest >= armed_) return;
  armed_ = earliest;
  carrier_.wake_at(*this, earliest);
}

void process::take_mail(instant until) {
  for (std::uint32_t sorted = 1;; ++sorted) {
    if (taken_.empty()) taken_.adopt(inbox_.take_all());
    auto e = taken_.pop();
    if (!e) return;
    sort(std::move(e));
    if (sorted % 256 == 0 && (now_ = carrier_.now()) >= until) return;
  }
}

void process::sort(envelope_ptr e) {
  if (!(e->to == self_)) {  // it was meant for an earlier user of this mailbox
    inbox_.release(*e);
    const auto why = no_such_agent(e->to);
    return bounce(carrier_, std::move(e), why);
  }
  if (e->verb.size() > longest_name) {  // it would only cost the behaviour memory
    inbox_.release(*e);
    const error why(errc::unknown_verb,
                    init_.path + " has no verb " + e->verb.substr(0, 60) + "...");
    return bounce(carrier_, std::move(e), why);
  }
  switch (e->kind) {
    case kind::start:
      if (phase_ == phase::fresh && e->from == init_.parent && start_.empty())
        return start_.push(std::move(e));
      return bounce(carrier_, std::move(e), {errc::running, init_.path + " is started already"});
    case kind::call:
      if (is_control(*e)) return on_control(std::move(e));
      if (!has_free_slot(e->verb)) {
        if (auto path = deadlock_path(*e); !path.empty()) {
          inbox_.release(*e);
          return bounce(carrier_, std::move(e), {errc::deadlock, path});
        }
      }
      [[fallthrough]];
    case kind::send:
      if (drains_ && !(e->from == self_)) {
        inbox_.release(*e);
        return bounce(carrier_, std::move(e), {errc::down, init_.path + " stops"});
      }
      break;
    case kind::part:
    case kind::reply:
    case kind::error:
      return on_answer(std::move(e));
    case kind::credit:
      return on_credit(std::move(e));
    case kind::cancel:
      return on_cancel(*e);
    case kind::exit_signal:
      return on_exit_signal(std::move(e));
    case kind::monitor:
      return watchers_.add(e->from, e->id);
    case kind::demonitor:
      return watchers_.remove(e->from, e->id);
    case kind::link:
      return links_.push_back(e->from);
    case kind::unlink:
      if (e->linked)  // a child has ended; taking back a link makes it no orphan
        started_.erase(e->from.agent);
      else
        std::erase(links_, e->from);
      return;
    case kind::down:
      if (!monitors_.erase(e->id)) return;
      if (is_attentive()) return urgent_.push(std::move(e));
      break;
    case kind::event:
      return urgent_.push(std::move(e));
    default:
      break;
  }
  e->cause = ++arrivals_;
  auto& queue = phase_ == phase::running && overlaps(e->verb) ? overlapping_ : mail_;
  queue.push(std::move(e));
}

void process::expire() {
  while (deadlines_.earliest() <= now_) {
    const auto due = deadlines_.pop();
    if (!is_live(due)) continue;
    auto e = std::make_unique<envelope>();
    e->from = e->to = self_;
    e->id = due.id;
    if (due.is_timer) {
      timers_.erase(due.id);
      ticks_.put(due.id, true);
      e->kind = kind::timer;
      if (is_attentive()) {
        urgent_.push(std::move(e));
        continue;
      }
      e->cause = ++arrivals_;
      mail_.push(std::move(e));
      continue;
    }
    const auto* call = calls_.find(due.id);
    e->kind = call->is_sleep ? kind::reply : kind::error;
    if (!call->is_sleep) {
      take_back(due.id, *call);
      const auto path = carrier_.path_of(call->callee);
      e->from = call->callee;
      e->body = pack_error({errc::timeout, (path.empty() ? call->callee.to_string() : path) +
                                               " did not answer before the deadline"});
    }
    on_answer(std::move(e));
  }
}

/// The oldest message that a slot is free for, or that needs none.
envelope_ptr process::next_mail() {
  const bool slot = slots_used_ < overlap_.slots;
  const auto* in_order = slot ? mail_.front() : nullptr;
  const auto* beside = overlapping_.front();
  if (in_order != nullptr && (beside == nullptr || in_order->cause < beside->cause))
    return mail_.pop();
  return overlapping_.pop();
}

bool process::deliver_next() {
  // What a channel or a pool of threads has to say goes on: it may be the answer to a control verb.
  const auto is_event = [](const envelope& x) { return x.kind == kind::event; };
  if (busy_) return false;  // it is suspended as well
  if (auto e = suspended_ ? urgent_.take_if(is_event) : urgent_.pop()) {
    busy_ = hand_over(std::move(e)) == progress::preempted;
    return true;
  }
  if (phase_ == phase::fresh) {
    auto e = start_.pop();
    if (!e) return false;
    carrier_.bind(init_.path, self_, true);
    phase_ = phase::starting;
    overlap_ = init_.actions->overlap();
    open_message& m = open(*e, false);
    e->cause = m.cause;
    busy_ = hand_over(std::move(e)) == progress::preempted;
    return true;
  }
  if (phase_ != phase::running || suspended_) return false;
  auto e = next_mail();
  if (!e) return false;
  inbox_.release(*e);
  if (e->kind == kind::call && e->deadline <= now_) {
    carrier_.report({runtime_event::what::expired, self_, init_.path, {}});
    return true;
  }
  open_message& m = open(*e, !overlaps(e->verb));
  e->cause = m.cause;
  const auto cause = m.cause;
  const bool closes_itself = overlap_.slots == concurrency::unlimited && e->kind != kind::call;
  busy_ = hand_over(std::move(e)) == progress::preempted;
  if (closes_itself && !busy_) done(cause);
  return true;
}

progress process::hand_over(envelope_ptr e) {
  ++handled_;
  if (traced_ != 0) trace(*e, false);
  if (e->kind == kind::timer) ticks_.erase(e->id);
  return init_.actions->receive(*this, std::move(e));
}

/// The behaviour answered its start.
void process::ready() {
  phase_ = phase::running;
  overlap_ = init_.actions->overlap();
  carrier_.report({runtime_event::what::started, self_, init_.path, {}});
  if (!overlap_.overlapping.empty()) sort_waiting();
}

/// Puts all mail that waits into the queue that it belongs to now, in order of arrival.
void process::sort_waiting() {
  message_queue waiting;
  while (!mail_.empty() || !overlapping_.empty()) {
    const bool beside = mail_.empty() || (!overlapping_.empty() &&
                                          overlapping_.front()->cause < mail_.front()->cause);
    waiting.push((beside ? overlapping_ : mail_).pop());
  }
  while (auto e = waiting.pop()) {
    auto& queue = overlaps(e->verb) ? overlapping_ : mail_;
    queue.push(std::move(e));
  }
}

void process::look_at_traces() {
  traces_seen_ = tracer_->generation();
  traced_ = tracer_->wanted(init_.path);
}

void process::trace(const envelope& e, bool is_outgoing) {
  switch (e.kind) {
    case kind::send:
    case kind::call:
    case kind::part:
    case kind::reply:
    case kind::error:
    case kind::down:
    case kind::exit:
    case kind::timer:
      break;
    default:
      return;
  }
  const auto peer = name_of(is_outgoing ? e.to : e.from);
  tracer_->on_message(traced_, {e, is_outgoing, init_.path, peer});
}

void process::finish(const error& reason) {
  // What others see of a kill is `killed`: only the signal itself is untrappable.
  error seen = kept_reason(reason);
  if (seen.from.empty()) seen.from = init_.path;
  init_.actions.reset();
  if (children_) {
    auto end = make(kind::exit_signal, children_, nullptr);
    end->body = pack_error({errc::shutdown, init_.path + " ended"});
    carrier_.post(std::move(end));
    std::erase(links_, children_);  // it ends in order, not by the link
    started_.erase(children_.agent);
  }
  calls_.for_each([&](std::uint64_t id, const open_call& call) { take_back(id, call); });
  // Otherwise whoever lives long would keep all who ever watched it.
  monitors_.for_each([&](std::uint64_t id, const address& whom) {
    auto e = make(kind::demonitor, whom, nullptr);
    e->id = id;
    carrier_.post(std::move(e));
  });
  carrier_.unbind(self_);
  // Before the mailbox closes: whoever finds it closed is told why.
  carrier_.report({runtime_event::what::ended, self_, init_.path, seen});
  // Most agents end unobserved: what nobody is told is not made.
  std::optional<error> down;
  const auto unanswered = [&]() -> const error& {
    if (!down)
      down = seen.wrapped(errc::down, (init_.path.empty() ? self_.to_string() : init_.path) +
                                          " ended before it answered");
    return *down;
  };
  bytes packed;
  const auto body = [&]() -> const bytes& {
    if (packed.empty()) packed = pack_error(seen);
    return packed;
  };
  while (auto e = taken_.pop())
    mail_.push(std::move(e));
  taken_.adopt(inbox_.close());
  while (auto e = taken_.pop())
    mail_.push(std::move(e));
  for (auto* queue : {&start_, &mail_, &overlapping_}) {
    while (auto e = queue->pop()) {
      inbox_.release(*e);
      if (e->kind == kind::monitor) {
        watchers_.add(e->from, e->id);
      } else if (e->kind == kind::link) {
        links_.push_back(e->from);
      } else if (!(e->to == self_)) {
        const auto why = no_such_agent(e->to);
        bounce(carrier_, std::move(e), why);
      } else {
        bounce(carrier_, std::move(e), unanswered());
      }
    }
  }
  const auto end_too = [&](const address& who) {
    auto signal = make(kind::exit_signal, who, nullptr);
    signal->linked = true;
    signal->body = body();
    carrier_.post(std::move(signal));
  };
  std::for_each(links_.begin(), links_.end(), end_too);
  started_.for_each([&](std::uint64_t, const address& child) { end_too(child); });
  if (init_.parent) {
    auto forget = make(kind::unlink, init_.parent, nullptr);
    forget->linked = true;
    carrier_.post(std::move(forget));
  }
  watchers_.for_each([&](const address& who, monitor_id id) {
    auto e = make(kind::down, who, nullptr);
    e->id = id;
    e->body = body();
    carrier_.post(std::move(e));
  });
  // After the signals: who is answered may act on it at once, and its supervisor should know by
  // then.
  for (auto& m : open_)
    if (m.cause != no_cause && m.is_call && !m.answered && !m.cancelled)
      answer(m, kind::error, pack_error(unanswered()));
}

void process::abandon(const error& reason) {
  now_ = carrier_.now();
  finish(reason);
}

wall_time process::wall() const {
  return carrier_.wall();
}

void process::log(log_level level, std::string_view message, value::map fields) {
  carrier_.log(level, init_.path, message, std::move(fields));
}

outlet process::make_outlet() {
  return carrier_.outlet_to(self_);
}

}  // namespace troupe
