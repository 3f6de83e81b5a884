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
    return {errc::restarting, "child " + c.spec.id + " is being restarted"};
  error e(errc::running, "child " + c.spec.id + " runs already");
  e.data = value::map{};
  e.data.set("address", to_value(c.at));
  return e;
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
  if (!e.sender || e.from == parent_) return ok();
  if (!options_.is_implicit && (e.sender->grants.allows("call", ctx.path()) ||
                                e.sender->grants.allows("call", ctx.path() + "." + e.verb)))
    return ok();
  return {errc::denied, e.sender->path + " needs call " + ctx.path() + "." + e.verb +
                            ", which its spec does not grant"};
}

void supervisor::serve(context& ctx, const envelope& e) {
  auto args = arguments(e, 1);
  if (!args) return refuse(ctx, e.cause, args.error());
  const auto given = args->empty() ? value() : args->front();
  if (e.verb == api::which_children) return answer(ctx, e.cause, which_children());
  if (e.verb == api::count_children) return answer(ctx, e.cause, count_children());
  if (e.verb == api::start_child) {
    if (auto begun = start_child(ctx, e, given); !begun) refuse(ctx, e.cause, begun.error());
    return;
  }
  auto* c = children_.find(given.as_string());
  if (!given.is_string())
    return refuse(
        ctx, e.cause,
        {errc::bad_argument, e.verb + ": expected an id, got " + std::string(given.type_name())});
  if (c == nullptr)
    return refuse(ctx, e.cause,
                  {errc::not_found, ctx.path() + " has no child " +
                                        std::string(utf8_prefix(given.as_string(), 100))});
  if (e.verb == api::get_childspec) return answer(ctx, e.cause, c->spec.to_value());
  if (e.verb == api::terminate_child) {
    current_ = operation{operation::goal::terminate, e.cause, c->key};
    current_->stops = {c->key};
    return;
  }
  const bool is_restart = e.verb == api::restart_child;
  auto done = is_restart ? restart_child(*c, e.cause) : delete_child(*c);
  if (!done) return refuse(ctx, e.cause, done.error());
  if (!is_restart) answer(ctx, e.cause, true);
}

result<void> supervisor::start_child(context& ctx, const envelope& e, value spec) {
  if (options_.is_implicit && spec.is_map()) {
    if (spec["id"].is_nil()) spec.set("id", free_id(spec["start"]));
    if (spec["restart"].is_nil()) spec.set("restart", to_string(restart_type::temporary));
  }
  TROUPE_TRY(read, child_spec::from(spec, options_.base_folder));
  if (const auto* known = children_.find(read.id)) {
    if (!is_stopped(*known)) return busy(*known);
    return {errc::exists, "child " + read.id + " is there already, but stopped"};
  }
  const auto& own = ctx.own_authority();
  const auto most = own ? own->grants.spawn_limit() : -1;
  if (options_.is_implicit && most >= 0 && children_.size() >= static_cast<std::uint64_t>(most))
    return {errc::denied, own->path + " needs spawn " + std::to_string(children_.size() + 1) +
                              ", which its spec does not grant"};
  // Asking for a child must not be a way to more than one has.
  auto rights = own;
  if (e.sender && !(e.from == parent_)) {
    authority cut = own ? *own : *e.sender;
    cut.grants = cut.grants.cut(e.sender->grants);
    rights = std::make_shared<authority>(std::move(cut));
  }
  auto& c = children_.add(std::move(read), std::move(rights));
  current_ = operation{operation::goal::start, e.cause, c.key};
  current_->starts = {c.key};
  return ok();
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
    list.push(api::to_value({c.spec.id, std::string(to_string(c.state)), c.at, c.is_supervisor()}));
  auto& newest_first = *list.get_if<value::array>();
  std::reverse(newest_first.begin(), newest_first.end());
  return list;
}

value supervisor::count_children() const {
  std::int64_t active = 0, supervisors = 0;
  for (const auto& [key, c] : children_) {
    if (c.at) ++active;
    if (c.is_supervisor()) ++supervisors;
  }
  const auto specs = static_cast<std::int64_t>(children_.size());
  value v = value::map{};
  v.set("specs", specs).set("active", active).set("supervisors", supervisors);
  v.set("workers", specs - supervisors);
  return v;
}

std::string supervisor::free_id(const value& start) const {
  const auto name = stem(start);
  for (auto n = children_.last_key() + 1;; ++n)
    if (auto id = name + "-" + std::to_string(n); children_.find(id) == nullptr) return id;
}

}  // namespace troupe
