// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/event_feed.hpp"

#include <utility>

#include "base/msgpack.hpp"

namespace troupe {

namespace {

constexpr const char* counter_names[] = {"started",      "ended",    "crashed",
                                         "restarted",    "given_up", "dead_letters",
                                         "late_replies", "expired",  "unseen"};

const char* name_of(enum runtime_event::what what) {
  constexpr const char* names[] = {"started", "ended",     "dead_letter", "late_reply",
                                   "expired", "restarted", "given_up"};
  return names[static_cast<std::size_t>(what)];
}

value as_data(const runtime_event& event, wall_time at) {
  const std::chrono::duration<double> since = at.time_since_epoch();
  value v = value::map{};
  v.set("at", since.count()).set("what", name_of(event.what)).set("path", event.path);
  if (event.agent) v.set("agent", event.agent.to_string());
  if (!event.reason.code.empty()) v.set("reason", to_value(event.reason));
  if (!event.data.is_nil()) v.set("data", event.data);
  return v;
}

}  // namespace

void event_feed::on_event(const runtime_event& event) {
  constexpr counter counters[] = {started, ended,     dead_letters, late_replies,
                                  expired, restarted, given_up};
  count(counters[static_cast<std::size_t>(event.what)]);
  if (event.what == runtime_event::what::ended && !is_normal_exit(event.reason)) count(crashed);

  const auto to = to_.load(std::memory_order_acquire);
  if (!to) return count(unseen);
  if (under_way_.fetch_add(1, std::memory_order_relaxed) >= most_under_way) {
    handled();
    return count(unseen);
  }
  auto body = pack(as_data(event, time_.wall()));
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
  to_.store(std::make_shared<const outlet>(std::move(to)), std::memory_order_release);
}

}  // namespace troupe
