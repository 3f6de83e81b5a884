// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/event_feed.hpp"

#include <memory>
#include <new>
#include <utility>

namespace troupe {

namespace {

constexpr const char* counter_names[] = {"started",  "ended", "crashed",      "restarted",
                                         "given_up", "stuck", "dead_letters", "late_replies",
                                         "expired",  "unseen"};

/// No default: a new kind of event is a warning here and below.
const char* name_of(enum runtime_event::what what) {
  switch (what) {
    case runtime_event::what::started:
      return "started";
    case runtime_event::what::ended:
      return "ended";
    case runtime_event::what::dead_letter:
      return "dead_letter";
    case runtime_event::what::late_reply:
      return "late_reply";
    case runtime_event::what::expired:
      return "expired";
    case runtime_event::what::restarted:
      return "restarted";
    case runtime_event::what::given_up:
      return "given_up";
    case runtime_event::what::stuck:
      return "stuck";
  }
  return "unknown";
}

}  // namespace

void event_feed::on_event(const runtime_event& event) {
  switch (event.what) {
    case runtime_event::what::started:
      count(started);
      break;
    case runtime_event::what::ended:
      count(ended);
      if (!is_normal_exit(event.reason)) count(crashed);
      break;
    case runtime_event::what::dead_letter:
      count(dead_letters);
      break;
    case runtime_event::what::late_reply:
      count(late_replies);
      break;
    case runtime_event::what::expired:
      count(expired);
      break;
    case runtime_event::what::restarted:
      count(restarted);
      break;
    case runtime_event::what::given_up:
      count(given_up);
      break;
    case runtime_event::what::stuck:
      count(stuck);
      break;
  }
  const auto* to = to_.load(std::memory_order_acquire);
  if (to == nullptr) return count(unseen);
  const auto waiting = waiting_.fetch_add(1, std::memory_order_relaxed) + 1;
  auto* mine = waiting <= most_waiting ? new (std::nothrow) record{event, time_.wall()} : nullptr;
  if (mine == nullptr) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return count(unseen);
  }
  mine->next = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(mine->next, mine, std::memory_order_acq_rel))
    continue;
  // Nobody looks at each event as it comes: the observer is woken for some at once.
  if (waiting < few && !is_followed_.load()) return;
  if (!woken_.exchange(true) && !to->post("event", {})) woken_.store(false);
}

void event_feed::take(const std::function<void(value)>& f) {
  woken_.store(false);  // before it looks: who comes later wakes it again
  record* oldest = nullptr;
  for (auto* r = newest_.exchange(nullptr, std::memory_order_acq_rel); r != nullptr;) {
    auto* next = std::exchange(r->next, oldest);
    oldest = std::exchange(r, next);
  }
  while (oldest != nullptr) {
    const std::unique_ptr<record> one(std::exchange(oldest, oldest->next));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    const std::chrono::duration<double> since = one->at.time_since_epoch();
    value v = value::map{};
    v.set("at", since.count()).set("what", name_of(one->event.what)).set("path", one->event.path);
    if (one->event.agent) v.set("agent", one->event.agent.to_string());
    if (!one->event.reason.code.empty()) v.set("reason", to_value(one->event.reason));
    if (!one->event.data.is_nil()) v.set("data", std::move(one->event.data));
    f(std::move(v));
  }
}

event_feed::~event_feed() {
  take([](const value&) {});
}

bool event_feed::post(std::string_view verb, bytes body) const {
  const auto* to = to_.load(std::memory_order_acquire);
  return to != nullptr && to->post(verb, std::move(body));
}

value event_feed::counters() const {
  value v = value::map{};
  for (std::size_t i = 0; i < counters_.size(); ++i)
    v.set(counter_names[i], counters_[i].load(std::memory_order_relaxed));
  return v;
}

void event_feed::attach(outlet to) {
  woken_.store(false);
  is_followed_.store(false);
  outlets_.push_front(std::move(to));
  to_.store(&outlets_.front(), std::memory_order_release);
}

}  // namespace troupe
