// SPDX-License-Identifier: Apache-2.0
#include "actors/directory/directory.hpp"

#include <algorithm>
#include <utility>

#include "actors/directory/api.hpp"
#include "agent/answers.hpp"
#include "agent/control.hpp"
#include "base/msgpack.hpp"
#include "base/nearest.hpp"

namespace troupe {

namespace {

namespace api = directory_api;

result<void> denied(const envelope& e, std::string_view kind, const std::string& name) {
  return not_granted(e.sender->path, std::string(kind) + " " + name);
}

/// Fails with denied unless the sender is granted `kind` of the group or topic.
result<void> check_grant(const envelope& e, std::string_view kind, const std::string& name) {
  if (!e.sender || e.sender->grants.allows(kind, name)) return ok();
  return denied(e, kind, name);
}

}  // namespace

progress directory::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::start:
      answer(ctx, e->cause, nullptr);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    case kind::call: {
      const auto said = serve(ctx, *e);
      if (said)
        answer(ctx, e->cause, *said);
      else
        refuse(ctx, e->cause, said.error());
      break;
    }
    case kind::send:  // join and leave need no answer
      if (auto said = serve(ctx, *e); !said)
        ctx.log(log_level::warning, "a message was refused",
                {{"verb", e->verb}, {"reason", said.error().describe()}});
      break;
    case kind::down:
      if (auto watched = watched_.extract(e->id)) {
        auto member = memberships_.extract(watched.mapped());
        for (const auto& name : member.mapped().groups)
          remove(member.key(), name);
        topics_.forget(member.key());
      }
      break;
    default:
      break;
  }
  return progress::idle;
}

result<value> directory::serve(context& ctx, const envelope& e) {
  if (std::find(api::verbs.begin(), api::verbs.end(), e.verb) == api::verbs.end())
    return error(errc::unknown_verb, unknown_name("verb", e.verb, api::verbs));
  if (e.verb == api::publish || e.verb == api::subscribe || e.verb == api::unsubscribe) {
    TROUPE_TRY(args, arguments(e, e.verb == api::publish ? 1000 : 2));
    return serve_topic(ctx, e, args);
  }
  TROUPE_TRY(args, arguments(e, 1));
  if (e.verb == api::groups) {
    value list = value::map{};
    for (const auto& [name, members] : groups_)
      if (check_grant(e, "call", name)) list.set(name, static_cast<std::int64_t>(members.size()));
    return list;
  }
  const std::string name(args.empty() ? std::string_view() : args.front().as_string());
  if (name.empty() || name.size() > api::longest_name)
    return error(errc::bad_argument, e.verb + ": expected a group's name of 1 to " +
                                         std::to_string(api::longest_name) + " characters");
  if (e.verb == api::leave) return value(leave(ctx, e.from, name));
  if (e.verb == api::join) {
    TROUPE_CHECK(check_grant(e, "topics", name));
    return join(ctx, e.from, name);
  }
  TROUPE_CHECK(check_grant(e, "call", name));
  const auto at = groups_.find(name);
  value list = value::array{};
  if (at != groups_.end())
    for (const auto& member : at->second)
      list.push(to_value(member));
  return list;
}

result<value> directory::join(context& ctx, const address& who, const std::string& name) {
  auto& member = memberships_[who];
  if (member.groups.size() >= api::most_groups && !member.groups.contains(name)) {
    error e(errc::limit, "an agent is in at most " + std::to_string(api::most_groups) + " groups");
    e.data = value::map{};
    e.data.set("what", "groups");
    return e;
  }
  if (!member.groups.insert(name).second) return value(false);
  groups_[name].push_back(who);
  watch(ctx, who);
  return value(true);
}

void directory::watch(context& ctx, const address& who) {
  auto& member = memberships_[who];
  if (member.watch != 0) return;
  member.watch = ++last_watch_;
  watched_[member.watch] = who;
  ctx.monitor(member.watch, who);
}

void directory::forget_if_idle(context& ctx, const address& who) {
  const auto at = memberships_.find(who);
  if (at == memberships_.end() || !at->second.groups.empty() || topics_.count_of(who) > 0) return;
  ctx.demonitor(at->second.watch);
  watched_.erase(at->second.watch);
  memberships_.erase(at);
}

// -- topics

result<value> directory::serve_topic(context& ctx, const envelope& e, const value::array& args) {
  const std::string name(args.empty() ? std::string_view() : args.front().as_string());
  if (name.empty() || name.size() > api::longest_name)
    return error(errc::bad_argument, e.verb + ": expected a topic's name of 1 to " +
                                         std::to_string(api::longest_name) + " characters");
  if (e.verb == api::publish) {
    if (is_pattern(name))
      return error(errc::bad_argument, "publish: a topic's name has no `*` and `?`: " + name);
    TROUPE_CHECK(check_grant(e, "topics", name));
    std::int64_t reached = 0;
    for (const auto& to : topics_.subscribers(name)) {
      value::array message{to.verb};
      message.insert(message.end(), args.begin(), args.end());
      TROUPE_TRY(body, pack(value(std::move(message))));
      ctx.send(e.cause, to.who, topic_verb, std::move(body));
      ++reached;
    }
    return value(reached);
  }
  const std::string verb(args.size() > 1 ? args[1].as_string() : std::string_view());
  if (e.verb == api::unsubscribe) {
    const bool was_there = topics_.remove(e.from, name, verb);
    forget_if_idle(ctx, e.from);
    return value(was_there);
  }
  if (verb.empty() || verb.front() == '@')
    return error(errc::bad_argument, "subscribe: expected the name of a verb");
  // Not by what the pattern looks like: all that it matches has to be granted.
  TROUPE_TRY(wanted, grants::from(value::map{{"topics", value::array{name}}}));
  if (e.sender && !e.sender->grants.covers(wanted)) TROUPE_CHECK(denied(e, "topics", name));
  if (topics_.count_of(e.from) >= api::most_subscriptions) {
    error why(errc::limit,
              "an agent has at most " + std::to_string(api::most_subscriptions) + " subscriptions");
    why.data.set("what", "subscriptions");
    return why;
  }
  if (!topics_.add(e.from, name, verb)) return value(false);
  watch(ctx, e.from);
  return value(true);
}

bool directory::leave(context& ctx, const address& who, const std::string& name) {
  const auto at = memberships_.find(who);
  if (at == memberships_.end() || at->second.groups.erase(name) == 0) return false;
  remove(who, name);
  forget_if_idle(ctx, who);
  return true;
}

void directory::remove(const address& who, const std::string& name) {
  const auto at = groups_.find(name);
  std::erase(at->second, who);
  if (at->second.empty()) groups_.erase(at);
}

value directory::inspect() const {
  value v = value::map{};
  v.set("groups", static_cast<std::int64_t>(groups_.size()));
  v.set("members", static_cast<std::int64_t>(memberships_.size()));
  v.set("subscriptions", static_cast<std::int64_t>(topics_.size()));
  return v;
}

}  // namespace troupe
