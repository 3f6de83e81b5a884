// SPDX-License-Identifier: Apache-2.0
//
// The control lane of a process: what acts at once, also while its behaviour waits or computes.
#include <algorithm>

#include "agent/bounce.hpp"
#include "agent/child_spec.hpp"
#include "agent/control.hpp"
#include "agent/process.hpp"
#include "base/msgpack.hpp"
#include "base/nearest.hpp"

namespace troupe {

namespace {

/// Entries of each list that an inspection shows.
constexpr std::size_t most_shown = 100;

void set_left(value& v, instant deadline, instant now) {
  if (deadline != never) v.set("left", to_seconds(deadline - now));
}

}  // namespace

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
    if (reason.data[drain_key] != value(true) || phase_ != phase::running)
      return on_stop_request(reason);
    reason.data = nullptr;
    drains_ = std::move(reason);
    return;
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
  suspended_ = false;
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

bool process::is_drained() const {
  const bool serves = std::any_of(open_.begin(), open_.end(),
                                  [](const open_message& m) { return m.cause != no_cause; });
  return !serves && mail_.empty() && overlapping_.empty();
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

// -- verbs of the runtime -------------------------------------------------------------------------

result<void> process::may_control(const envelope& e) const {
  if (!e.sender || e.from == self_ || e.from == init_.parent ||
      e.sender->grants.allows("call", init_.path))
    return ok();
  const std::string_view own = init_.path, above = e.sender->path;
  if (own.size() > above.size() && own.starts_with(above) && own[above.size()] == '/') return ok();
  return not_granted(e.sender->path, "call " + init_.path);
}

void process::on_control(envelope_ptr e) {
  inbox_.release(*e);
  auto refused = may_control(*e);
  if (refused &&
      std::find(control_verbs.begin(), control_verbs.end(), e->verb) == control_verbs.end())
    refused = error(errc::unknown_verb, unknown_name("verb", e->verb, control_verbs));
  const bool inspects = e->verb == inspect_verb;
  if (refused && !inspects && phase_ != phase::running)
    refused = error(errc::failed,
                    init_.path + (phase_ == phase::stopping ? " stops" : " has not started yet"));
  if (refused && suspended_ && e->verb == upgrade_verb)
    refused = error(errc::failed, init_.path + " is suspended: resume it first");
  if (!refused) return bounce(carrier_, std::move(e), refused.error());
  auto& m = open(*e, false);
  e->cause = m.cause;
  if (inspects) {
    m.control = wants_whole(*e) ? asks::whole_inspection : asks::inspection;
    if (phase_ != phase::running) {
      const auto cause = m.cause;
      reply(cause, *pack(init_.actions->inspect()));
      return done(cause);
    }
  } else {
    m.control = e->verb == upgrade_verb ? asks::upgrade : asks::other;
    if (e->verb == suspend_verb) suspended_ = true;
    if (e->verb == resume_verb) suspended_ = false;
  }
  if (init_.actions->control(*this, std::move(e)) == progress::preempted) busy_ = true;
}

void process::answer_control(open_message& m, bytes body) {
  auto said = body.empty() ? result<value>(value()) : unpack(body.view());
  if (!said) return answer(m, kind::error, pack_error(said.error()));
  if (m.control == asks::upgrade) change_overlap(*said);
  if (m.control == asks::inspection || m.control == asks::whole_inspection) {
    value v = inspection(m.control == asks::whole_inspection);
    v.set("behaviour", std::move(*said));
    auto packed = pack(v);
    if (packed)
      body = std::move(*packed);
    else
      return answer(m, kind::error, pack_error(packed.error()));
  }
  answer(m, kind::reply, std::move(body));
  if (m.served) close(m);
}
/// What an upgraded agent says it may serve at the same time.
void process::change_overlap(const value& said) {
  overlap_.slots = static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(said["slots"].as_int(1), 1, concurrency::unlimited - 1));
  overlap_.overlapping.clear();
  for (const auto& verb : said["overlapping"].as_array())
    overlap_.overlapping.emplace_back(verb.as_string());
  for (std::uint32_t i = 0; i < open_.size(); ++i)  // the table may not have been kept so far
    if (open_[i].cause != no_cause && open_[i].is_call)
      open_calls_.put(key_of(open_[i].from, open_[i].id), i);
  sort_waiting();
}

/// A path, or what else tells people who it is.
std::string process::name_of(const address& a) const {
  auto path = carrier_.path_of(a);
  return path.empty() ? a.to_string() : path;
}

value process::inspection(bool whole) {
  constexpr std::string_view phases[] = {"fresh", "starting", "running", "stopping"};
  value v;
  std::int64_t serving = 0;
  for (const auto& m : open_)
    if (m.cause != no_cause && m.control == asks::nothing) ++serving;
  v.set("path", init_.path);
  v.set("address", to_value(self_));
  v.set("phase", drains_ ? "draining" : phases[static_cast<int>(phase_)]);
  v.set("busy", busy_);
  v.set("suspended", suspended_);
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
  v.set("time", to_seconds(time_used_));
  if (!whole) return v;
  value::array in, out, linked, monitored, monitored_by;
  for (const auto& m : open_) {
    if (m.cause == no_cause || m.control != asks::nothing || in.size() >= most_shown) continue;
    value one;
    one.set("kind", to_string(m.kind)).set("from", name_of(m.from));
    if (!m.verb.view().empty()) one.set("verb", m.verb.view());
    if (m.is_call) set_left(one, m.deadline, now_);
    if (m.cancelled) one.set("cancelled", true);
    in.push_back(std::move(one));
  }
  calls_.for_each([&](std::uint64_t, const open_call& call) {
    if (out.size() >= most_shown) return;
    value one;
    one.set("verb", call.is_sleep ? std::string_view("sleep") : call.verb.view());
    if (!call.is_sleep) one.set("to", name_of(call.callee));
    set_left(one, call.deadline, now_);
    out.push_back(std::move(one));
  });
  const auto add = [&](value::array& to, const address& a) {
    if (to.size() < most_shown) to.emplace_back(name_of(a));
  };
  for (const auto& a : links_)
    add(linked, a);
  monitors_.for_each([&](std::uint64_t, const address& a) { add(monitored, a); });
  watchers_.for_each([&](const address& who, monitor_id) { add(monitored_by, who); });
  v.set("calls_in", std::move(in));
  v.set("calls_out", std::move(out));
  v.set("linked", std::move(linked));
  v.set("monitored", std::move(monitored));
  v.set("monitored_by", std::move(monitored_by));
  return v;
}

}  // namespace troupe
