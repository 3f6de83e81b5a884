// SPDX-License-Identifier: Apache-2.0
//
// What a supervisor answers: api.hpp's verbs.
#include <algorithm>
#include <utility>

#include "actors/supervisor/api.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "agent/answers.hpp"
#include "base/nearest.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

namespace api = supervisor_api;

error busy(const child_record& c) {
  if (c.state == child_state::restarting)
    return {errc::restarting, "child " + c.id + " is being restarted"};
  error e(errc::running, "child " + c.id + " runs already");
  e.data = value::map{};
  e.data.set("address", to_value(c.at));
  return e;
}

api::child_info info_of(const child_record& c) {
  return {c.id, std::string(to_string(c.state)), c.at, c.is_supervisor()};
}

value exits_of(const child_record& c) {
  value list = value::array{};
  for (auto one = c.exits.rbegin(); one != c.exits.rend(); ++one) {
    value v = value::map{};
    v.set("at", to_seconds(one->at.time_since_epoch()))
        .set("lived", to_seconds(one->lived))
        .set("reason", to_value(one->reason));
    list.push(std::move(v));
  }
  return list;
}

bool is_stopped(const child_record& c) {
  return c.state == child_state::stopped;
}

/// The name of what a spec starts, as an id: the file without folder and ending, the plugin's kind.
std::string stem(const value& start) {
  std::string name(start.is_string() ? start.as_string() : start["kind"].as_string());
  name.erase(0, name.find_last_of('/') + 1);
  name.erase(std::min(name.find('.'), name.size()));
  std::erase_if(name, [](unsigned char c) { return c <= ' ' || c == '@' || c == '=' || c == '~'; });
  return name.empty() ? "agent" : std::string(utf8_prefix(name, 80));
}

}  // namespace

void supervisor::take_call(context& ctx, envelope_ptr e) {
  if (auto may = may_ask(ctx, *e); !may) return refuse(ctx, e->cause, may.error());
  const bool is_known =
      std::find(api::verbs.begin(), api::verbs.end(), e->verb) != api::verbs.end();
  if (!is_known)
    return refuse(ctx, e->cause, {errc::unknown_verb, unknown_name("verb", e->verb, api::verbs)});
  if (current_) {
    for (const auto* link = e->chain.get(); link != nullptr; link = link->outer.get())
      if (link->caller == ctx.self())
        return refuse(
            ctx, e->cause,
            {errc::deadlock, ctx.path() + " waits for the start that asks it to " + e->verb});
  }
  requests_.push_back({std::move(e)});
}

void supervisor::on_cancel(context& ctx, cause_id cause) {
  const auto at = std::find_if(requests_.begin(), requests_.end(),
                               [&](const request& r) { return r.call && r.call->cause == cause; });
  if (at == requests_.end()) return;  // it is going on: its start fails by that
  requests_.erase(at);
  ctx.done(cause);
}

result<void> supervisor::may_ask(const context& ctx, const envelope& e) const {
  if (!e.sender || e.from == parent_ || e.from == ctx.self()) return ok();
  if (!options_.is_implicit && (e.sender->grants.allows("call", ctx.path()) ||
                                e.sender->grants.allows("call", ctx.path() + "." + e.verb)))
    return ok();
  return not_granted(e.sender->path, "call " + ctx.path() + "." + e.verb);
}

void supervisor::serve(context& ctx, const envelope& e) {
  auto args = arguments(e, 1);
  if (!args) return refuse(ctx, e.cause, args.error());
  const auto given = args->empty() ? value() : args->front();
  const auto say = [&](const result<value>& said) {
    if (said) return answer(ctx, e.cause, *said);
    refuse(ctx, e.cause, said.error());
  };
  if (e.verb == api::which_children) return say(which_children());
  if (e.verb == api::count_children) return say(count_children());
  if (e.verb == api::upgrade) return say(upgrade(ctx, e, given));
  if (e.verb == api::reload) return say(reload(ctx, e));
  if (e.verb != api::start_child) return serve_for_child(ctx, e, given);
  if (auto begun = start_child(ctx, e, given); !begun) refuse(ctx, e.cause, begun.error());
}

/// What is asked about one child: by id or, where they have a template, by address as well.
void supervisor::serve_for_child(context& ctx, const envelope& e, const value& which) {
  const auto at = address_from(which);
  if (!which.is_string() && !(at && is_simple()))
    return refuse(
        ctx, e.cause,
        {errc::bad_argument, e.verb + ": expected an id" + (is_simple() ? " or address" : "") +
                                 ", got " + std::string(at ? "an address" : which.type_name())});
  auto* c = at ? children_.find(at) : children_.find(which.as_string());
  if (c == nullptr && is_simple() && which == value(template_->id))
    return refuse(ctx, e.cause,
                  {errc::bad_argument, e.verb + ": " + template_->id + " is the template of all " +
                                           "children; give the address of one"});
  if (c == nullptr && at && e.verb == api::terminate_child) return ask_if_alive(ctx, e.cause, at);
  if (c == nullptr)
    return refuse(ctx, e.cause,
                  {errc::not_found,
                   ctx.path() + " has no child " +
                       (at ? at.to_string() : std::string(utf8_prefix(which.as_string(), 100)))});
  if (e.verb == api::get_childspec) return answer(ctx, e.cause, spec_of(*c).to_value());
  if (e.verb == api::which_child) return answer(ctx, e.cause, which_child(*c));
  if (e.verb == api::terminate_child) {
    current_ = operation{operation::goal::terminate, e.cause, c->key};
    current_->stops = {c->key};
    return;
  }
  if (is_simple())
    return refuse(ctx, e.cause,
                  {errc::bad_argument, e.verb + ": a child of a simple_one_for_one supervisor is " +
                                           "forgotten when it stops; start another"});
  const bool is_restart = e.verb == api::restart_child;
  auto done = is_restart ? restart_child(*c, e.cause) : delete_child(*c);
  if (!done) return refuse(ctx, e.cause, done.error());
  if (!is_restart) answer(ctx, e.cause, true);
}

/// A child that has ended is as good as terminated; somebody else's agent is none of its children.
void supervisor::ask_if_alive(context& ctx, cause_id cause, const address& who) {
  const auto id = new_id();
  questions_[id] = {cause, who.to_string()};
  ctx.call(cause, id, who, inspect_verb, {});
}

void supervisor::on_answer_to_question(context& ctx, const question& q, const envelope& e) {
  const auto why = e.kind == kind::error ? std::optional(unpack_error(e.body)) : std::nullopt;
  if (q.cause != no_cause) {
    const bool is_dead = why && (why->is(errc::no_such_agent) || why->is(errc::down));
    if (is_dead) return answer(ctx, q.cause, true);
    return refuse(ctx, q.cause, {errc::not_found, ctx.path() + " has no child " + q.child});
  }
  if (why)
    report(ctx, log_level::error, "the specs of a supervisor were not changed", "upgrade", q.child,
           *why);
}

result<void> supervisor::start_child(context& ctx, const envelope& e, const value& given) {
  const auto& own = ctx.own_authority();
  // Asking for a child must not be a way to more than one has.
  auto rights = own;
  if (e.sender && !(e.from == parent_)) {
    authority cut = own ? *own : *e.sender;
    cut.grants = cut.grants.cut(e.sender->grants);
    rights = std::make_shared<authority>(std::move(cut));
  }
  std::shared_ptr<const child_spec> spec = template_;
  std::string id;
  if (is_simple()) {
    const bool is_table =
        given.is_nil() || given.is_map() || (given.is_array() && given.as_array().empty());
    if (!is_table)
      return {errc::bad_argument, e.verb + ": expected a table of options for the template, got " +
                                      std::string(given.type_name())};
  } else {
    TROUPE_TRY(read, new_spec(ctx, given));
    id = read.id;
    spec = std::make_shared<const child_spec>(std::move(read));
  }
  auto& c = children_.add(id, std::move(spec), std::move(rights));
  if (is_simple() && given.is_map()) c.extra = given;
  current_ = operation{operation::goal::start, e.cause, c.key};
  current_->starts = {c.key};
  return ok();
}

/// The spec of a child that is to be added, checked.
result<child_spec> supervisor::new_spec(context& ctx, value given) const {
  if (options_.is_implicit && given.is_map()) {
    if (given["id"].is_nil()) given.set("id", free_id(given["start"]));
    if (given["restart"].is_nil()) given.set("restart", to_string(restart_type::temporary));
  }
  TROUPE_TRY(read, child_spec::from(given, options_.base_folder));
  if (auto fits = check_child(read, options_.spec.auto_shutdown); !fits) {
    error why = fits.error();
    why.message = "child " + read.id + ": " + why.message;
    return why;
  }
  if (given["backoff"].is_nil()) read.backoff = options_.spec.backoff;
  if (const auto* known = children_.find(read.id)) {
    if (!is_stopped(*known)) return busy(*known);
    return error(errc::exists, "child " + read.id + " is there already, but stopped");
  }
  const auto& own = ctx.own_authority();
  const auto most = own ? own->grants.spawn_limit() : -1;
  if (options_.is_implicit && most >= 0 && children_.size() >= static_cast<std::uint64_t>(most))
    return not_granted(own->path, "spawn " + std::to_string(children_.size() + 1));
  return read;
}

result<void> supervisor::restart_child(child_record& c, cause_id cause) {
  if (!is_stopped(c)) return busy(c);
  current_ = operation{operation::goal::restart, cause, c.key};
  current_->starts = {c.key};
  return ok();
}

result<void> supervisor::delete_child(child_record& c) {
  if (!is_stopped(c)) return busy(c);
  children_.remove(c);
  return ok();
}

value supervisor::which_children() const {
  value list = value::array{};
  for (const auto& [key, c] : children_)
    list.push(api::to_value(info_of(c)));
  auto& newest_first = *list.get_if<value::array>();
  std::reverse(newest_first.begin(), newest_first.end());
  return list;
}

value supervisor::which_child(const child_record& c) const {
  auto v = api::to_value(info_of(c));
  v.set("exits", exits_of(c));
  return v;
}

value supervisor::count_children() const {
  std::int64_t active = 0, supervisors = 0;
  for (const auto& [key, c] : children_) {
    if (c.at) ++active;
    if (c.is_supervisor()) ++supervisors;
  }
  const auto all = static_cast<std::int64_t>(children_.size());
  value v = value::map{};
  v.set("specs", is_simple() ? 1 : all).set("active", active).set("supervisors", supervisors);
  v.set("workers", all - supervisors);
  return v;
}

std::string supervisor::free_id(const value& start) const {
  const auto name = stem(start);
  for (auto n = children_.last_key() + 1;; ++n)
    if (auto id = name + "-" + std::to_string(n); children_.find(id) == nullptr) return id;
}

}  // namespace troupe
