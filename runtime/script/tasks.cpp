// SPDX-License-Identifier: Apache-2.0
//
// Tasks: who runs next, what ends a wait, and what becomes of a task at its end.
#include <algorithm>

#include "script/errors.hpp"
#include "script/lua_agent.hpp"

namespace troupe::script {

namespace {

/// Low bits of a wait's id: where it lies in slots_. The top bit belongs to the process.
constexpr int slot_bits = 20;
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << slot_bits) - 1;

}  // namespace

// -- waits ----------------------------------------------------------------------------------------

call_id lua_agent::take_slot(wait_slot s) {
  std::uint32_t index;
  if (free_slots_.empty()) {
    index = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    index = free_slots_.back();
    free_slots_.pop_back();
  }
  s.id = ++last_id_ << slot_bits | index;
  slots_[index] = s;
  return s.id;
}

call_id lua_agent::new_wait() {
  current_->waits_for = take_slot({0, current_, 0});
  return current_->waits_for;
}

lua_agent::wait_slot* lua_agent::find_slot(call_id id) {
  const auto index = id & slot_mask;
  return index < slots_.size() && slots_[index].id == id ? &slots_[index] : nullptr;
}

void lua_agent::free_slot(call_id id) {
  if (auto* slot = find_slot(id)) {
    *slot = {};
    free_slots_.push_back(static_cast<std::uint32_t>(id & slot_mask));
  }
}

void lua_agent::forget_wait(task& t) {
  if (t.waits_for == 0) return;
  ctx_->cancel(t.waits_for);
  free_slot(t.waits_for);
  t.waits_for = 0;
}

void lua_agent::on_answer(envelope_ptr m) {
  auto* slot = find_slot(m->id);
  if (slot == nullptr) return;
  if (slot->into != 0) return on_stream(slot->into, std::move(m));
  if (slot->who == nullptr) {
    free_slot(m->id);
    if (m->kind == kind::error)
      ctx_->log(log_level::warning, "a verb is not offered as a tool",
                {{"reason", unpack_error(m->body).describe()}});
    return;
  }
  auto& t = *slot->who;
  free_slot(m->id);
  t.waits_for = 0;
  if (!fits(*m)) {
    const auto why = does_not_fit(*m, "the answer");
    m->kind = kind::error;
    m->body = pack_error(why);
  }
  t.answer = std::move(m);
  make_ready(t);
}

// -- the queue of those that can run --------------------------------------------------------------

void lua_agent::make_ready(task& t) {
  if (t.queued || &t == current_) return;
  t.queued = true;
  t.next = nullptr;
  if (last_ready_ != nullptr)
    last_ready_->next = &t;
  else
    first_ready_ = &t;
  last_ready_ = &t;
}

/// Takes the first one that may run; null if there is none.
task* lua_agent::next_ready() {
  task* before = nullptr;
  auto* t = first_ready_;
  while (upgrade_.on != nullptr && t != nullptr && t->on != upgrade_.on) {
    before = t;
    t = t->next;
  }
  if (t == nullptr) return nullptr;
  (before == nullptr ? first_ready_ : before->next) = t->next;
  if (last_ready_ == t) last_ready_ = before;
  t->queued = false;
  return t;
}

progress lua_agent::run_ready() {
  while (!exiting_) {
    if (!pending_.empty()) take_pending();
    if (upgrade_.on != nullptr) end_late_upgrade();
    auto* t = next_ready();
    if (t == nullptr) break;
    if (!step(*t)) return progress::preempted;
  }
  return progress::idle;
}

/// Runs a task until it waits, ends or is preempted; false for the last.
bool lua_agent::step(task& t) {
  if (t.preempted) --computing_;
  // A message that computes goes on to its next wait; an upgrade may never come to one.
  if (t.dying && (!t.preempted || (t.on != nullptr && t.on == upgrade_.on))) {
    drop(t);
    return true;
  }
  t.preempted = t.fresh = false;
  t.parked = t.wants_credit = false;
  int results = 0;
  current_ = &t;
  const auto how = state_->resume(t.co, std::exchange(t.arguments, 0), results);
  current_ = nullptr;
  switch (how) {
    case ran::done:
      state_->give_thread(t.co);
      finish(t);
      return true;
    case ran::waiting:
      if (t.dying) drop(t);
      return true;
    case ran::preempted:
      t.preempted = true;
      ++computing_;
      make_ready(t);
      return exiting_;
    case ran::failed:
      crash(t);
      return true;
  }
  return true;
}

// -- begin and end --------------------------------------------------------------------------------

task* lua_agent::make_task(serving* on) {
  auto* co = state_->take_thread();
  if (co == nullptr) return nullptr;
  task* t;
  if (free_tasks_.empty()) {
    tasks_.push_back(std::make_unique<task>());
    t = tasks_.back().get();
    t->index = static_cast<std::uint32_t>(tasks_.size() - 1);
  } else {
    t = free_tasks_.back();
    free_tasks_.pop_back();
  }
  t->co = co;
  t->on = on;
  t->fresh = true;
  return t;
}

void lua_agent::free_task(task& t) {
  t.co = nullptr;
  t.on = nullptr;
  t.answer.reset();
  t.unsent = {};
  t.deadline = never;
  t.is_root = t.woken = t.dying = t.parked = t.wants_credit = t.preempted = false;
  ++t.generation;
  free_tasks_.push_back(&t);
}

task* lua_agent::find_task(std::uint64_t id) {
  const auto index = id & 0xffffffff;
  if (index >= tasks_.size()) return nullptr;
  auto* t = tasks_[index].get();
  return t->co != nullptr && t->id() == id ? t : nullptr;
}

task* lua_agent::start_beside(lua_State* l, int arguments, duration limit) {
  auto* on = current_->on;
  auto* t = make_task(on);
  if (t == nullptr || !lua_checkstack(t->co, arguments + 1)) {
    if (t != nullptr) {
      state_->give_thread(t->co);
      free_task(*t);
    }
    keep(memory_limit("a task"));
    return nullptr;
  }
  if (on != nullptr) ++on->beside;
  t->deadline = std::min(current_->deadline, add(ctx_->now(), limit));
  lua_xmove(l, t->co, arguments + 1);
  t->arguments = arguments;
  make_ready(*t);
  return t;
}

void lua_agent::end_task(task& t) {
  t.dying = true;
  if (&t == current_ || t.queued) return;
  forget_wait(t);
  make_ready(t);
}

void lua_agent::wake(task& t) {
  if (!t.parked) {
    t.woken = true;
    return;
  }
  forget_wait(t);
  make_ready(t);
}

/// Ends a task at the wait it stands in, or before it began.
void lua_agent::drop(task& t) {
  forget_wait(t);
  for (auto& [id, s] : streams_)
    if (s.reader == &t) s.reader = nullptr;
  if (t.fresh) {
    lua_settop(t.co, 0);
    state_->give_thread(t.co);
  } else {
    current_ = &t;
    state_->end_thread(t.co);
    current_ = nullptr;
  }
  finish(t);
}

void lua_agent::finish(task& t) {
  auto* on = t.on;
  const bool is_root = t.is_root;
  free_task(t);
  if (!is_root) {
    if (on != nullptr) --on->beside;
    return;
  }
  // What it started beside itself goes on as background work, under no cause.
  for (std::size_t i = 0; on->beside > 0; ++i) {
    if (tasks_[i]->on != on) continue;
    tasks_[i]->on = nullptr;
    --on->beside;
  }
  if (on == upgrade_.on) end_upgrade();
  auto m = std::move(on->message);
  free_serving(*on);
  if (m->kind == kind::timer) rearm(m->id);
  if (m->kind == kind::stop) exit(unpack_error(m->body));
  ctx_->done(m->cause);
}

void lua_agent::crash(task& t) {
  auto why = failure_of(*state_, t.co, codec_);
  if (!started_ && t.is_root) {
    refuse_start(why);
    return;
  }
  if (upgrade_.on != nullptr && t.on == upgrade_.on && !upgrade_.is_done)
    return fail_upgrade(t, why);
  exit(std::move(why));
}

/// Whatever fails in an upgrade ends the upgrade alone.
void lua_agent::fail_upgrade(task& t, const error& why) {
  ctx_->fail(t.on->message->cause, why);
  for (auto& other : tasks_)
    if (other.get() != &t && other->co != nullptr && other->on == t.on) end_task(*other);
  state_->give_thread(t.co);
  finish(t);
}

void lua_agent::exit(error reason) {
  exiting_ = true;
  ctx_->exit(std::move(reason));
}

// -- servings -------------------------------------------------------------------------------------

serving* lua_agent::make_serving(envelope_ptr m) {
  serving* s;
  if (free_servings_.empty()) {
    servings_.push_back(std::make_unique<serving>());
    s = servings_.back().get();
  } else {
    s = free_servings_.back();
    free_servings_.pop_back();
  }
  s->message = std::move(m);
  return s;
}

void lua_agent::free_serving(serving& s) {
  s.message.reset();
  s.detached = s.deferred = false;
  s.beside = 0;
  free_servings_.push_back(&s);
}

cause_id lua_agent::cause() const {
  const auto* on = current_->on;
  return on != nullptr && !on->detached ? on->message->cause : no_cause;
}

void lua_agent::on_cancel(cause_id cause) {
  if (pending_.take_if([&](const envelope& m) { return m.cause == cause; }))
    return ctx_->done(cause);
  for (auto& s : servings_) {
    if (!s->message || s->message->cause != cause) continue;
    if (s->detached) return;
    for (auto& t : tasks_)
      if (t->co != nullptr && t->on == s.get()) end_task(*t);
    return;
  }
}

void lua_agent::on_credit(cause_id cause) {
  for (auto& t : tasks_)
    if (t->wants_credit && t->on != nullptr && t->on->message->cause == cause) make_ready(*t);
}

duration lua_agent::time_left(const context& ctx) const {
  constexpr duration usual = std::chrono::seconds(30);
  return current_->deadline == never ? usual : current_->deadline - ctx.now();
}

}  // namespace troupe::script
