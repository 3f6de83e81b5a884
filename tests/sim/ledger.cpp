// SPDX-License-Identifier: Apache-2.0
#include "sim/ledger.hpp"

#include <algorithm>
#include <utility>

#include "base/msgpack.hpp"

namespace troupe::test {

namespace {

// Order holds within each of them; see behaviour.hpp for what comes out of turn.
constexpr int in_turn = 0, beside = 1, out_of_turn = 2, answers = 3;

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

bool moves_children(std::string_view verb) {
  return verb == "restart_child" || verb == "start_child";
}

}  // namespace

std::string_view to_string(promise p) {
  constexpr std::string_view words[] = {
      "order",      "one end", "deadline", "credit", "slots", "known child", "start order",
      "stop order", "name",    "down",     "timer",  "stop",  "nothing left"};
  return words[static_cast<int>(p)];
}

ledger::record* ledger::find(const address& a) {
  const auto found = agents_.find(a.agent);
  return found != agents_.end() ? &found->second : nullptr;
}

void ledger::note(const char* what, const record* who, std::uint64_t a, std::uint64_t b,
                  std::string_view text) {
  ++length_;
  const auto mix = [&](std::uint64_t v) { hash_ = (hash_ ^ v) * 1099511628211u; };
  for (const char* c = what; *c != 0; ++c)
    mix(static_cast<unsigned char>(*c));
  mix(who != nullptr ? who->self.agent : 0);
  mix(a);
  mix(b);
  mix(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  for (const char c : text)
    mix(static_cast<unsigned char>(c));
  if (print) {
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
    print(std::to_string(ms.count()) + " " + (who != nullptr ? who->path : "-") + " " + what + " " +
          number(a) + " " + number(b) + " " + std::string(text));
  }
}

void ledger::breaks(promise what, std::string how) {
  if (print) print("BROKEN " + std::string(to_string(what)) + ": " + how);
  breaches_.push_back({what, std::move(how)});
}

void ledger::broken(promise what, std::string how) {
  const std::lock_guard lock(mutex_);
  breaks(what, std::move(how));
}

std::vector<breach> ledger::breaches() const {
  const std::lock_guard lock(mutex_);
  return breaches_;
}

std::uint64_t ledger::hash() const {
  const std::lock_guard lock(mutex_);
  return hash_;
}

std::uint64_t ledger::length() const {
  const std::lock_guard lock(mutex_);
  return length_;
}

std::string ledger::path_of(const address& a) const {
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(a.agent);
  return found != agents_.end() ? found->second.path : a.to_string();
}

std::vector<address> ledger::living() const {
  const std::lock_guard lock(mutex_);
  std::vector<const record*> some;
  for (const auto& [id, r] : agents_)
    if (!r.ended) some.push_back(&r);
  std::sort(some.begin(), some.end(), [](auto* a, auto* b) { return a->age < b->age; });
  std::vector<address> all;
  for (const auto* r : some)
    all.push_back(r->self);
  return all;
}

// -- what the carrier tells

void ledger::born(const address& a, const address& parent, const std::string& path) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[a.agent];
  r.self = a;
  r.parent = parent;
  r.path = path;
  r.age = ++births_;
  note("is born", &r, parent.agent);
}

void ledger::posted(envelope& e, instant now) {
  const std::lock_guard lock(mutex_);
  now_ = now;
  e.trace.span = ++posts_;
  auto* from = find(e.from);
  note("posts", from, e.to.agent, static_cast<std::uint64_t>(e.kind), e.verb);
  if (e.kind == kind::call || e.kind == kind::start) {
    calls_[{e.from.agent, e.id}] = {};
    if (auto* child = find(e.to); e.kind == kind::start && child != nullptr) {
      child->at = phase::starting;
      start_of_child(*child, e);
    }
  } else if (e.kind == kind::reply || e.kind == kind::error) {
    const auto call = calls_.find({e.to.agent, e.id});
    if (call == calls_.end())
      breaks(promise::one_end, "an answer to a call that nobody made: " + number(e.id));
    else if (std::exchange(call->second.over, true))
      breaks(promise::one_end, "call " + number(e.id) + " was answered twice, the second time by " +
                                   (from != nullptr ? from->path : e.from.to_string()));
  } else if (e.kind == kind::exit_signal && from != nullptr) {
    auto* child = find(e.to);
    if (child == nullptr || !(child->parent == from->self)) return;
    if (!e.linked) tells_to_end(*from, *child);
    from->told.insert(e.to.agent);
  }
}

void ledger::bound(std::string_view name, const address& holder, bool replace, bool done) {
  const std::lock_guard lock(mutex_);
  note("binds", find(holder), done, replace, name);
  if (!done) return;
  auto& holders = names_[std::string(name)];
  holders.insert(holder.agent);
  if (holders.size() > 1 && !replace)
    breaks(promise::name, std::string(name) + " has two living holders");
}

void ledger::ended(const address& a, const error& reason, const std::string& still_named) {
  const std::lock_guard lock(mutex_);
  auto* r = find(a);
  if (r == nullptr) return;
  note("ended", r, 0, 0, reason.describe());
  r->ended = true;
  // It may have answered, but its supervisor had given it up before it heard that: for it, this one
  // never ran.
  if (reason.is(errc::killed) && reason.message == "its start failed" && in_spec_.contains(r->path))
    positions_[r->path].keeps = true;
  if (!still_named.empty())
    breaks(promise::name, still_named + " still leads to one that ended: " + r->path);
  for (auto& [name, holders] : names_)
    holders.erase(a.agent);
  just_ended_.push_back(a);
}

void ledger::turn_is_over() {
  const std::lock_guard lock(mutex_);
  for (const auto& a : std::exchange(just_ended_, {})) {
    const auto& r = *find(a);
    for (const auto& [id, child] : agents_)
      if (!child.ended && child.parent == a && !r.told.contains(id) && child.at != phase::fresh)
        breaks(promise::known_child, r.path + " ended and did not tell its child " + child.path);
  }
}

// -- order of children

void ledger::knows(const std::string& path, const std::string& below, const supervisor_spec& tree) {
  strategies_[path] = tree.strategy;
  std::uint64_t position = 0;
  for (const auto& child : tree.children) {
    const auto at = below.empty() ? child.id : below + "/" + child.id;
    in_spec_[at] = ++position;
    const auto* nested = std::get_if<supervisor_spec>(&child.start);
    if (nested != nullptr && !child.pool) knows(at, at, *nested);
  }
}

void ledger::start_of_child(record& child, const envelope& e) {
  auto* parent = find(child.parent);
  const auto told = unpack(e.body.view());
  const bool is_first = !told || (*told)["first"] == value(true);
  auto& place = positions_[child.path];
  const bool boots = parent != nullptr && parent->at == phase::starting;
  if (const auto given = in_spec_.find(child.path); boots && given != in_spec_.end())
    place = {given->second, child.parent, true};
  else if (!(place.supervisor == child.parent) || (is_first && !place.keeps))
    place = {++last_position_, child.parent, false};
  child.position = place.number;
  if (parent == nullptr) return;
  bool is_known = child.path.ends_with("/~");  // the parent is linked to it
  for (const auto& [id, whom] : parent->monitors)
    is_known = is_known || whom == child.self;
  if (!is_known && !parent->ended)
    breaks(promise::known_child, parent->path + " starts " + child.path + " and does not watch it");
  if (child.path.ends_with("/~")) return;
  const auto how = strategies_.find(parent->path);
  const bool in_order = boots || (how != strategies_.end() && how->second != strategy::one_for_one);
  const bool by_hand = parent->is_moved_by_hand ||
                       std::any_of(parent->asked.begin(), parent->asked.end(),
                                   [](const auto& a) { return moves_children(a.second); });
  for (const auto& [id, other] : agents_) {
    if (other.ended || &other == &child || !(other.parent == child.parent)) continue;
    if (other.at == phase::starting && !other.path.ends_with("/~"))
      breaks(promise::start_order, child.path + " starts before " + other.path + " is ready");
    if (in_order && !by_hand && other.at == phase::running && other.position > child.position)
      breaks(promise::start_order,
             child.path + " starts while " + other.path + " runs, which comes after it");
  }
}

void ledger::tells_to_end(record& parent, record& child) {
  note("tells to end", &parent, child.self.agent);
  // One that is not ready yet is ended whenever its start fails: it was never there for others.
  if (parent.at != phase::stopping || child.ended || child.at != phase::running) return;
  if (parent.being_stopped != child.self.agent) {
    const auto before = agents_.find(parent.being_stopped);
    if (before != agents_.end() && !before->second.ended)
      breaks(promise::stop_order, parent.path + " stops " + child.path + " before " +
                                      before->second.path + " has ended");
  }
  parent.being_stopped = child.self.agent;
  for (const auto& [id, other] : agents_) {
    if (other.ended || !(other.parent == parent.self) || other.at != phase::running) continue;
    if (other.position > child.position && !parent.told.contains(id))
      breaks(promise::stop_order, parent.path + " stops " + child.path + " before " + other.path +
                                      ", which was started later");
  }
}

// -- what is seen between a behaviour and its context

void ledger::received(const address& self, const envelope& e, const concurrency& overlap,
                      instant now) {
  const std::lock_guard lock(mutex_);
  now_ = std::max(now_, now);
  auto& r = agents_[self.agent];
  r.self = self;
  note("gets", &r, static_cast<std::uint64_t>(e.kind), e.id, e.verb);
  note("from", find(e.from), e.trace.span, e.body.size(), e.body.view());
  const bool serves = e.kind == kind::send || e.kind == kind::call || e.kind == kind::down ||
                      e.kind == kind::exit || e.kind == kind::timer;
  const bool takes_turn = serves && e.cause != no_cause;
  const bool overlaps =
      takes_turn && std::find(overlap.overlapping.begin(), overlap.overlapping.end(), e.verb) !=
                        overlap.overlapping.end();
  if (e.trace.span != 0 && !in_node_ && e.kind != kind::event && e.kind != kind::start) {
    const int lane = takes_turn ? (overlaps ? beside : in_turn) : (serves ? out_of_turn : answers);
    auto& newest = r.heard[{e.from.agent, lane}];
    if (e.trace.span <= newest)
      breaks(promise::order, r.path + " got a " + std::string(to_string(e.kind)) + " of " +
                                 (find(e.from) ? find(e.from)->path : e.from.to_string()) +
                                 " after a later one");
    newest = std::max(newest, e.trace.span);
  }
  if (takes_turn && r.at == phase::stopping)
    breaks(promise::stop, r.path + " got a " + std::string(to_string(e.kind)) + " after its stop");
  if (takes_turn && !overlaps && overlap.slots != concurrency::unlimited) {
    r.slots[e.cause] = true;
    if (r.slots.size() > overlap.slots)
      breaks(promise::slots, r.path + " serves " + number(r.slots.size()) + " messages at once");
  }
  switch (e.kind) {
    case kind::start:
      r.at = phase::starting;
      r.start = e.cause;
      r.causes[e.cause] = e.deadline;
      break;
    case kind::stop:
      r.at = phase::stopping;
      break;
    case kind::call:
      if (e.deadline <= now && !in_node_)
        breaks(promise::deadline, r.path + " got " + e.verb + " past its deadline");
      r.causes[e.cause] = e.deadline;
      r.asked[e.cause] = e.verb;
      break;
    case kind::part: {
      const auto call = r.calls.find(e.id);
      if (call == r.calls.end())
        breaks(promise::one_end, r.path + " got a part of a call that is over");
      else if (call->second.credit-- == 0)
        breaks(promise::credit, r.path + " got more parts than it asked for");
      break;
    }
    case kind::reply:
    case kind::error: {
      const auto call = r.calls.find(e.id);
      if (call == r.calls.end()) {
        breaks(promise::one_end, r.path + " got an answer to a call that is over: " + number(e.id));
        break;
      }
      if (call->second.deadline < now && !in_node_)
        breaks(promise::deadline, r.path + "'s call " + number(e.id) + " ended past its deadline");
      r.calls.erase(call);
      break;
    }
    case kind::cancel:  // what it was asked for may happen all the same
      if (const auto verb = r.asked.find(e.cause); verb != r.asked.end())
        r.is_moved_by_hand = r.is_moved_by_hand || moves_children(verb->second);
      break;
    case kind::down:
      if (r.monitors.erase(e.id) == 0)
        breaks(promise::down, r.path + " heard of an end that it does not watch for, or again");
      break;
    case kind::timer: {
      const auto timer = r.timers.find(e.id);
      if (timer == r.timers.end())
        breaks(promise::timer, r.path + " got a tick of a timer that is not set");
      else if (timer->second > now)
        breaks(promise::timer, r.path + " got a tick early");
      r.timers.erase(e.id);
      break;
    }
    default:
      break;
  }
}

void ledger::called(const address& self, cause_id on, call_id id, duration timeout,
                    std::uint32_t credit, instant now) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("calls", &r, id, on);
  auto deadline = add(now, timeout);
  if (const auto under = r.causes.find(on); under != r.causes.end())
    deadline = std::min(deadline, under->second);
  if (!r.calls.emplace(id, open_call{deadline, credit}).second)
    breaks(promise::one_end, r.path + " uses the id of an open call again");
}

void ledger::took_back(const address& self, call_id id) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("takes back", &r, id);
  r.calls.erase(id);
}

void ledger::granted(const address& self, call_id id, std::uint32_t parts) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("grants", &r, id, parts);
  if (const auto call = r.calls.find(id); call != r.calls.end()) call->second.credit += parts;
}

void ledger::answered(const address& self, cause_id on, bool well, const bytes& body) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note(well ? "replies" : "fails", &r, on, body.size(), body.view());
  r.asked.erase(on);
  if (on != r.start || r.at != phase::starting) return;
  r.start = no_cause;
  if (!well) return;
  r.at = phase::running;
  const auto said = unpack(body.view());
  positions_[r.path].keeps = said && *said == value("ignore");
}

void ledger::done(const address& self, cause_id on) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("is done", &r, on);
  r.slots.erase(on);
}

void ledger::monitors(const address& self, monitor_id id, const target& whom) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  const auto* at = std::get_if<address>(&whom);
  note("monitors", &r, id, at != nullptr ? at->agent : 0);
  r.monitors[id] = at != nullptr ? *at : address{};
}

void ledger::demonitors(const address& self, monitor_id id) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("demonitors", &r, id);
  r.monitors.erase(id);
}

void ledger::set_timer(const address& self, timer_id id, instant due) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("sets timer", &r, id);
  r.timers[id] = due;
}

void ledger::cancelled_timer(const address& self, timer_id id) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("cancels timer", &r, id);
  r.timers.erase(id);
}

void ledger::gone(const address& self) {
  const std::lock_guard lock(mutex_);
  auto& r = agents_[self.agent];
  note("is gone", &r, 0);
  r.calls.clear();
  r.monitors.clear();
  r.timers.clear();
  r.slots.clear();
  r.causes.clear();
  r.asked.clear();
  r.heard.clear();
  if (in_node_) r.ended = true;
}

// -- checks at rest

void ledger::check_rest(instant now) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, r] : agents_) {
    if (r.ended) continue;
    for (const auto& [call, open] : r.calls)
      if (open.deadline <= now)
        breaks(promise::one_end, r.path + "'s call " + number(call) + " never ended");
    for (const auto& [monitor, whom] : r.monitors)
      if (const auto* other = find(whom); other != nullptr && other->ended)
        breaks(promise::down, r.path + " never heard that " + other->path + " ended");
    for (const auto& [timer, due] : r.timers)
      if (due < now) breaks(promise::timer, r.path + " never got the tick of its timer");
    if (!r.slots.empty())
      breaks(promise::nothing_left,
             r.path + " still serves " + number(r.slots.size()) + " messages");
    if (const auto* parent = find(r.parent); parent != nullptr && parent->ended)
      breaks(promise::known_child, r.path + " outlives its parent " + parent->path);
  }
}

void ledger::check_children(const address& supervisor, const std::vector<address>& known) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, r] : agents_) {
    if (r.ended || !(r.parent == supervisor) || r.path.ends_with("/~")) continue;
    if (std::find(known.begin(), known.end(), r.self) == known.end())
      breaks(promise::known_child, r.path + " runs and its supervisor does not know it");
  }
  for (const auto& a : known) {
    const auto* r = find(a);
    if (r == nullptr || r->ended)
      breaks(promise::known_child,
             "a supervisor lists a child that is not there: " + a.to_string());
  }
}

void ledger::check_that_nobody_lives(const std::vector<address>& but) {
  const std::lock_guard lock(mutex_);
  const auto stays = [&](const address& a) {
    return std::find(but.begin(), but.end(), a) != but.end();
  };
  for (const auto& [id, r] : agents_)
    if (!r.ended && !stays(r.self)) breaks(promise::nothing_left, r.path + " is left at the end");
  for (const auto& [name, holders] : names_)
    for (const auto id : holders)
      if (!stays(agents_.at(id).self))
        breaks(promise::nothing_left, "the name " + name + " is left at the end");
}

}  // namespace troupe::test
