// SPDX-License-Identifier: Apache-2.0
#include "channel/remote_context.hpp"

#include <utility>

#include "agent/part_limit.hpp"

namespace troupe {

namespace {

/// What an agent shows of itself is for people.
constexpr duration show_every = std::chrono::seconds(1);
constexpr std::size_t largest_show = 16u << 10;

void set_cause(frame& f, cause_id on) {
  if (on != no_cause) f.fields.set("on", static_cast<std::int64_t>(on));
}

frame under(const char* name, cause_id on) {
  frame f{name};
  set_cause(f, on);
  return f;
}

}  // namespace

remote_context::remote_context(greeting hello, const clock& time, outlet events, sink_function to)
    : hello_(std::move(hello)),
      time_(time),
      events_(std::move(events)),
      to_(std::move(to)),
      now_(time.now()) {}

// -- for the loop

bool remote_context::admit(envelope& e) {
  switch (e.kind) {
    case kind::start:
      start_ = e.cause;
      break;
    case kind::call:
      open_[e.cause] = {.credit = e.credit};
      break;
    case kind::credit:
      if (auto* call = find_open(e.cause)) call->credit += e.credit;
      break;
    case kind::cancel:
      if (auto* call = find_open(e.cause)) call->cancelled = true;
      break;
    case kind::part:
    case kind::reply:
    case kind::error: {
      const auto own = calls_.own(e.id);
      if (!own) return false;
      if (e.kind != kind::part) calls_.close(*own);
      e.id = *own;
      break;
    }
    case kind::down:
    case kind::timer: {
      auto& ids = e.kind == kind::down ? monitors_ : timers_;
      const auto own = ids.own(e.id);
      if (!own) {
        done(e.cause);
        return false;
      }
      ids.close(*own);
      e.id = *own;
      break;
    }
    default:
      break;
  }
  return true;
}

envelope_ptr remote_context::take_local() {
  if (local_.empty()) return nullptr;
  auto e = std::move(local_.front());
  local_.pop_front();
  return e;
}

void remote_context::end_turn(const behaviour& agent) {
  if (now_ - shown_ >= show_every) show(agent);
  if (!started_) return;
  const auto overlap = agent.overlap();
  value::array verbs;
  for (const auto& verb : overlap.overlapping)
    verbs.emplace_back(verb);
  auto f = under("started", start_);
  f.fields.set("protocol", channel_protocol);
  f.fields.set("slots", overlap.slots);
  f.fields.set("overlapping", std::move(verbs));
  f.fields.set("controls", true);
  if (!started_->empty()) f.fields.set("body", to_field(*started_));
  emit_small(f);
  started_.reset();
  start_ = no_cause;
}

void remote_context::show(const behaviour& agent) {
  shown_ = now_;
  auto inside = pack(agent.inspect(), {.size = largest_show});
  if (!inside) return;  // too much to look at
  frame f{"show"};
  f.fields.set("inside", to_field(*inside));
  emit_small(f);
}

void remote_context::send_exit(const error& why) {
  frame f{"exit"};
  f.fields.set("why", to_value(why));
  if (emit(f)) return;
  // Its data don't fit; what it is does.
  f.fields.set("why", to_value(error(why.code.substr(0, 64), why.message.substr(0, 1024))));
  emit_small(f);
}

result<void> remote_context::emit(const frame& f) {
  TROUPE_TRY(encoded, encode(f, hello_.limits));
  to_(std::move(encoded));
  return ok();
}

void remote_context::emit_small(const frame& f) {
  if (auto sent = emit(f); !sent && !exit_) exit_ = sent.error();
}

void remote_context::fail_locally(call_id id, const error& why) {
  auto e = std::make_unique<envelope>();
  e->kind = kind::error;
  e->from = e->to = hello_.self;
  e->id = id;
  e->body = pack_error(why);
  local_.push_back(std::move(e));
}

/// A request that is answered; it fails here if it can't be sent.
void remote_context::emit_request(call_id id, frame f) {
  f.fields.set("id", static_cast<std::int64_t>(calls_.open(id)));
  if (auto sent = emit(f); !sent) {
    calls_.close(id);
    fail_locally(id, sent.error());
  }
}

// -- messages

void remote_context::send(cause_id on, const target& to, std::string_view verb, bytes args) {
  auto f = under("send", on);
  f.fields.set("to", to_field(to));
  f.fields.set("verb", verb);
  f.fields.set("args", to_field(args));
  auto sent = args.size() > hello_.limits.body
                  ? result<void>(body_too_big(args.size(), hello_.limits.body))
                  : emit(f);
  if (sent) return;
  log(log_level::warning, "a message was not sent",
      {{"verb", std::string(verb.substr(0, 256))}, {"reason", sent.error().describe()}});
}

void remote_context::call(cause_id on, call_id id, const target& to, std::string_view verb,
                          bytes args, const call_options& options) {
  if (args.size() > hello_.limits.body)
    return fail_locally(id, body_too_big(args.size(), hello_.limits.body));
  auto f = under("call", on);
  f.fields.set("to", to_field(to));
  f.fields.set("verb", verb);
  f.fields.set("args", to_field(args));
  f.fields.set("timeout", to_seconds(options.timeout));
  if (options.credit != 0) f.fields.set("credit", options.credit);
  emit_request(id, std::move(f));
}

void remote_context::sleep(cause_id on, call_id id, duration delay) {
  auto f = under("sleep", on);
  f.fields.set("delay", to_seconds(delay));
  emit_request(id, std::move(f));
}

void remote_context::cancel(call_id id) {
  std::erase_if(local_, [&](const envelope_ptr& e) { return e->id == id; });
  const auto wire = calls_.close(id);
  if (!wire) return;
  frame f{"cancel"};
  f.fields.set("id", static_cast<std::int64_t>(*wire));
  emit_small(f);
}

void remote_context::grant(call_id id, std::uint32_t parts) {
  const auto wire = calls_.wire(id);
  if (!wire) return;
  frame f{"grant"};
  f.fields.set("id", static_cast<std::int64_t>(*wire));
  f.fields.set("parts", parts);
  emit_small(f);
}

remote_context::open_call* remote_context::find_open(cause_id on) {
  const auto found = open_.find(on);
  return found == open_.end() ? nullptr : &found->second;
}

void remote_context::close_if_over(cause_id on) {
  const auto* call = find_open(on);
  if (call != nullptr && call->served && (call->answered || call->cancelled)) open_.erase(on);
}

result<void> remote_context::part(cause_id on, bytes body) {
  if (body.size() > max_part)
    return {errc::too_big,
            "a part holds at most 64 KiB, this one has " + std::to_string(body.size()) + " bytes"};
  auto* call = find_open(on);
  if (call == nullptr || call->answered)
    return {errc::not_found, "there is no open call to send a part to"};
  if (call->cancelled) return {errc::cancelled, "the caller has taken the call back"};
  if (call->credit == 0) return {errc::no_credit, "the reader has not asked for more parts yet"};
  auto f = under("part", on);
  f.fields.set("body", to_field(body));
  TROUPE_CHECK(emit(f));
  --call->credit;
  return ok();
}

void remote_context::reply(cause_id on, bytes body) {
  if (body.size() > hello_.limits.body)
    return fail(on, body_too_big(body.size(), hello_.limits.body));
  if (on == start_ && on != no_cause) {
    // It is sent at the end of the turn, when the agent knows what it lets overlap.
    if (!started_) started_ = std::move(body);
    return;
  }
  auto f = under("reply", on);
  f.fields.set("body", to_field(body));
  emit_small(f);
  if (auto* call = find_open(on)) call->answered = true;
  close_if_over(on);
}

void remote_context::fail(cause_id on, const error& why) {
  auto f = under("fail", on);
  f.fields.set("why", to_value(why));
  if (!emit(f)) {
    f.fields.set("why", to_value(error(errc::too_big, "the reason of a failure is too big")));
    emit_small(f);
  }
  if (auto* call = find_open(on)) call->answered = true;
  close_if_over(on);
}

void remote_context::done(cause_id on) {
  emit_small(under("done", on));
  if (auto* call = find_open(on)) call->served = true;
  close_if_over(on);
}

// -- agents

void remote_context::spawn(cause_id on, call_id id, const value& spec) {
  auto f = under("spawn", on);
  f.fields.set("spec", spec);
  emit_request(id, std::move(f));
}

void remote_context::find(call_id id, std::string_view name) {
  frame f{"find"};
  f.fields.set("name", name);
  emit_request(id, std::move(f));
}

void remote_context::bind(call_id id, std::string_view name) {
  frame f{"bind"};
  f.fields.set("name", name);
  emit_request(id, std::move(f));
}

void remote_context::exit(error reason) {
  if (!exit_) exit_ = std::move(reason);
}

void remote_context::exit(const target& whom, error reason) {
  frame f{"exit_to"};
  f.fields.set("to", to_field(whom));
  f.fields.set("why", to_value(reason));
  emit_small(f);
}

void remote_context::monitor(monitor_id id, const target& whom) {
  frame f{"monitor"};
  f.fields.set("id", static_cast<std::int64_t>(monitors_.open(id)));
  f.fields.set("to", to_field(whom));
  emit_small(f);
}

void remote_context::demonitor(monitor_id id) {
  const auto wire = monitors_.close(id);
  if (!wire) return;
  frame f{"demonitor"};
  f.fields.set("id", static_cast<std::int64_t>(*wire));
  emit_small(f);
}

void remote_context::link(const target& whom) {
  frame f{"link"};
  f.fields.set("to", to_field(whom));
  emit_small(f);
}

void remote_context::unlink(const target& whom) {
  frame f{"unlink"};
  f.fields.set("to", to_field(whom));
  emit_small(f);
}

void remote_context::trap_exits(bool on) {
  frame f{"trap_exits"};
  f.fields.set("value", on);
  emit_small(f);
}

// -- time, log

void remote_context::set_timer(timer_id id, duration delay) {
  cancel_timer(id);
  frame f{"set_timer"};
  f.fields.set("id", static_cast<std::int64_t>(timers_.open(id)));
  f.fields.set("delay", to_seconds(delay));
  emit_small(f);
}

void remote_context::cancel_timer(timer_id id) {
  const auto wire = timers_.close(id);
  if (!wire) return;
  frame f{"cancel_timer"};
  f.fields.set("id", static_cast<std::int64_t>(*wire));
  emit_small(f);
}

void remote_context::log(log_level level, std::string_view message, value::map fields) {
  frame f{"log"};
  f.fields.set("level", to_string(level));
  f.fields.set("message", message);
  if (!fields.empty()) f.fields.set("fields", std::move(fields));
  if (emit(f)) return;
  f.fields.set("message", message.substr(0, 1024));
  f.fields.erase("fields");
  emit_small(f);
}

}  // namespace troupe
