// SPDX-License-Identifier: Apache-2.0
//
// What outlives one wait of a task: calls in parts, and timers.
#include <algorithm>

#include "script/lua_agent.hpp"

namespace troupe::script {

// -- streams --------------------------------------------------------------------------------------

namespace {

/// Parts that may be under way: enough to hide a round trip, few enough to keep little.
constexpr std::uint32_t stream_credit = 16;
/// What one takes of the script's memory, with its place in the tables of the process.
constexpr std::size_t stream_weight = 1024;

}  // namespace

std::uint64_t lua_agent::open_stream(const target& to, std::string_view verb, bytes args) {
  if (!state_->hold(stream_weight)) return 0;
  const auto id = ++last_id_;
  auto& s = streams_[id];
  s.call = take_slot({0, nullptr, id});
  ctx_->call(cause(), s.call, to, verb, std::move(args),
             {.timeout = time_left(*ctx_), .credit = stream_credit});
  return id;
}

stream* lua_agent::find_stream(std::uint64_t id) {
  const auto at = streams_.find(id);
  return at != streams_.end() ? &at->second : nullptr;
}

void lua_agent::on_stream(std::uint64_t id, envelope_ptr m) {
  auto* s = find_stream(id);
  if (m->kind == kind::part) {
    s->parts.push_back(std::move(m));
  } else {
    free_slot(m->id);
    s->answer = std::move(m);
  }
  if (auto* reader = std::exchange(s->reader, nullptr)) make_ready(*reader);
}

bool lua_agent::has_to_wait(stream& s) {
  if (!s.parts.empty() || s.answer) return false;
  s.reader = current_;
  return true;
}

bool lua_agent::take_part(stream& s) {
  if (s.parts.empty()) return false;
  auto m = std::move(s.parts.front());
  s.parts.pop_front();
  if (++s.read >= stream_credit / 2 && !s.answer) ctx_->grant(s.call, std::exchange(s.read, 0));
  if (!fits(*m)) {  // it ends here, with that as its answer
    if (!s.answer) ctx_->cancel(s.call);
    free_slot(s.call);
    s.parts.clear();
    m->kind = kind::error;
    m->body = pack_error(does_not_fit(*m, "a part"));
    s.answer = std::move(m);
    return false;
  }
  current_->answer = std::move(m);
  return true;
}

void lua_agent::close_stream(std::uint64_t id) {
  const auto at = streams_.find(id);
  if (at == streams_.end()) return;
  if (!at->second.answer && ctx_ != nullptr) ctx_->cancel(at->second.call);
  free_slot(at->second.call);
  if (at->second.reader != nullptr) make_ready(*at->second.reader);
  streams_.erase(at);
  if (ctx_ != nullptr) state_->let_go(stream_weight);
}

// -- timers ---------------------------------------------------------------------------------------

timer_id lua_agent::set_timer(lua_timer t, duration first) {
  if (!state_->hold(t.weight())) return 0;
  const auto id = ++last_id_;
  t.due = add(ctx_->now(), first);
  timers_.emplace(id, std::move(t));
  ctx_->set_timer(id, first);
  return id;
}

timer_id lua_agent::set_cron(lua_timer t) {
  if (!state_->hold(t.weight())) return 0;
  const auto id = ++last_id_;
  auto& set = timers_.emplace(id, std::move(t)).first->second;
  set.due_at = set.when->after(ctx_->wall());
  await_cron(id, set);
  return id;
}

/// A calendar may be put right meanwhile: so it is looked at now and then.
void lua_agent::await_cron(timer_id id, lua_timer& t) {
  const auto left = std::chrono::duration_cast<duration>(t.due_at - ctx_->wall());
  ctx_->set_timer(id, std::clamp<duration>(left, duration::zero(), std::chrono::hours(1)));
}

const lua_timer* lua_agent::find_timer(timer_id id) const {
  const auto at = timers_.find(id);
  return at != timers_.end() ? &at->second : nullptr;
}

bool lua_agent::cancel_timer(timer_id id) {
  const auto at = timers_.find(id);
  if (at == timers_.end()) return false;
  forget_timer(at);
  ctx_->cancel_timer(id);
  return true;
}

void lua_agent::forget_timer(std::unordered_map<timer_id, lua_timer>::iterator at) {
  state_->let_go(at->second.weight());
  timers_.erase(at);
}

/// After a tick was served: ticks that were missed meanwhile are one, and none overlaps another.
void lua_agent::rearm(timer_id id) {
  const auto at = timers_.find(id);
  if (at == timers_.end()) return;
  auto& t = at->second;
  if (t.when) {
    t.due_at = t.when->after(std::max(t.due_at, ctx_->wall()));
    return await_cron(id, t);
  }
  if (t.period == duration::zero()) {
    forget_timer(at);
    return;
  }
  const auto now = ctx_->now();
  const auto missed = t.due <= now ? (now - t.due) / t.period : 0;
  t.due = add(t.due, t.period * (missed + 1));
  const double part = t.jitter * (static_cast<double>(ctx_->random() >> 11) * 0x1p-53);
  ctx_->set_timer(id, t.due - now + std::chrono::duration_cast<duration>(t.period * part));
}

}  // namespace troupe::script
