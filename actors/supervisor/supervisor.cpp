// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor/supervisor.hpp"

#include <cstdio>
#include <utility>

#include "agent/answers.hpp"

namespace troupe {

namespace {

/// Brings the supervisor back to children whose restart failed.
constexpr timer_id retry_timer = 1;

bool is_endless(const child_spec& spec) {
  return spec.pool.has_value();  // its members have their times; see child_spec.hpp
}

duration shutdown_of(const child_spec& spec) {
  return is_endless(spec) ? duration::max() : spec.shutdown;
}

bool should_restart(restart_type type, const error& reason) {
  return type == restart_type::permanent ||
         (type == restart_type::transient && !is_normal_exit(reason));
}

std::string in_seconds(duration d) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g s", to_seconds(d));
  return text;
}

/// What has failed for a child, said so that it names the child and the reason once.
error start_error(const child_record& c, const std::string& path, error why) {
  if (why.is(errc::down) && why.cause) why = error(*why.cause);
  // One that comes from the child itself is about somebody below it.
  if (why.is(errc::timeout) && why.from.empty())
    why.message = path + " did not start within " + in_seconds(c.spec.start_timeout);
  else if (!c.is_supervisor())
    why.message = path + " did not start: " + why.message;
  return why;
}

}  // namespace

supervisor::supervisor(supervisor_options options, launcher& makes, starter& starts)
    : options_(std::move(options)), makes_(makes), starts_(starts), last_id_(retry_timer) {}

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
  for (auto& spec : std::exchange(options_.spec.children, {})) {
    if (children_.find(spec.id) != nullptr)
      return ctx.fail(e.cause, {errc::config, "child " + spec.id + ": two children have this id"});
    op.starts.push_back(children_.add(std::move(spec), ctx.own_authority()).key);
  }
  current_ = std::move(op);
}

// -- what comes back from children

void supervisor::on_answer(context& ctx, const envelope& e) {
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
  const auto said = unpack(e.body.view());
  if (said && *said == value("ignore")) {
    c->is_ignored = true;
    return;
  }
  c->state = child_state::running;
  c->is_first = false;
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
  if (c->state == child_state::running) {
    c->since = ctx.now();
    on_gone(ctx, *c);
    requests_.push_back({nullptr, c->key});
  } else if (c->state == child_state::stopping) {
    ctx.cancel_timer(c->watch);
    const bool as_told =
        is_normal_exit(*c->last_exit) ||
        (shutdown_of(c->spec) == duration::zero() && c->last_exit->is(errc::killed));
    if (!as_told)
      ctx.log(log_level::warning, "a child did not end as it was told to",
              {{"child", path_of(ctx, *c)}, {"reason", c->last_exit->describe()}});
  }
}

void supervisor::on_timer(context& ctx, timer_id id) {
  if (id == retry_timer) {
    for (const auto& [key, c] : children_)
      if (c.retry_is_due) requests_.push_back({nullptr, key});
    return;
  }
  auto* c = children_.watched_by(id);
  if (c != nullptr && c->state == child_state::stopping)
    ctx.exit(c->at, error(errc::kill, "it did not stop in time"));
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
  auto& stops = current_->stops;
  auto* c = children_.find(stops.front());
  if (c == nullptr || !c->at || c->has_ended) {
    stops.pop_front();
    if (c == nullptr || !c->at) return true;
    forget_incarnation(*c);
    drop_if_temporary(*c);
    return true;
  }
  if (c->state == child_state::stopping) return false;
  const bool was_ready = std::exchange(c->state, child_state::stopping) == child_state::running;
  if (c->start_call != 0) ctx.cancel(c->start_call);
  children_.note(*c, c->watch, 0);
  const auto patience = shutdown_of(c->spec);
  if (patience == duration::zero()) {
    ctx.exit(c->at, error(errc::kill, "its supervisor stops it"));
  } else {
    ctx.exit(c->at, error(errc::shutdown, "its supervisor stops it"));
    if (patience != duration::max()) ctx.set_timer(c->watch, patience);
  }
  if (was_ready) on_gone(ctx, *c);
  return false;
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
  drop_if_temporary(*c);
  return true;
}

result<void> supervisor::launch(context& ctx, child_record& c) {
  c.retry_is_due = false;
  TROUPE_TRY(init, makes_.prepare(c.spec, {path_of(ctx, c), ctx.self(), c.rights}));
  value how = value::map{};
  how.set("first", c.is_first);
  if (c.last_exit) how.set("last_exit", to_value(*c.last_exit));
  TROUPE_TRY(body, pack(how));
  TROUPE_TRY(at, starts_.start(std::move(init)));
  c.at = at;
  c.state = child_state::starting;
  c.has_ended = c.is_ignored = false;
  children_.note(c, new_id(), new_id());
  ctx.monitor(c.watch, c.at);
  const auto timeout = is_endless(c.spec) ? duration::max() : c.spec.start_timeout;
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
      ctx.log(log_level::warning, "a restart failed",
              {{"child", path_of(ctx, c)}, {"reason", why.describe()}});
      if (!c.fault) c.since = ctx.now();
      c.fault = why;
      c.state = child_state::restarting;
      c.retry_is_due = true;
      // Through its own queue: what others ask of it meanwhile comes first.
      return ctx.set_timer(retry_timer, duration::zero());
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
      return answer(ctx, op.cause, c != nullptr && c->at ? to_value(c->at) : value());
    }
    case operation::goal::terminate:
      if (auto* c = children_.find(op.child)) {  // it may have waited for another attempt
        c->state = child_state::stopped;
        c->retry_is_due = false;
        c->fault.reset();
      }
      answer(ctx, op.cause, true);
      return on_settled(ctx);
    case operation::goal::heal:
      return;
    case operation::goal::leave:
      has_left_ = true;
      if (boot_cause_ != no_cause) ctx.fail(boot_cause_, op.reason);
      return ctx.exit(op.reason);
  }
}

/// A child has ended by itself, or its restart failed a moment ago.
void supervisor::heal(context& ctx, child_record& c) {
  if (c.state == child_state::running && c.has_ended) {
    const auto reason = *c.last_exit;
    const bool comes_back = should_restart(c.spec.restart, reason);
    forget_incarnation(c);
    if (comes_back) {
      c.fault = reason;
      return restart(ctx, c);
    }
    if (!is_normal_exit(reason) && !reason.is(errc::killed))
      starts_.report({runtime_event::what::given_up, {}, path_of(ctx, c), reason, {}});
    drop_if_temporary(c);
    return on_settled(ctx);
  }
  if (c.retry_is_due) restart(ctx, c);
}

void supervisor::restart(context& ctx, child_record& c) {
  if (!count_restart(ctx.now())) {
    const auto& spec = options_.spec;
    error reason(errc::shutdown, "more than " + std::to_string(spec.intensity) + " restarts in " +
                                     in_seconds(spec.period) + "; the last of " + path_of(ctx, c));
    if (c.fault) reason.cause = std::make_shared<error>(*c.fault);
    ctx.log(log_level::error, "too many restarts",
            {{"intensity", spec.intensity},
             {"period", to_seconds(spec.period)},
             {"child", path_of(ctx, c)},
             {"reason", c.fault ? c.fault->describe() : std::string()}});
    if (c.fault) starts_.report({runtime_event::what::given_up, {}, path_of(ctx, c), *c.fault, {}});
    return leave(ctx, std::move(reason));
  }
  c.state = child_state::restarting;
  operation op{operation::goal::heal, no_cause, c.key};
  switch (options_.spec.strategy) {
    case strategy::one_for_one:
      op.starts = {c.key};
      break;
    case strategy::rest_for_one:
    case strategy::one_for_all: {
      const auto first = options_.spec.strategy == strategy::one_for_all ? 0 : c.key;
      op.stops = live_from(first);
      const auto keys = children_.keys(first);
      op.starts.assign(keys.begin(), keys.end());
    }
  }
  current_ = std::move(op);
}

/// Stops all children, then ends. What else was going on or waiting is dropped: its callers hear
/// `down`.
void supervisor::leave(context& ctx, error reason) {
  requests_.clear();
  current_ = operation{operation::goal::leave};
  current_->stops = live_from(0);
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

void supervisor::drop_if_temporary(child_record& c) {
  if (c.spec.restart == restart_type::temporary) children_.remove(c);
}

/// False if that is one too many.
bool supervisor::count_restart(instant now) {
  restarts_.push_back(now);
  while (now - restarts_.front() > options_.spec.period)
    restarts_.pop_front();
  return restarts_.size() <= options_.spec.intensity;
}

std::string supervisor::path_of(const context& ctx, const child_record& c) const {
  const auto& above = options_.below ? *options_.below : ctx.path();
  return above.empty() ? c.spec.id : above + "/" + c.spec.id;
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
