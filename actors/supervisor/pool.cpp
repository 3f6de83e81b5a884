// SPDX-License-Identifier: Apache-2.0
#include "actors/supervisor/pool.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "actors/supervisor/api.hpp"
#include "agent/answers.hpp"

namespace troupe {

namespace {

child_spec member_of(const child_spec& spec) {
  child_spec member = spec;
  member.pool.reset();
  return member;
}

supervisor_options members_of(const child_spec& spec) {
  supervisor_options options;
  options.base_folder = spec.base_folder;
  options.is_pool = true;
  options.spec.intensity = spec.pool->intensity;
  options.spec.period = spec.pool->period;
  for (std::uint32_t n = 1; n <= spec.pool->size; ++n) {
    auto member = member_of(spec);
    member.id = std::to_string(n);
    options.spec.children.push_back(std::move(member));
  }
  return options;
}

/// What the pool answers itself.
bool is_own(std::string_view verb) {
  namespace api = supervisor_api;
  return verb == api::which_children || verb == api::which_child || verb == api::count_children;
}

std::uint32_t index_of(std::string_view id) {
  std::uint32_t number = 1;
  std::from_chars(id.data(), id.data() + id.size(), number);
  return number - 1;
}

/// FNV-1a: the same member for the same key, on every run.
std::uint64_t hash(std::string_view data) {
  std::uint64_t h = 0xcbf29ce484222325u;
  for (const unsigned char c : data)
    h = (h ^ c) * 0x100000001b3u;
  return h;
}

}  // namespace

pool::pool(const child_spec& spec, launcher& makes, starter& starts)
    : supervisor(members_of(spec), makes, starts),
      spec_(*spec.pool),
      member_(member_of(spec)),
      events_(starts),
      size_(spec_.size),
      members_(spec_.size),
      lines_(spec_.by_key ? spec_.size : 1) {}

progress pool::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::send:
      take(ctx, std::move(e));
      return progress::idle;
    case kind::call:
      if (e->verb == supervisor_api::resize_pool) {
        resize(ctx, *e);
        return progress::idle;
      }
      // What it asks of itself is for the supervisor that it is.
      if (is_own(e->verb) || e->from == ctx.self()) break;
      take(ctx, std::move(e));
      return progress::idle;
    case kind::part:
    case kind::reply:
    case kind::error:
      if (relay_answer(ctx, *e)) return progress::idle;
      break;
    case kind::credit:
      if (auto waits = in_line_.find(e->cause); waits != in_line_.end())
        (*waits->second.at)->credit += e->credit;
      else if (auto open = by_cause_.find(e->cause); open != by_cause_.end())
        ctx.grant(open->second, e->credit);
      return progress::idle;
    case kind::cancel:
      if (auto waits = in_line_.find(e->cause); waits != in_line_.end()) {
        take_out(waits->second.line, waits->second.at);
        ctx.done(e->cause);
        return progress::idle;
      }
      // One that is at a member ends there, and comes back as an error.
      if (by_cause_.contains(e->cause)) return progress::idle;
      break;
    default:
      break;
  }
  return supervisor::receive(ctx, std::move(e));
}

// -- what comes in

void pool::take(context& ctx, envelope_ptr e) {
  if (is_leaving_) return turn_away(ctx, *e, {errc::down, ctx.path() + " stops"});
  std::uint32_t index = 0;
  if (spec_.by_key) {
    auto picked = picked_by(*e);
    if (!picked) return turn_away(ctx, *e, picked.error());
    index = *picked;
    if (members_[index].is_free() && lines_[index].empty())
      return hand_over(ctx, std::move(e), index);
  } else if (lines_[0].empty() && take_free(index)) {
    return hand_over(ctx, std::move(e), index);
  }
  const std::uint32_t number = spec_.by_key ? index : 0;
  if (!can_ever_serve(number))
    return turn_away(ctx, *e, {errc::down, ctx.path() + " has no member left"});
  if (waiting_ >= spec_.queue)
    return turn_away(ctx, *e,
                     {errc::overloaded, ctx.path() + ": " + std::to_string(waiting_) +
                                            " messages wait for a member already"});
  ++waiting_;
  auto& line = lines_[number];
  const auto cause = e->cause;
  const bool is_call = e->kind == kind::call;
  line.push_back(std::move(e));
  if (is_call) in_line_[cause] = {number, std::prev(line.end())};
}

result<std::uint32_t> pool::picked_by(const envelope& e) const {
  TROUPE_TRY(args, unpack(e.body.view()));
  const auto& list = args.as_array();
  TROUPE_TRY(key, pack(list.empty() ? value() : list.front()));
  return static_cast<std::uint32_t>(hash(key.view()) % size_);
}

void pool::hand_over(context& ctx, envelope_ptr e, std::uint32_t to) {
  auto& m = members_[to];
  if (e->kind == kind::send) {
    ctx.send(e->cause, m.at, e->verb, std::move(e->body));
    return offer(to);  // nobody hears when a send is done, so it takes no member
  }
  ++m.open;
  const auto id = new_id();
  relays_[id] = {e->cause, to, m.at};
  by_cause_[e->cause] = id;
  ctx.call(e->cause, id, m.at, e->verb, std::move(e->body),
           {.timeout = duration::max(), .credit = e->credit});
}

/// To the caller instead of a member.
void pool::turn_away(context& ctx, const envelope& e, const error& why) {
  if (e.kind == kind::call) return refuse(ctx, e.cause, why);
  runtime_event lost{runtime_event::what::dead_letter, ctx.self(), ctx.path(), why};
  lost.reason.data = value::map{};
  lost.reason.data.set("verb", e.verb);
  events_.report(lost);
}

// -- what comes back

bool pool::relay_answer(context& ctx, const envelope& e) {
  if (hear_itself(ctx, e)) return true;
  if (auto probed = probes_.find(e.id); probed != probes_.end()) {
    const auto r = probed->second;
    probes_.erase(probed);
    auto& m = members_[r.member];
    if (e.kind == kind::reply && m.at == r.at) {
      m.is_suspect = false;
      serve_waiting(ctx, r.member);
    }
    return true;
  }
  const auto at = relays_.find(e.id);
  if (at == relays_.end()) return false;
  const auto r = at->second;
  if (e.kind == kind::part) {
    // It has the credit that the member had. If the caller is gone, a cancel is under way.
    if (auto sent = ctx.part(r.cause, e.body); !sent)
      ctx.log(log_level::debug, "a part was not taken", {{"reason", sent.error().describe()}});
    return true;
  }
  relays_.erase(at);
  by_cause_.erase(r.cause);
  auto& m = members_[r.member];
  const bool is_its = m.at == r.at && m.open > 0;
  if (is_its) --m.open;
  if (e.kind == kind::error) {
    const auto why = unpack_error(e.body);
    if (is_its && why.is(errc::down)) probe(ctx, r.member);
    refuse(ctx, r.cause, why);
  } else {
    ctx.reply(r.cause, e.body);
    ctx.done(r.cause);
  }
  if (is_its) serve_waiting(ctx, r.member);
  if (r.member >= size_) retire_if_idle(ctx, r.member);
  return true;
}

/// Asks whether a member still lives.
void pool::probe(context& ctx, std::uint32_t index) {
  auto& m = members_[index];
  m.is_suspect = true;
  const auto id = new_id();
  probes_[id] = {no_cause, index, m.at};
  ctx.call(no_cause, id, m.at, inspect_verb, {});
}

// -- its size

void pool::resize(context& ctx, const envelope& e) {
  if (auto may = may_ask(ctx, e); !may) return refuse(ctx, e.cause, may.error());
  const auto args = arguments(e, 1);
  if (!args) return refuse(ctx, e.cause, args.error());
  const auto wanted = args->empty() ? 0 : args->front().as_int(0);
  if (wanted < 1 || wanted > supervisor_api::most_members)
    return refuse(
        ctx, e.cause,
        {errc::bad_argument, "resize_pool: expected 1 to " +
                                 std::to_string(supervisor_api::most_members) + " members"});
  if (is_leaving_) return refuse(ctx, e.cause, {errc::down, ctx.path() + " stops"});
  const auto before = std::exchange(size_, static_cast<std::uint32_t>(wanted));
  if (members_.size() < size_) members_.resize(size_);
  for (auto index = before; index < size_; ++index) {
    auto& m = members_[index];
    if (may_come_back(index) && !m.is_ending) {  // it had something to do, and goes on
      serve_waiting(ctx, index);
      continue;
    }
    m.is_coming = true;
    auto spec = member_.to_value();
    spec.set("id", std::to_string(index + 1));
    ask_itself(ctx, index, supervisor_api::start_child, spec);
  }
  sort_lines(ctx);
  for (auto index = size_; index < before; ++index)
    retire_if_idle(ctx, index);
  answer(ctx, e.cause, wanted);
}

void pool::sort_lines(context& ctx) {
  if (!spec_.by_key) return;
  std::vector<line> before(members_.size());
  before.swap(lines_);
  in_line_.clear();
  for (auto& old : before)
    while (!old.empty()) {
      auto e = std::move(old.front());
      old.pop_front();
      --waiting_;
      take(ctx, std::move(e));  // those of one key stay in their order
    }
}

void pool::retire_if_idle(context& ctx, std::uint32_t index) {
  auto& m = members_[index];
  if (m.open > 0 || m.is_ending || !may_come_back(index)) return;
  m.is_ending = true;
  const value id = std::to_string(index + 1);
  ask_itself(ctx, index, supervisor_api::terminate_child, id);
  ask_itself(ctx, index, supervisor_api::delete_child, id);
}

void pool::ask_itself(context& ctx, std::uint32_t index, std::string_view verb,
                      const value& argument) {
  auto body = pack(value(value::array{argument}));
  const auto id = new_id();
  resizes_[id] = index;
  ctx.call(no_cause, id, ctx.self(), verb, body ? std::move(*body) : bytes(),
           {.timeout = duration::max()});
}

bool pool::hear_itself(context& ctx, const envelope& e) {
  const auto at = resizes_.find(e.id);
  if (at == resizes_.end()) return false;
  auto& m = members_[at->second];
  resizes_.erase(at);
  if (e.kind != kind::error || !std::exchange(m.is_coming, false)) return true;
  ctx.log(log_level::warning, "a pool did not grow", {{"reason", unpack_error(e.body).describe()}});
  on_settled(ctx);
  return true;
}

// -- members

void pool::on_ready(context& ctx, const child_record& c) {
  const auto index = index_of(c.id);
  members_[index].at = c.at;
  members_[index].open = 0;
  members_[index].is_suspect = false;
  members_[index].is_coming = members_[index].is_ending = false;
  serve_waiting(ctx, index);
}

void pool::on_gone(context&, const child_record& c) {
  members_[index_of(c.id)].at = {};
}

void pool::on_settled(context& ctx) {
  for (std::uint32_t number = 0; number < lines_.size(); ++number)
    if (!lines_[number].empty() && !can_ever_serve(number))
      empty_line(ctx, number, {errc::down, ctx.path() + " has no member left"});
}

void pool::on_leave(context& ctx) {
  is_leaving_ = true;
  for (std::uint32_t number = 0; number < lines_.size(); ++number)
    empty_line(ctx, number, {errc::down, ctx.path() + " stops"});
}

void pool::serve_waiting(context& ctx, std::uint32_t index) {
  if (index >= size_) return;
  const std::uint32_t number = spec_.by_key ? index : 0;
  auto& line = lines_[number];
  const auto& m = members_[index];
  while (m.is_free() && !line.empty())
    hand_over(ctx, take_out(number, line.begin()), index);
  offer(index);
}

void pool::offer(std::uint32_t index) {
  auto& m = members_[index];
  if (spec_.by_key || index >= size_ || !m.is_free() || std::exchange(m.is_offered, true)) return;
  free_.push_back(index);
}

bool pool::take_free(std::uint32_t& index) {
  while (!free_.empty()) {
    index = free_.front();
    free_.pop_front();
    members_[index].is_offered = false;
    if (index < size_ && members_[index].is_free()) return true;
  }
  return false;
}

envelope_ptr pool::take_out(std::uint32_t number, line::iterator at) {
  auto e = std::move(*at);
  lines_[number].erase(at);
  --waiting_;
  if (e->kind == kind::call) in_line_.erase(e->cause);
  return e;
}

void pool::empty_line(context& ctx, std::uint32_t number, const error& why) {
  while (!lines_[number].empty())
    turn_away(ctx, *take_out(number, lines_[number].begin()), why);
}

bool pool::may_come_back(std::uint32_t index) const {
  if (members_[index].is_coming) return true;
  const auto* c = children().find(std::to_string(index + 1));
  return c != nullptr && c->state != child_state::stopped;
}

bool pool::can_ever_serve(std::uint32_t number) const {
  if (spec_.by_key) return may_come_back(number);
  for (std::uint32_t index = 0; index < size_; ++index)
    if (may_come_back(index)) return true;
  return false;
}

value pool::inspect() const {
  auto v = supervisor::inspect();
  v.set("size", size_);
  v.set("waiting", static_cast<std::int64_t>(waiting_));
  v.set("open", static_cast<std::int64_t>(relays_.size()));
  return v;
}

}  // namespace troupe
