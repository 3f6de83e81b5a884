// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/event_feed.hpp"

#include <iterator>
#include <memory>
#include <new>
#include <utility>

namespace troupe {

namespace {

/// What a kind of event is called, and its counter; in the order of runtime_event::what.
constexpr struct {
  const char* name;
  const char* counter;
} kinds[] = {
    {"started", "started"},         {"ended", "ended"},     {"dead_letter", "dead_letters"},
    {"late_reply", "late_replies"}, {"expired", "expired"}, {"restarted", "restarted"},
    {"given_up", "given_up"},       {"stuck", "stuck"},     {"progress", nullptr}};
static_assert(std::size(kinds) == static_cast<std::size_t>(runtime_event::what::progress) + 1);

}  // namespace

value noted_event::to_value() const {
  const std::chrono::duration<double> since = at.time_since_epoch();
  value v = value::map{};
  v.set("at", since.count()).set("what", kinds[static_cast<std::size_t>(event.what)].name);
  v.set("path", event.path);
  if (event.agent) v.set("agent", event.agent.to_string());
  if (!event.reason.code.empty()) v.set("reason", troupe::to_value(event.reason));
  if (!event.data.is_nil()) v.set("data", event.data);
  return v;
}

void event_feed::on_event(const runtime_event& event) {
  count(counters_[static_cast<std::size_t>(event.what)]);
  if (event.what == runtime_event::what::ended && !is_normal_exit(event.reason)) count(crashed_);
  const auto* to = to_.load(std::memory_order_acquire);
  if (to == nullptr) return count(unseen_);
  const auto waiting = waiting_.fetch_add(1, std::memory_order_relaxed) + 1;
  auto* mine = waiting <= most_waiting ? new (std::nothrow) record{{event, time_.wall()}} : nullptr;
  if (mine == nullptr) {
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    return count(unseen_);
  }
  mine->next = newest_.load(std::memory_order_relaxed);
  while (!newest_.compare_exchange_weak(mine->next, mine, std::memory_order_acq_rel))
    continue;
  // Nobody looks at each event as it comes: the observer is woken for some at once.
  if (waiting < few && !is_followed_.load()) return;
  if (!woken_.exchange(true) && !to->post("event", {})) woken_.store(false);
}

void event_feed::take(const std::function<void(noted_event)>& f, std::int64_t most) {
  woken_.store(false);  // before it looks: who comes later wakes it again
  for (; most > 0; --most) {
    if (oldest_ == nullptr) turn_around();
    if (oldest_ == nullptr) return;
    const std::unique_ptr<record> one(std::exchange(oldest_, oldest_->next));
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    f(std::move(one->noted));
  }
  const auto* to = to_.load(std::memory_order_acquire);
  if (oldest_ != nullptr && to != nullptr && !woken_.exchange(true)) to->post("event", {});
}

/// What has come since, the oldest first.
void event_feed::turn_around() {
  for (auto* r = newest_.exchange(nullptr, std::memory_order_acq_rel); r != nullptr;) {
    auto* next = std::exchange(r->next, oldest_);
    oldest_ = std::exchange(r, next);
  }
}

event_feed::~event_feed() {
  take([](const noted_event&) {});
}

bool event_feed::post(std::string_view verb, bytes body) const {
  const auto* to = to_.load(std::memory_order_acquire);
  return to != nullptr && to->post(verb, std::move(body));
}

value event_feed::counters() const {
  value v = value::map{};
  for (std::size_t i = 0; i < counters_.size(); ++i)
    if (kinds[i].counter != nullptr)
      v.set(kinds[i].counter, counters_[i].load(std::memory_order_relaxed));
  v.set("crashed", crashed_.load(std::memory_order_relaxed));
  v.set("unseen", unseen_.load(std::memory_order_relaxed));
  return v;
}

void event_feed::attach(outlet to) {
  woken_.store(false);
  is_followed_.store(false);
  outlets_.push_front(std::move(to));
  to_.store(&outlets_.front(), std::memory_order_release);
}

}  // namespace troupe
