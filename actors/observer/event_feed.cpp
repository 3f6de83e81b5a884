// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/event_feed.hpp"

#include <utility>

#include "base/msgpack.hpp"

namespace troupe {

namespace {

constexpr const char* counter_names[] = {"started",      "ended",    "crashed",
                                         "restarted",    "given_up", "dead_letters",
                                         "late_replies", "expired",  "unseen"};

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
  }
  return "unknown";
}

/// Straight to bytes: there are two events in the life of each agent.
result<bytes> packed(const runtime_event& event, wall_time at) {
  const std::chrono::duration<double> since = at.time_since_epoch();
  thread_local body_writer to;  // keeps its memory
  to.restart({});
  const bool has_reason = !event.reason.code.empty();
  const auto members = 3 + !!event.agent + has_reason + !event.data.is_nil();
  // In the order of the packed keys, which saves sorting them. What goes wrong `finish` says.
  to.begin_map(static_cast<std::size_t>(members));
  to.text("at");
  to.number(since.count());
  if (!event.data.is_nil()) {
    to.text("data");
    write(to, event.data);
  }
  to.text("path");
  to.text(event.path);
  to.text("what");
  to.text(name_of(event.what));
  if (event.agent) {
    to.text("agent");
    to.text(event.agent.to_string());
  }
  if (has_reason) {
    to.text("reason");
    write(to, event.reason);
  }
  return to.finish();
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
  }
  const auto* to = to_.load(std::memory_order_acquire);
  if (to == nullptr) return count(unseen);
  if (under_way_.fetch_add(1, std::memory_order_relaxed) >= most_under_way) {
    handled();
    return count(unseen);
  }
  auto body = packed(event, time_.wall());
  if (body && to->post("event", std::move(*body))) return;
  handled();
  count(unseen);
}

value event_feed::counters() const {
  value v = value::map{};
  for (std::size_t i = 0; i < counters_.size(); ++i)
    v.set(counter_names[i], counters_[i].load(std::memory_order_relaxed));
  return v;
}

void event_feed::attach(outlet to) {
  // What an earlier observer did not get to is lost with it.
  under_way_.store(0, std::memory_order_relaxed);
  outlets_.push_front(std::move(to));
  to_.store(&outlets_.front(), std::memory_order_release);
}

}  // namespace troupe
