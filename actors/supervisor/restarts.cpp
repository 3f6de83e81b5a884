// SPDX-License-Identifier: Apache-2.0
//
// What a supervisor does about a child that has ended: strategies, intensity, waits between
// attempts, significant children; and what is remembered and said of it.
#include <algorithm>
#include <utility>

#include "actors/supervisor/sentences.hpp"
#include "actors/supervisor/supervisor.hpp"

namespace troupe {

namespace {

bool should_restart(restart_type type, const error& reason) {
  return type == restart_type::permanent ||
         (type == restart_type::transient && !is_normal_exit(reason));
}

}  // namespace

/// A child has ended by itself, or is to be tried again.
void supervisor::heal(context& ctx, child_record& c) {
  if (c.retry_at) return begin_restart(c);
  if (c.state != child_state::running || !c.has_ended) return;
  const auto reason = *c.last_exit;
  forget_incarnation(c);
  if (should_restart(c.spec->restart, reason)) {
    c.fault = reason;
    return restart(ctx, c, true);
  }
  if (!is_normal_exit(reason) && !reason.is(errc::killed))
    starts_.report({runtime_event::what::given_up, {}, path_of(ctx, c), reason, {}});
  const bool ends_all = ends_the_supervisor(c);
  error why(errc::shutdown, "the significant child " + path_of(ctx, c) + " has ended");
  drop_if_done(c);
  if (!ends_all) return on_settled(ctx);
  why.cause = std::make_shared<error>(reason);
  leave(ctx, std::move(why));
}

bool supervisor::ends_the_supervisor(const child_record& c) const {
  if (!c.spec->significant || options_.spec.auto_shutdown == auto_shutdown::never) return false;
  if (options_.spec.auto_shutdown == auto_shutdown::any_significant) return true;
  return std::none_of(children_.begin(), children_.end(), [](const auto& entry) {
    return entry.second.spec->significant && entry.second.state != child_state::stopped;
  });
}

/// `c` is to come back: at once, after a wait, or never, if that is one restart too many.
/// `has_run`: it was ready before; otherwise it has failed to start.
void supervisor::restart(context& ctx, child_record& c, bool has_run) {
  if (!count_restart(ctx.now())) {
    const auto& spec = options_.spec;
    error reason(errc::shutdown, "more than " + std::to_string(spec.intensity) +
                                     (spec.intensity == 1 ? " restart in " : " restarts in ") +
                                     in_seconds(spec.period) + "; the last of " + path_of(ctx, c));
    reason.cause = std::make_shared<error>(*c.fault);
    report(ctx, log_level::error, "too many restarts", "shutdown", path_of(ctx, c), *c.fault,
           {{"intensity", spec.intensity}, {"period", to_seconds(spec.period)}});
    starts_.report({runtime_event::what::given_up, {}, path_of(ctx, c), *c.fault, {}});
    return leave(ctx, std::move(reason));
  }
  c.state = child_state::restarting;
  const auto wait = next_wait(ctx, c, has_run);
  if (has_run && wait == duration::zero()) return begin_restart(c);
  // Through its own queue: what others ask of it meanwhile comes first.
  c.retry_at = add(ctx.now(), wait);
  retries_.insert({*c.retry_at, c.key});
  ctx.set_timer(retry_timer, retries_.begin()->first - ctx.now());
  if (wait == duration::zero() || is_alone()) return;
  // Those who come back together with it do not go on without it.
  current_ = operation{operation::goal::heal, no_cause, c.key};
  current_->stops = live_from(first_of_team(c));
}

void supervisor::begin_restart(child_record& c) {
  c.retry_at.reset();
  operation op{operation::goal::heal, no_cause, c.key};
  if (is_alone()) {
    op.starts = {c.key};
  } else {
    const auto first = first_of_team(c);
    const auto keys = children_.keys(first);
    op.stops = live_from(first);
    op.starts.assign(keys.begin(), keys.end());
  }
  current_ = std::move(op);
}

void supervisor::take_due_retries(context& ctx) {
  while (!retries_.empty() && retries_.begin()->first <= ctx.now()) {
    const auto [at, key] = *retries_.begin();
    retries_.erase(retries_.begin());
    const auto* c = children_.find(key);
    if (c != nullptr && c->retry_at == at) requests_.push_back({nullptr, key});
  }
  if (!retries_.empty()) ctx.set_timer(retry_timer, retries_.begin()->first - ctx.now());
}

duration supervisor::next_wait(context& ctx, child_record& c, bool has_run) const {
  const auto& how = c.spec->backoff;
  if (how.most == duration::zero()) return duration::zero();
  if (has_run && c.exits.back().lived >= how.most) c.waited = duration::zero();
  if (c.waited == duration::zero())
    c.waited = how.least;
  else
    c.waited = c.waited > how.most / 2 ? how.most : c.waited * 2;
  const double chance = static_cast<double>(ctx.random() >> 11) * 0x1p-53;
  return seconds(to_seconds(c.waited) * (1 - how.jitter * chance));
}

/// Is a child restarted without its siblings?
bool supervisor::is_alone() const {
  return is_simple() || options_.spec.strategy == strategy::one_for_one;
}

/// The key from which on children are restarted together with `c`.
std::uint64_t supervisor::first_of_team(const child_record& c) const {
  return options_.spec.strategy == strategy::one_for_all ? 0 : c.key;
}

/// False if that is one too many.
bool supervisor::count_restart(instant now) {
  restarts_.push_back(now);
  while (now - restarts_.front() > options_.spec.period)
    restarts_.pop_front();
  return restarts_.size() <= options_.spec.intensity;
}

void supervisor::remember_exit(context& ctx, child_record& c) {
  constexpr std::size_t most_text = 500, most_traceback = 2000;
  error kept(c.last_exit->code, std::string(utf8_prefix(c.last_exit->message, most_text)));
  kept.from = c.last_exit->from;
  kept.traceback = utf8_prefix(c.last_exit->traceback, most_traceback);
  if (c.exits.size() == child_record::most_exits) c.exits.erase(c.exits.begin());
  c.exits.push_back({ctx.wall(), ctx.now() - c.began, std::move(kept)});
}

/// Writes what OTP writes as a supervisor report: in which phase, whose end, and why.
void supervisor::report(context& ctx, log_level level, std::string_view what, std::string_view when,
                        std::string_view child, const error& why, const value::map& more) const {
  value::map fields = {{"context", when}, {"child", child}, {"reason", in_one_line(why)}};
  if (!why.traceback.empty()) fields.emplace_back("traceback", why.traceback);
  fields.insert(fields.end(), more.begin(), more.end());
  ctx.log(level, what, std::move(fields));
}

}  // namespace troupe
