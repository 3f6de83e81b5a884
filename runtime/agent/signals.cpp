// SPDX-License-Identifier: Apache-2.0
//
// The control lane of a process: what acts at once, also while its behaviour waits or computes.
#include "agent/bounce.hpp"
#include "agent/process.hpp"
#include "base/msgpack.hpp"

namespace troupe {

void process::on_exit_signal(envelope_ptr e) {
  auto reason = unpack_error(e->body);
  if (e->linked) {
    const bool was_linked = std::erase(links_, e->from) > 0;
    if (e->from == init_.parent) {  // an agent ends with its parent, whatever the reason
      if (traps_) return on_stop_request(reason);
      if (!exit_) exit_ = std::move(reason);
      return;
    }
    if (!was_linked) return;  // it was taken back meanwhile
  } else if (reason.is(errc::kill)) {
    reason.code = to_string(errc::killed);
    exit_ = std::move(reason);  // also over an earlier reason: nothing holds back a kill
    return;
  } else if (e->from == init_.parent) {
    return on_stop_request(reason);
  }
  if (traps_ && phase_ == phase::running) {
    e->kind = kind::exit;
    e->cause = ++arrivals_;
    return mail_.push(std::move(e));
  }
  if (reason.is(errc::normal)) return;
  if (!exit_) exit_ = std::move(reason);
}

void process::on_stop_request(const error& reason) {
  if (phase_ == phase::stopping) return;
  const bool stops_in_order =
      phase_ == phase::running || (phase_ == phase::starting && is_attentive());
  if (!stops_in_order) {  // on_start has not answered: there is nothing to clean up
    if (!exit_) exit_ = reason;
    return;
  }
  phase_ = phase::stopping;
  for (std::size_t i = 0; i < open_.size(); ++i) {
    auto& m = open_[i];
    if (m.cause == no_cause) continue;
    if (m.is_call && !m.answered && !m.cancelled)
      answer(m, kind::error, pack_error(reason.wrapped(errc::down, init_.path + " stops")));
    cancel_open(m);
  }
  if (is_attentive()) {
    message_queue waiting;
    while (auto e = mail_.pop())
      waiting.push(std::move(e));
    while (auto e = waiting.pop()) {
      const bool is_heard = e->kind == kind::down || e->kind == kind::timer;
      if (is_heard) e->cause = no_cause;
      (is_heard ? urgent_ : mail_).push(std::move(e));
    }
  }
  auto stop = std::make_unique<envelope>();
  stop->kind = kind::stop;
  stop->from = init_.parent;
  stop->to = self_;
  stop->body = pack_error(reason);
  stop->cause = open(*stop, false).cause;
  urgent_.push(std::move(stop));
}

void process::on_cancel(const envelope& e) {
  if (auto* m = find_open_call(e.from, e.id)) {
    if (!m->answered) cancel_open(*m);
    return;
  }
  const auto is_it = [&](const envelope& queued) {
    return queued.kind == kind::call && queued.id == e.id && queued.from == e.from;
  };
  auto queued = mail_.take_if(is_it);
  if (!queued) queued = overlapping_.take_if(is_it);
  if (queued) inbox_.release(*queued);
}

void process::on_answer(envelope_ptr e) {
  const auto* call = calls_.find(e->id);
  if (call == nullptr) {
    ++late_;
    if (e->kind == kind::reply)
      carrier_.report({runtime_event::what::late_reply, self_, init_.path, {}});
    return;
  }
  const bool is_own = call->is_own;
  if (e->kind != kind::part) forget_call(e->id);
  if (is_own) {
    if (e->kind == kind::error) {
      carrier_.log(log_level::error, init_.path, "the supervisor of spawned agents did not start",
                   {{"reason", unpack_error(e->body).describe()}});
      children_ = {};
    }
    return;
  }
  urgent_.push(std::move(e));
}

void process::on_credit(envelope_ptr e) {
  auto* m = find_open_call(e->from, e->id);
  if (m == nullptr || m->answered) return;
  constexpr std::uint32_t most = 1u << 20;
  m->credit = std::min(most, m->credit + std::min(most, e->credit));
  e->cause = m->cause;
  urgent_.push(std::move(e));
}

void process::answer_inspection(const envelope& e) {
  auto a = make(kind::reply, e.from, nullptr);
  a->id = e.id;
  auto body = pack(inspection());
  if (!body) {
    a->kind = kind::error;
    a->body = pack_error(body.error());
  } else {
    a->body = std::move(*body);
  }
  carrier_.post(std::move(a));
}

value process::inspection() const {
  constexpr std::string_view phases[] = {"fresh", "starting", "running", "stopping"};
  value v;
  std::int64_t serving = 0;
  value::array verbs;
  for (const auto& m : open_)
    if (m.cause != no_cause) ++serving;
  v.set("path", init_.path);
  v.set("address", to_value(self_));
  v.set("phase", phases[static_cast<int>(phase_)]);
  v.set("busy", busy_);
  v.set("mailbox", static_cast<std::int64_t>(inbox_.count()));
  v.set("mailbox_bytes", static_cast<std::int64_t>(inbox_.weight()));
  v.set("serving", serving);
  v.set("calls", static_cast<std::int64_t>(calls_.size()));
  v.set("timers", static_cast<std::int64_t>(timers_.size()));
  v.set("links", static_cast<std::int64_t>(links_.size()));
  v.set("monitors", static_cast<std::int64_t>(monitors_.size()));
  v.set("watchers", static_cast<std::int64_t>(watchers_.size()));
  v.set("handled", static_cast<std::int64_t>(handled_));
  v.set("late", static_cast<std::int64_t>(late_));
  v.set("behaviour", init_.actions->inspect());
  return v;
}

}  // namespace troupe
