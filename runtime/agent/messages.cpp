// SPDX-License-Identifier: Apache-2.0
//
// What a behaviour asks of its process: calls and answers, causes, links, monitors, timers, names.
#include <algorithm>

#include "agent/bounce.hpp"
#include "agent/launcher.hpp"
#include "agent/part_limit.hpp"
#include "agent/process.hpp"
#include "base/msgpack.hpp"

namespace troupe {

namespace {

/// Low bits of a cause: where it lies in open_.
constexpr int index_bits = 24;
constexpr std::uint64_t index_mask = (std::uint64_t{1} << index_bits) - 1;
/// Up to so many open messages looking at each is faster than a table.
constexpr std::uint32_t few = 8;

std::string_view parent_path(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

}  // namespace

// -- messages that are served ---------------------------------------------------------------------

/// Of open_calls_.
std::uint64_t process::key_of(const address& caller, call_id id) {
  return (caller.agent ^ (id * 0x9e3779b97f4a7c15u)) | 1;
}

process::open_message& process::open(const envelope& e, bool takes_slot) {
  std::uint32_t index;
  if (free_open_.empty()) {
    index = static_cast<std::uint32_t>(open_.size());
    open_.emplace_back();
  } else {
    index = free_open_.back();
    free_open_.pop_back();
  }
  auto& m = open_[index];
  m.cause = (++last_cause_ << index_bits) | index;
  m.is_call = e.kind == kind::call || e.kind == kind::start;
  m.takes_slot = takes_slot;
  m.kind = e.kind;
  m.verb = label(e.verb);
  m.credit = e.credit;
  m.from = e.from;
  m.id = e.id;
  m.deadline = e.deadline;
  m.callers = e.chain;
  m.trace = e.trace;
  if (takes_slot) ++slots_used_;
  if (m.is_call && overlap_.slots > few) open_calls_.put(key_of(m.from, m.id), index);
  return m;
}

process::open_message* process::find_open(cause_id id) {
  const auto index = id & index_mask;
  if (id == no_cause || index >= open_.size() || open_[index].cause != id) return nullptr;
  return &open_[index];
}

process::open_message* process::find_open_call(const address& caller, call_id id) {
  const auto is_it = [&](const open_message& m) {
    return m.is_call && m.id == id && m.cause != no_cause && m.from == caller;
  };
  if (overlap_.slots > few) {
    const auto* index = open_calls_.find(key_of(caller, id));
    if (index == nullptr) return nullptr;
    if (is_it(open_[*index])) return &open_[*index];
  }
  const auto found = std::find_if(open_.begin(), open_.end(), is_it);
  return found != open_.end() ? &*found : nullptr;
}

void process::close(open_message& m) {
  const auto index = static_cast<std::uint32_t>(m.cause & index_mask);
  if (m.calls > 0) drop_calls_of(m.cause);
  if (m.is_call && overlap_.slots > few) open_calls_.erase(key_of(m.from, m.id));
  m.cause = no_cause;
  m.is_call = m.answered = m.takes_slot = m.served = m.cancelled = false;
  m.control = asks::nothing;
  m.calls = 0;
  m.callers.reset();
  m.extended.reset();
  free_open_.push_back(index);
}

void process::done(cause_id on) {
  auto* m = find_open(on);
  if (m == nullptr || m->served) return;
  m->served = true;
  if (m->takes_slot) --slots_used_;
  if (!m->is_call || m->answered || m->cancelled) close(*m);
}

void process::answer(open_message& m, kind k, bytes body) {
  auto e = make(k, m.from, nullptr);
  e->id = m.id;
  e->trace = m.trace;
  e->body = std::move(body);
  if (traced_ != 0 && m.control == asks::nothing) trace(*e, true);
  carrier_.post(std::move(e));
}

void process::reply(cause_id on, bytes body) {
  auto* m = find_open(on);
  if (m == nullptr || !m->is_call || m->answered || m->cancelled) return;
  if (auto fit = fits(body); !fit) return fail(on, fit.error());
  m->answered = true;
  if (m->control != asks::nothing) return answer_control(*m, std::move(body));
  const bool starts = phase_ == phase::starting;
  const bool ignored = starts && unpack(body.view()) && *unpack(body.view()) == value("ignore");
  if (starts) ready();
  answer(*m, kind::reply, std::move(body));
  if (ignored) exit({errc::normal, "there is nothing to do"});
  if (m->served) close(*m);
}

void process::fail(cause_id on, const error& why) {
  auto* m = find_open(on);
  if (m == nullptr || !m->is_call || m->answered || m->cancelled) return;
  m->answered = true;
  error said = why;
  if (said.from.empty()) said.from = init_.path;
  answer(*m, kind::error, pack_error(said));
  if (phase_ == phase::starting && m->control == asks::nothing) exit(said);
  if (m->served) close(*m);
}

result<void> process::part(cause_id on, bytes body) {
  if (body.size() > max_part)
    return {errc::too_big,
            "a part holds at most 64 KiB, this one has " + std::to_string(body.size()) + " bytes"};
  auto* m = find_open(on);
  if (m == nullptr || !m->is_call || m->answered)
    return {errc::not_found, "there is no open call to send a part to"};
  if (m->cancelled) return {errc::cancelled, "the caller has taken the call back"};
  if (m->credit == 0) return {errc::no_credit, "the reader has not asked for more parts yet"};
  --m->credit;
  answer(*m, kind::part, std::move(body));
  return ok();
}

/// The caller is gone, or this agent stops: its waits are over.
void process::cancel_open(open_message& m) {
  if (m.cancelled) return;
  m.cancelled = true;
  if (m.served) return close(m);
  auto e = std::make_unique<envelope>();
  e->kind = kind::cancel;
  e->from = m.from;
  e->to = self_;
  e->id = m.id;
  e->cause = m.cause;
  urgent_.push(std::move(e));
  drop_calls_of(m.cause);
}

/// Takes back all calls made under a cause; the behaviour sees them fail.
void process::drop_calls_of(cause_id cause) {
  auto* m = find_open(cause);
  if (m == nullptr || m->calls == 0) return;
  std::vector<std::uint64_t> ids;
  calls_.for_each([&](std::uint64_t id, const open_call& call) {
    if (call.cause == cause) ids.push_back(id);
  });
  for (auto id : ids) {
    take_back(id, *calls_.find(id));
    forget_call(id);
    fail_locally(id, {errc::cancelled, "the call it was made for was taken back"});
  }
}

// -- calls ----------------------------------------------------------------------------------------

envelope_ptr process::make(kind k, const address& to, open_message* under) {
  auto e = std::make_unique<envelope>();
  e->kind = k;
  e->from = self_;
  e->to = to;
  e->sender = init_.rights;
  if (under == nullptr) return e;
  e->trace = under->trace;
  // Only who waits belongs to a chain: nobody waits for a send, nor for what is done about one.
  if (k == kind::send || !under->is_call) return e;
  if (!under->extended) {
    auto link = std::make_shared<chain_link>();
    link->caller = under->from;
    link->outer = under->callers;
    link->length = under->callers ? under->callers->length + 1 : 1;
    under->extended = std::move(link);
  }
  e->chain = under->extended;
  return e;
}

result<void> process::may_find(std::string_view name, std::string_view verb) const {
  const auto& rights = init_.rights;
  if (!rights || rights->grants.allows("call", name)) return ok();
  if (!verb.empty() && rights->grants.allows("call", std::string(name) + "." + std::string(verb)))
    return ok();
  const std::string_view own = init_.path;
  const auto parent = parent_path(own);
  const bool below = name.size() > own.size() && name.starts_with(own) && name[own.size()] == '/';
  // Services check the authority of each message themselves.
  constexpr std::string_view services[] = {"directory", "observer", "store", "tool", "llm"};
  if (below || name == own || name == parent || parent_path(name) == parent ||
      std::find(std::begin(services), std::end(services), name) != std::end(services))
    return ok();
  return not_granted(init_.path,
                     "call " + std::string(name) + (verb.empty() ? "" : "." + std::string(verb)));
}

result<address> process::resolve(const target& to, std::string_view verb) const {
  if (const auto* a = std::get_if<address>(&to)) return *a;
  std::string_view name = std::get<std::string>(to);
  if (name.size() > longest_path)
    return error(errc::no_such_agent,
                 "no agent has so long a name: " + std::string(name.substr(0, 60)) + "...");
  std::string full;
  if (name.starts_with("./")) {
    const auto parent = parent_path(init_.path);
    full = parent.empty() ? std::string(name.substr(2))
                          : std::string(parent) + std::string(name.substr(1));
    name = full;
  }
  if (name.find('@') != std::string_view::npos)
    return error(errc::peer_lost, "no other node is connected: " + std::string(name));
  TROUPE_CHECK(may_find(name, verb));
  const auto a = carrier_.lookup(name);
  if (!a && carrier_.was_held(name)) return error(errc::down, std::string(name) + " has ended");
  if (!a) return error(errc::no_such_agent, "no agent is called " + std::string(name));
  return a;
}

void process::fail_locally(call_id id, const error& why) {
  auto e = std::make_unique<envelope>();
  e->kind = kind::error;
  e->from = e->to = self_;
  e->id = id;
  e->body = pack_error(why);
  urgent_.push(std::move(e));
}

result<void> process::fits(const bytes& body) const {
  if (body.size() <= init_.bodies.size) return ok();
  return body_too_big(body.size(), init_.bodies.size);
}

void process::send(cause_id on, const target& to, std::string_view verb, bytes args) {
  auto where = resolve(to, verb);
  if (auto fit = fits(args); where && !fit) where = fit.error();
  auto* under = find_open(on);
  auto e = make(kind::send, where ? *where : address{}, under);
  e->verb = verb;
  if (!where) return bounce(carrier_, std::move(e), where.error());
  e->body = std::move(args);
  if (traced_ != 0) trace(*e, true);
  carrier_.post(std::move(e));
}

void process::call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
                   const call_options& options) {
  auto* under = find_open(on);
  if (on != no_cause && (under == nullptr || under->cancelled))
    return fail_locally(id, {errc::cancelled, "the call it was made for is over"});
  auto where = resolve(to, verb);
  if (!where) return fail_locally(id, where.error());
  if (auto fit = fits(args); !fit) return fail_locally(id, fit.error());
  auto e = make(verb == start_verb ? kind::start : kind::call, *where, under);
  if (e->chain && e->chain->length >= max_chain_length) {
    error why(errc::limit, "a chain of calls is at most 64 long");
    why.data.set("what", "chain");
    return fail_locally(id, why);
  }
  open_call record;
  record.callee = *where;
  record.cause = on;
  record.deadline = add(now_, options.timeout);
  record.is_own = (id & first_own_call) != 0;
  record.verb = label(verb);
  // A call made while serving one ends no later than that one. The start of a child is its own
  // affair.
  if (under != nullptr && e->kind == kind::call)
    record.deadline = std::min(record.deadline, under->deadline);
  if (under != nullptr) ++under->calls;
  e->id = id;
  e->deadline = record.deadline;
  e->credit = options.credit;
  e->verb = verb;
  e->body = std::move(args);
  if (e->trace.span == 0) {
    e->trace.trace = {random_.next(), random_.next()};
  }
  e->trace.span = random_.next() | 1;
  watch(id, record);
  if (e->kind == kind::start && *where) started_.put(where->agent, *where);
  if (traced_ != 0) trace(*e, true);
  carrier_.post(std::move(e));
}

void process::watch(call_id id, const open_call& call) {
  if (call.deadline != never)
    deadlines_.push({call.deadline, id, false}, calls_.size() + timers_.size(),
                    [this](const deadlines::entry& x) { return is_live(x); });
  calls_.put(id, call);
}

void process::sleep(cause_id on, call_id id, duration delay) {
  auto* under = find_open(on);
  if (on != no_cause && (under == nullptr || under->cancelled))
    return fail_locally(id, {errc::cancelled, "the call it was made for is over"});
  if (under != nullptr) ++under->calls;
  open_call record;
  record.cause = on;
  record.deadline = add(now_, delay);
  record.is_sleep = true;
  watch(id, record);
}

/// Tells a callee that nobody waits for its answer any more.
void process::take_back(call_id id, const open_call& call) {
  if (call.is_sleep) return;
  auto e = make(kind::cancel, call.callee, nullptr);
  e->id = id;
  carrier_.post(std::move(e));
}

bool process::is_live(const deadlines::entry& e) {
  if (e.is_timer) {
    const auto* at = timers_.find(e.id);
    return at != nullptr && *at == e.at;
  }
  const auto* call = calls_.find(e.id);
  return call != nullptr && call->deadline == e.at;
}

bool process::forget_call(call_id id) {
  const auto* call = calls_.find(id);
  if (call == nullptr) return false;
  if (auto* m = find_open(call->cause)) --m->calls;
  return calls_.erase(id);
}

void process::cancel(call_id id) {
  if (const auto* call = calls_.find(id)) {
    take_back(id, *call);
    forget_call(id);
  }
  // What of its answer waits here already will not come any more either.
  const auto belongs = [&](const envelope& e) {
    return e.id == id && (e.kind == kind::part || e.kind == kind::reply || e.kind == kind::error);
  };
  while (urgent_.take_if(belongs)) {
  }
}

void process::grant(call_id id, std::uint32_t parts) {
  const auto* call = calls_.find(id);
  if (call == nullptr) return;
  auto e = make(kind::credit, call->callee, nullptr);
  e->id = id;
  e->credit = parts;
  carrier_.post(std::move(e));
}

bool process::overlaps(std::string_view verb) const {
  const auto& verbs = overlap_.overlapping;
  return !verbs.empty() && !verb.empty() &&
         std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
}

bool process::has_free_slot(std::string_view verb) const {
  if (phase_ == phase::starting) return false;
  return slots_used_ < overlap_.slots || overlaps(verb);
}

/// `deadlock: a -> b -> a`'s second half if this agent is among the callers; empty otherwise.
std::string process::deadlock_path(const envelope& e) const {
  std::string path = init_.path;
  path = name_of(e.from) + " -> " + init_.path;
  if (e.from == self_) return path;
  for (const auto* link = e.chain.get(); link != nullptr; link = link->outer.get()) {
    path.insert(0, name_of(link->caller) + " -> ");
    if (link->caller == self_) return path;
  }
  return {};
}

// -- agents ---------------------------------------------------------------------------------------

result<void> process::ensure_children() {
  if (children_) return ok();
  if (init_.makes_children == nullptr)
    return {errc::unsupported, init_.path + " can't spawn agents here"};
  TROUPE_TRY(init, init_.makes_children->implicit_supervisor(
                       {init_.path, self_, init_.rights, init_.base_folder}));
  TROUPE_TRY(made, carrier_.start(std::move(init)));
  children_ = made;
  // It ends with this agent, and this agent with it: that is how its escalation arrives.
  links_.push_back(children_);
  carrier_.post(make(kind::link, children_, nullptr));
  call(no_cause, first_own_call | ++last_own_id_, children_, start_verb, {}, {});
  return ok();
}

void process::spawn(cause_id on, call_id id, const value& spec) {
  if (init_.rights && init_.rights->grants.spawn_limit() == 0)
    return fail_locally(id, not_granted(init_.path, "spawn"));
  if (auto made = ensure_children(); !made) return fail_locally(id, made.error());
  auto args = pack(value::array{spec}, init_.bodies);
  if (!args) return fail_locally(id, args.error());
  call(on, id, children_, "start_child", std::move(*args), {.timeout = std::chrono::seconds(60)});
}

void process::find(call_id id, std::string_view name) {
  auto where = resolve(std::string(name));
  if (!where) return fail_locally(id, where.error());
  auto e = make(kind::reply, self_, nullptr);
  e->id = id;
  e->body = *pack(to_value(*where));
  urgent_.push(std::move(e));
}

void process::bind(call_id id, std::string_view name) {
  if (name.empty() || name.find_first_of("/@.") != std::string_view::npos)
    return fail_locally(
        id, {errc::bad_argument, "a registered name has no `/`, `@` or `.`: " + std::string(name)});
  if (name.size() > longest_name)
    return fail_locally(id, {errc::bad_argument, "a registered name has at most " +
                                                     std::to_string(longest_name) + " bytes"});
  const bool is_own = carrier_.lookup(name) == self_;
  if (!is_own && names_ >= most_names) {
    error why(errc::limit, init_.path + " has " + std::to_string(most_names) + " names already");
    why.data.set("what", "names");
    return fail_locally(id, why);
  }
  if (!is_own) {
    if (!carrier_.bind(name, self_, false))
      return fail_locally(id, {errc::exists, "the name " + std::string(name) + " is taken"});
    ++names_;
  }
  auto e = make(kind::reply, self_, nullptr);
  e->id = id;
  e->body = *pack(nullptr);
  urgent_.push(std::move(e));
}

void process::exit(error reason) {
  if (!exit_) exit_ = std::move(reason);
}

void process::exit(const target& whom, error reason) {
  auto where = resolve(whom);
  if (!where) return;
  auto e = make(kind::exit_signal, *where, nullptr);
  e->body = pack_error(reason);
  carrier_.post(std::move(e));
}

/// What it asks the runtime to keep for it, and that nothing else bounds.
bool process::may_hold(std::size_t held, std::size_t most, std::string_view what) {
  if (held < most) return true;
  error why(errc::limit,
            init_.path + " holds more than " + std::to_string(most) + " " + std::string(what));
  why.data.set("what", what);
  exit(std::move(why));
  return false;
}

void process::monitor(monitor_id id, const target& whom) {
  if (!may_hold(monitors_.size(), most_monitors, "monitors")) return;
  auto where = resolve(whom);
  monitors_.put(id, where ? *where : address{});
  auto e = make(kind::monitor, where ? *where : address{}, nullptr);
  e->id = id;
  if (!where) return bounce(carrier_, std::move(e), where.error());
  carrier_.post(std::move(e));
}

void process::demonitor(monitor_id id) {
  const auto* whom = monitors_.find(id);
  if (whom == nullptr) {  // it is over; its `down` may still wait in the queue
    const auto is_down = [&](const envelope& e) { return e.kind == kind::down && e.id == id; };
    if (!mail_.take_if(is_down)) urgent_.take_if(is_down);
    return;
  }
  auto e = make(kind::demonitor, *whom, nullptr);
  e->id = id;
  monitors_.erase(id);
  carrier_.post(std::move(e));
}

void process::link(const target& whom) {
  auto where = resolve(whom);
  const address other = where ? *where : address{};
  if (std::find(links_.begin(), links_.end(), other) != links_.end() || other == self_) return;
  if (!may_hold(links_.size(), most_links, "links")) return;
  links_.push_back(other);
  auto e = make(kind::link, other, nullptr);
  if (!where) return bounce(carrier_, std::move(e), where.error());
  carrier_.post(std::move(e));
}

void process::unlink(const target& whom) {
  auto where = resolve(whom);
  if (!where || std::erase(links_, *where) == 0) return;
  carrier_.post(make(kind::unlink, *where, nullptr));
}

// -- time
// -------------------------------------------------------------------------------------------

void process::set_timer(timer_id id, duration delay) {
  if (!may_hold(timers_.size(), most_timers, "timers")) return;
  const auto at = add(now_, delay);
  drop_tick(id);
  timers_.put(id, at);
  deadlines_.push({at, id, true}, calls_.size() + timers_.size(),
                  [this](const deadlines::entry& x) { return is_live(x); });
}

void process::cancel_timer(timer_id id) {
  if (!timers_.erase(id)) drop_tick(id);
}

void process::drop_tick(timer_id id) {
  if (!ticks_.erase(id)) return;
  const auto is_it = [&](const envelope& e) { return e.kind == kind::timer && e.id == id; };
  if (!mail_.take_if(is_it)) urgent_.take_if(is_it);
}

}  // namespace troupe
