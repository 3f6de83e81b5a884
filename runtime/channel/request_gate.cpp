// SPDX-License-Identifier: Apache-2.0
#include "channel/request_gate.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "agent/control.hpp"

namespace troupe {

namespace {

/// Of what an agent shows of itself.
constexpr std::size_t largest_show = 16u << 10;
/// Of a line in the log; what is above it is cut off.
constexpr std::size_t longest_line = 8u << 10;

std::string verb_of(field_reader& fields) {
  auto verb = fields.text("verb");
  // A start is the business of who spawns, and nothing else of the runtime's can be asked for.
  const bool is_known =
      std::find(control_verbs.begin(), control_verbs.end(), verb) != control_verbs.end();
  if (verb.starts_with('@') && !is_known) fields.refuse("verb", "a verb of an agent");
  return verb;
}

std::optional<log_level> level_from(std::string_view text) {
  for (auto level : {log_level::debug, log_level::info, log_level::warning, log_level::error})
    if (to_string(level) == text) return level;
  return std::nullopt;
}

}  // namespace

const request_gate::request request_gate::requests[] = {
    {"reply", &request_gate::reply},
    {"done", &request_gate::done},
    {"send", &request_gate::send},
    {"call", &request_gate::call},
    {"part", &request_gate::part},
    {"grant", &request_gate::grant},
    {"fail", &request_gate::fail},
    {"sleep", &request_gate::sleep},
    {"cancel", &request_gate::cancel},
    {"set_timer", &request_gate::set_timer},
    {"cancel_timer", &request_gate::cancel_timer},
    {"log", &request_gate::log},
    {"started", &request_gate::started},
    {"exit", &request_gate::exit},
    {"exit_to", &request_gate::exit_to},
    {"spawn", &request_gate::spawn},
    {"find", &request_gate::find},
    {"bind", &request_gate::bind},
    {"monitor", &request_gate::monitor},
    {"demonitor", &request_gate::demonitor},
    {"link", &request_gate::link},
    {"unlink", &request_gate::unlink},
    {"trap_exits", &request_gate::trap_exits},
    {"show", &request_gate::show},
};

void request_gate::note(const envelope& e) {
  switch (e.kind) {
    case kind::start:
      start_ = e.cause;
      break;
    case kind::exit:
      // Whoever it was that was linked by name, there is one less.
      if (e.linked && links_.erase(e.from) == 0 && !named_links_.empty())
        named_links_.erase(named_links_.begin());
      break;
    case kind::down:
      monitors_.erase(e.id);
      break;
    case kind::timer:
      timers_.erase(e.id);
      break;
    case kind::reply:
    case kind::error:
      calls_.erase(e.id);
      break;
    default:
      break;
  }
  // What comes under a cause is opened by it, but for what says something about an open one.
  if (e.cause != no_cause && e.kind != kind::credit && e.kind != kind::cancel)
    messages_.insert(e.cause);
  if (is_control(e) && e.verb == inspect_verb) inspections_.insert(e.cause);
}

result<void> request_gate::apply(context& ctx, const frame& f) {
  const auto found = std::find_if(std::begin(requests), std::end(requests),
                                  [&](const request& r) { return r.name == f.name; });
  if (found == std::end(requests))
    return {errc::bad_body, "there is no frame `" + f.name.substr(0, 64) + "`"};
  field_reader fields(f);
  return (this->*found->apply)(ctx, fields);
}

result<void> request_gate::bounded(std::size_t open, std::string_view what) const {
  if (open < most_open_) return ok();
  error why(errc::limit,
            "more than " + std::to_string(most_open_) + " " + std::string(what) + " are open");
  why.data.set("what", "channel");
  return why;
}

result<void> request_gate::open(ids& to, std::uint64_t id, std::string_view what) {
  TROUPE_CHECK(bounded(to.size(), what));
  if (to.insert(id).second) return ok();
  return {errc::bad_body, "the id " + std::to_string(id) + " of " + std::string(what) + " is open"};
}

// -- messages

result<void> request_gate::started(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto protocol = fields.data("protocol").as_int();
  concurrency overlap;
  if (!fields.data("slots").is_nil()) overlap.slots = fields.count("slots");
  if (overlap.slots == 0) fields.refuse("slots", "1 or more");
  // Only the worker knows when a message is done, so a send never closes by itself here.
  overlap.slots = std::min(overlap.slots, concurrency::unlimited - 1);
  for (const auto& verb : fields.data("overlapping").as_array())
    overlap.overlapping.emplace_back(verb.as_string());
  auto body = fields.data("body").is_nil() ? bytes(std::string_view("\xc0")) : fields.body("body");
  TROUPE_CHECK(fields.finish());
  if (start_ == no_cause || on != start_)
    return {errc::bad_body, "started: there is no start that waits for an answer"};
  if (protocol != channel_protocol)
    return {errc::abi, "the worker speaks protocol " + std::to_string(protocol) +
                           " of the channel, this node " + std::to_string(channel_protocol)};
  overlap_ = std::move(overlap);
  takes_control_ = fields.data("controls").as_bool();
  started_ = true;
  start_ = no_cause;
  ctx.reply(on, std::move(body));
  return ok();
}

result<void> request_gate::send(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto to = fields.to();
  const auto verb = verb_of(fields);
  auto args = fields.body("args");
  TROUPE_CHECK(fields.finish());
  ctx.send(on, to, verb, std::move(args));
  return ok();
}

result<void> request_gate::call(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto id = fields.id("id");
  const auto to = fields.to();
  const auto verb = verb_of(fields);
  auto args = fields.body("args");
  call_options options;
  options.timeout = fields.time("timeout", options.timeout);
  options.credit = fields.count("credit");
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(calls_, id, "calls"));
  ctx.call(on, id, to, verb, std::move(args), options);
  return ok();
}

result<void> request_gate::sleep(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto id = fields.id("id");
  const auto delay = fields.time("delay", {});
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(calls_, id, "calls"));
  ctx.sleep(on, id, delay);
  return ok();
}

result<void> request_gate::cancel(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  TROUPE_CHECK(fields.finish());
  if (calls_.erase(id) != 0) ctx.cancel(id);
  return ok();
}

result<void> request_gate::grant(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  const auto parts = fields.count("parts");
  TROUPE_CHECK(fields.finish());
  if (calls_.count(id) != 0) ctx.grant(id, parts);
  return ok();
}

result<void> request_gate::part(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  auto body = fields.body("body");
  TROUPE_CHECK(fields.finish());
  auto sent = ctx.part(on, std::move(body));
  // A call that was taken back meanwhile is nobody's fault. The rest a worker knows by itself.
  const bool is_over =
      !sent && (sent.error().is(errc::not_found) || sent.error().is(errc::cancelled));
  if (!sent && !is_over) return sent.error();
  return ok();
}

result<void> request_gate::reply(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  auto body = fields.body("body");
  TROUPE_CHECK(fields.finish());
  if (on == start_ && on != no_cause)
    return {errc::bad_body, "reply: a start is answered by `started` or `fail`"};
  if (inspections_.erase(on) != 0) {  // a part of the answer
    TROUPE_TRY(inside, unpack(body.view()));
    inside_ = std::move(inside);
    inspected_.push_back(on);
    return ok();
  }
  ctx.reply(on, std::move(body));
  return ok();
}

result<void> request_gate::fail(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto why = fields.why();
  TROUPE_CHECK(fields.finish());
  if (on == start_ && on != no_cause) {
    exit_ = why;  // its end, in an order that lets the process go first
    return ok();
  }
  ctx.fail(on, why);
  return ok();
}

result<void> request_gate::done(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  TROUPE_CHECK(fields.finish());
  if (messages_.erase(on) != 0) ctx.done(on);
  return ok();
}

// -- agents

result<void> request_gate::spawn(context& ctx, field_reader& fields) {
  const auto on = fields.cause();
  const auto id = fields.id("id");
  const auto spec = fields.data("spec");
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(calls_, id, "calls"));
  ctx.spawn(on, id, spec);
  return ok();
}

result<void> request_gate::find(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  const auto name = fields.text("name");
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(calls_, id, "calls"));
  ctx.find(id, name);
  return ok();
}

result<void> request_gate::bind(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  const auto name = fields.text("name");
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(calls_, id, "calls"));
  ctx.bind(id, name);
  return ok();
}

result<void> request_gate::exit(context&, field_reader& fields) {
  auto why = fields.why();
  TROUPE_CHECK(fields.finish());
  if (!exit_) exit_ = std::move(why);
  return ok();
}

result<void> request_gate::exit_to(context& ctx, field_reader& fields) {
  const auto to = fields.to();
  auto why = fields.why();
  TROUPE_CHECK(fields.finish());
  ctx.exit(to, std::move(why));
  return ok();
}

result<void> request_gate::monitor(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  const auto to = fields.to();
  TROUPE_CHECK(fields.finish());
  TROUPE_CHECK(open(monitors_, id, "monitors"));
  ctx.monitor(id, to);
  return ok();
}

result<void> request_gate::demonitor(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  TROUPE_CHECK(fields.finish());
  if (monitors_.erase(id) != 0) ctx.demonitor(id);
  return ok();
}

result<void> request_gate::link(context& ctx, field_reader& fields) {
  const auto to = fields.to();
  TROUPE_CHECK(fields.finish());
  const auto* whom = std::get_if<address>(&to);
  const bool is_known = whom != nullptr ? *whom == ctx.self() || links_.count(*whom) != 0
                                        : named_links_.count(std::get<std::string>(to)) != 0;
  if (!is_known) {
    TROUPE_CHECK(bounded(links_.size() + named_links_.size(), "links"));
    if (whom != nullptr)
      links_.insert(*whom);
    else
      named_links_.insert(std::get<std::string>(to));
  }
  ctx.link(to);
  return ok();
}

result<void> request_gate::unlink(context& ctx, field_reader& fields) {
  const auto to = fields.to();
  TROUPE_CHECK(fields.finish());
  if (const auto* whom = std::get_if<address>(&to))
    links_.erase(*whom);
  else
    named_links_.erase(std::get<std::string>(to));
  ctx.unlink(to);
  return ok();
}

result<void> request_gate::trap_exits(context& ctx, field_reader& fields) {
  const bool value = fields.flag("value");
  TROUPE_CHECK(fields.finish());
  ctx.trap_exits(value);
  return ok();
}

// -- time, log

result<void> request_gate::set_timer(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  const auto delay = fields.time("delay", {});
  TROUPE_CHECK(fields.finish());
  if (timers_.count(id) == 0) TROUPE_CHECK(open(timers_, id, "timers"));
  ctx.set_timer(id, delay);
  return ok();
}

result<void> request_gate::cancel_timer(context& ctx, field_reader& fields) {
  const auto id = fields.id("id");
  TROUPE_CHECK(fields.finish());
  if (timers_.erase(id) != 0) ctx.cancel_timer(id);
  return ok();
}

result<void> request_gate::log(context& ctx, field_reader& fields) {
  const auto level = level_from(fields.text("level"));
  if (!level) fields.refuse("level", "debug, info, warning or error");
  auto message = fields.text("message");
  TROUPE_CHECK(fields.finish());
  if (message.size() > longest_line) message.resize(longest_line);
  ctx.log(*level, message, fields.data("fields").as_map());
  return ok();
}

result<void> request_gate::show(context&, field_reader& fields) {
  const auto packed = fields.body("inside");
  TROUPE_CHECK(fields.finish());
  TROUPE_TRY(inside, unpack(packed.view(), {.size = largest_show}));
  inside_ = std::move(inside);
  return ok();
}

}  // namespace troupe
