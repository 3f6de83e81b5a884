// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor/supervisor.hpp"

#include <utility>

#include "actors/supervisor/sentences.hpp"
#include "agent/answers.hpp"

namespace troupe {

namespace {

bool is_endless(const child_spec& spec) {
  return spec.pool.has_value();  // its members have their times; see child_spec.hpp
}

duration shutdown_of(const child_spec& spec) {
  return is_endless(spec) ? duration::max() : spec.shutdown;
}

/// How long a child has after it was told so.
duration patience(const child_spec& spec, pressure told) {
  if (told == pressure::drain) return spec.drain;
  return told == pressure::shutdown ? shutdown_of(spec) : duration::max();
}

pressure first_pressure(const child_spec& spec, bool may_drain) {
  if (may_drain && spec.drain != duration::zero()) return pressure::drain;
  return shutdown_of(spec) == duration::zero() ? pressure::kill : pressure::shutdown;
}

pressure after(const child_spec& spec, pressure told) {
  return told == pressure::drain ? first_pressure(spec, false) : pressure::kill;
}

bool ended_as_told(const child_record& c) {
  const bool is_brutal = shutdown_of(*c.spec) == duration::zero();
  return is_normal_exit(*c.last_exit) || (is_brutal && c.last_exit->is(errc::killed));
}

/// What has failed for a child, said so that it names the child and the reason once.
error start_error(const child_record& c, const std::string& path, error why) {
  if (why.is(errc::down) && why.cause) why = error(*why.cause);
  // One that comes from the child itself is about somebody below it.
  if (why.is(errc::timeout) && why.from.empty())
    why.message = path + " did not start within " + in_seconds(c.spec->start_timeout);
  else if (!c.is_supervisor())
    why.message = path + " did not start: " + why.message;
  return why;
}

/// A temporary child is never started again: what it was started with need not stay.
void forget_what_it_began_with(child_record& c) {
  c.extra = nullptr;
  if (c.spec.use_count() > 1 || c.spec->options.as_map().empty()) return;
  auto spec = std::make_shared<child_spec>(*c.spec);
  spec->options = value::map{};
  c.spec = std::move(spec);
}

}  // namespace

supervisor::supervisor(supervisor_options options, launcher& makes, starter& starts)
    : options_(std::move(options)), makes_(makes), starts_(starts), last_id_(last_own_timer) {}

progress supervisor::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::start:
      boot(ctx, *e);
      break;
    case kind::call:
      take_call(ctx, std::move(e));
      break;
    case kind::send:
      starts_.report({runtime_event::what::dead_letter, ctx.self(), ctx.path(),
                      error(errc::unknown_verb, "a supervisor takes calls only: " + e->verb)});
      break;
    case kind::reply:
    case kind::error:
      on_answer(ctx, *e);
      break;
    case kind::down:
      on_down(ctx, *e);
      break;
    case kind::timer:
      on_timer(ctx, e->id);
      break;
    case kind::cancel:
      on_cancel(ctx, e->cause);
      break;
    case kind::stop:
      leave(ctx, unpack_error(e->body));
      break;
    default:  // exit signals of others are none of its business
      break;
  }
  advance(ctx);
  return progress::idle;
}

void supervisor::boot(context& ctx, const envelope& e) {
  parent_ = e.from;
  boot_cause_ = e.cause;
  ctx.trap_exits(true);  // so that it stops its children in order when its parent dies
  operation op{operation::goal::boot, e.cause};
  for (auto& one : std::exchange(options_.spec.children, {})) {
    auto spec = std::make_shared<const child_spec>(std::move(one));
    if (is_simple()) {
      template_ = std::move(spec);
      continue;
    }
    if (children_.find(spec->id) != nullptr)
      return ctx.fail(e.cause, {errc::config, "child " + spec->id + ": two children have this id"});
    const auto id = spec->id;
    op.starts.push_back(children_.add(id, std::move(spec), ctx.own_authority()).key);
  }
  if (is_simple() && !template_)
    return ctx.fail(e.cause, {errc::config, ctx.path() + ": simple_one_for_one needs a template"});
  current_ = std::move(op);
}

// -- what comes back from children

void supervisor::on_answer(context& ctx, const envelope& e) {
  if (auto asked = questions_.find(e.id); asked != questions_.end()) {
    const auto q = std::move(asked->second);
    questions_.erase(asked);
    return on_answer_to_question(ctx, q, e);
  }
  auto* c = children_.started_by(e.id);
  if (c == nullptr) return;
  children_.note(*c, c->watch, 0);
  if (e.kind == kind::error) {
    c->failure = start_error(*c, path_of(ctx, *c), unpack_error(e.body));
    // A supervisor has children of its own by now, and ends in order.
    const auto how = c->is_supervisor() ? errc::shutdown : errc::kill;
    if (!c->has_ended) ctx.exit(c->at, error(how, "its start failed"));
    return;
  }
  auto said = unpack(e.body.view());
  if (said && *said == value("ignore")) {
    c->is_ignored = true;
    return;
  }
  c->state = child_state::running;
  c->is_first = false;
  if (c->is_temporary()) forget_what_it_began_with(*c);
  if (said && current_ && current_->child == c->key) current_->info = std::move(*said);
  if (c->fault) {
    value data = value::map{};
    data.set("ms", to_seconds(ctx.now() - c->since) * 1000)
        .set("count", static_cast<std::int64_t>(restarts_.size()))
        .set("intensity", options_.spec.intensity);
    starts_.report({runtime_event::what::restarted, c->at, path_of(ctx, *c),
                    *std::exchange(c->fault, {}), std::move(data)});
  }
  on_ready(ctx, *c);
}

void supervisor::on_down(context& ctx, const envelope& e) {
  auto* c = children_.watched_by(e.id);
  if (c == nullptr) return;
  c->has_ended = true;
  c->last_exit = unpack_error(e.body);
  remember_exit(ctx, *c);
  if (c->state == child_state::running) {
    c->since = ctx.now();
    on_gone(ctx, *c);
    requests_.push_back({nullptr, c->key});
    return;
  }
  if (c->state != child_state::stopping) return;
  ctx.cancel_timer(c->watch);
  if (ended_as_told(*c)) return;
  if (current_->at_once)
    ++current_->odd[error(c->last_exit->code, c->last_exit->message).describe()];
  else
    report(ctx, log_level::warning, "a child did not end as it was told to", "shutdown_error",
           path_of(ctx, *c), *c->last_exit);
}

void supervisor::on_timer(context& ctx, timer_id id) {
  if (id == retry_timer) return take_due_retries(ctx);
  if (id == stop_timer) {
    if (!current_ || !current_->at_once) return;
    current_->told = after(*template_, current_->told);
    return stop_all_at_once(ctx);
  }
  auto* c = children_.watched_by(id);
  if (c == nullptr || c->state != child_state::stopping || c->has_ended) return;
  c->told = after(*c->spec, c->told);
  press(ctx, *c, c->told);
  if (const auto wait = patience(*c->spec, c->told); wait != duration::max())
    ctx.set_timer(c->watch, wait);
}

// -- operations

void supervisor::advance(context& ctx) {
  while (!has_left_) {
    if (current_ && !current_->stops.empty()) {
      if (!stop_next(ctx)) return;
    } else if (current_ && !current_->starts.empty()) {
      if (!start_next(ctx)) return;
    } else if (current_) {
      finish(ctx);
    } else if (!requests_.empty()) {
      const auto next = std::move(requests_.front());
      requests_.pop_front();
      if (next.call)
        serve(ctx, *next.call);
      else if (auto* c = children_.find(next.child))
        heal(ctx, *c);
    } else {
      return;
    }
  }
}

/// False if it has to wait for the child.
bool supervisor::stop_next(context& ctx) {
  if (current_->at_once && !std::exchange(current_->is_told, true)) {
    current_->told = first_pressure(*template_, true);
    stop_all_at_once(ctx);
  }
  auto& stops = current_->stops;
  auto* c = children_.find(stops.front());
  if (c == nullptr || !c->at || c->has_ended) {
    stops.pop_front();
    if (c == nullptr || !c->at) return true;
    forget_incarnation(*c);
    drop_if_done(*c);
    return true;
  }
  if (c->state != child_state::stopping) stop(ctx, *c);
  return false;
}

void supervisor::stop(context& ctx, child_record& c) {
  const bool was_ready = std::exchange(c.state, child_state::stopping) == child_state::running;
  if (c.start_call != 0) ctx.cancel(c.start_call);
  children_.note(c, c.watch, 0);
  c.told = first_pressure(*c.spec, was_ready);
  press(ctx, c, c.told);
  if (const auto wait = patience(*c.spec, c.told); wait != duration::max())
    ctx.set_timer(c.watch, wait);
  if (was_ready) on_gone(ctx, c);
}

/// OTP's way with the children of a template: all in parallel, within one time for all.
void supervisor::stop_all_at_once(context& ctx) {
  for (const auto key : current_->stops) {
    auto* c = children_.find(key);
    if (c == nullptr || !c->at || c->has_ended) continue;
    c->state = child_state::stopping;
    if (c->start_call != 0) ctx.cancel(c->start_call);
    children_.note(*c, c->watch, 0);
    press(ctx, *c, current_->told);
  }
  if (const auto wait = patience(*template_, current_->told); wait != duration::max())
    ctx.set_timer(stop_timer, wait);
}

void supervisor::press(context& ctx, const child_record& c, pressure how) {
  if (how == pressure::kill) {
    const bool is_brutal = shutdown_of(*c.spec) == duration::zero();
    return ctx.exit(
        c.at, error(errc::kill, is_brutal ? "its supervisor stops it" : "it did not stop in time"));
  }
  error reason(errc::shutdown, "its supervisor stops it");
  if (how == pressure::drain) reason.data.set(value(drain_key), true);
  ctx.exit(c.at, std::move(reason));
}

/// False if it has to wait for the child.
bool supervisor::start_next(context& ctx) {
  auto& starts = current_->starts;
  auto* c = children_.find(starts.front());
  if (c == nullptr || c->state == child_state::running) {
    starts.pop_front();
    return true;
  }
  if (c->state != child_state::starting) {
    if (auto launched = launch(ctx, *c); !launched) start_failed(ctx, *c, launched.error());
    return true;
  }
  if (!c->has_ended || !(c->failure || c->is_ignored)) return false;
  if (c->failure) {
    const auto why = *std::exchange(c->failure, {});
    forget_incarnation(*c);
    start_failed(ctx, *c, why);
    return true;
  }
  starts.pop_front();
  forget_incarnation(*c);
  c->fault.reset();
  drop_if_done(*c);
  return true;
}

result<void> supervisor::launch(context& ctx, child_record& c) {
  c.retry_at.reset();
  place where{path_of(ctx, c), ctx.self(), c.rights};
  where.in_pool = options_.is_pool;
  TROUPE_TRY(init,
             is_simple() ? makes_.prepare(spec_of(c), where) : makes_.prepare(*c.spec, where));
  value how = value::map{};
  how.set("first", c.is_first);
  if (c.last_exit) how.set("last_exit", to_value(*c.last_exit));
  TROUPE_TRY(body, pack(how));
  TROUPE_TRY(at, starts_.start(std::move(init)));
  children_.place(c, at);
  c.state = child_state::starting;
  c.began = ctx.now();
  c.has_ended = c.is_ignored = false;
  children_.note(c, new_id(), new_id());
  ctx.monitor(c.watch, c.at);
  const auto timeout = is_endless(*c.spec) ? duration::max() : c.spec->start_timeout;
  ctx.call(current_->cause, c.start_call, c.at, start_verb, std::move(body), {.timeout = timeout});
  return ok();
}

void supervisor::start_failed(context& ctx, child_record& c, const error& why) {
  c.state = child_state::stopped;
  const auto op = *std::exchange(current_, {});
  switch (op.what) {
    case operation::goal::start:
      children_.remove(c);
      return refuse(ctx, op.cause, why);
    case operation::goal::restart:
      return refuse(ctx, op.cause, why);
    case operation::goal::heal:
      report(ctx, log_level::warning, "a restart failed", "start_error", path_of(ctx, c), why);
      if (!c.fault) c.since = ctx.now();
      c.fault = why;
      return restart(ctx, c, false);
    default:
      return leave(ctx, why);
  }
}

void supervisor::finish(context& ctx) {
  const auto op = *std::exchange(current_, {});
  switch (op.what) {
    case operation::goal::boot:
      boot_cause_ = no_cause;
      return answer(ctx, op.cause, nullptr);
    case operation::goal::start:
    case operation::goal::restart: {
      const auto* c = children_.find(op.child);
      if (c == nullptr || !c->at) return answer(ctx, op.cause, nullptr);
      const auto at = to_value(c->at);
      if (op.info.is_nil() || options_.is_implicit) return answer(ctx, op.cause, at);
      return answer(ctx, op.cause, value(value::map{{"address", at}, {"info", op.info}}));
    }
    case operation::goal::terminate:
      if (auto* c = children_.find(op.child)) {  // it may have waited for another attempt
        c->state = child_state::stopped;
        c->retry_at.reset();
        c->waited = duration::zero();
        c->fault.reset();
        drop_if_done(*c);
      }
      answer(ctx, op.cause, true);
      return on_settled(ctx);
    case operation::goal::heal:
      return;
    case operation::goal::leave:
      has_left_ = true;
      for (const auto& [how, children] : op.odd)
        report(ctx, log_level::warning, "children did not end as they were told to",
               "shutdown_error", path_of(ctx, template_->id), error(errc::failed, how),
               {{"children", children}});
      if (boot_cause_ != no_cause) ctx.fail(boot_cause_, op.reason);
      return ctx.exit(op.reason);
  }
}

/// Stops all children, then ends. What else was going on or waiting is dropped: its callers hear
/// `down`.
void supervisor::leave(context& ctx, error reason) {
  requests_.clear();
  current_ = operation{operation::goal::leave};
  current_->stops = live_from(0);
  current_->at_once = is_simple();
  current_->reason = std::move(reason);
  on_leave(ctx);
}

std::deque<std::uint64_t> supervisor::live_from(std::uint64_t first) const {
  std::deque<std::uint64_t> keys;
  for (const auto& [key, c] : children_)
    if (key >= first && c.at) keys.push_front(key);
  return keys;
}

void supervisor::forget_incarnation(child_record& c) {
  children_.note(c, 0, 0);
  c.at = {};
  c.state = child_state::stopped;
  c.has_ended = c.is_ignored = false;
  c.failure.reset();
}

/// A stopped child of a template, or a temporary one, is over.
void supervisor::drop_if_done(child_record& c) {
  if (c.is_temporary() || is_simple()) children_.remove(c);
}

/// The template with what this child has of its own.
child_spec supervisor::spec_of(const child_record& c) const {
  child_spec spec = *c.spec;
  spec.id = c.id;
  for (const auto& [key, member] : c.extra.as_map())
    spec.options.set(key, member);
  return spec;
}

std::string supervisor::path_of(const context& ctx, const child_record& c) const {
  return path_of(ctx, c.id);
}

std::string supervisor::path_of(const context& ctx, const std::string& id) const {
  const auto& above = options_.below ? *options_.below : ctx.path();
  return above.empty() ? id : above + "/" + id;
}

value supervisor::inspect() const {
  value v = value::map{};
  v.set("strategy", to_string(options_.spec.strategy));
  v.set("children", static_cast<std::int64_t>(children_.size()));
  v.set("restarts", static_cast<std::int64_t>(restarts_.size()));
  v.set("intensity", options_.spec.intensity);
  v.set("waiting", static_cast<std::int64_t>(requests_.size()));
  return v;
}

}  // namespace troupe
