// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/observer.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "actors/observer/api.hpp"
#include "agent/answers.hpp"
#include "base/nearest.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

namespace api = observer_api;

result<void> check_grant(const envelope& e) {
  if (!e.sender || e.sender->grants.allows("call", api::name)) return ok();
  return not_granted(e.sender->path, "call " + std::string(api::name));
}

result<std::string> glob_from(const value::array& args, std::size_t index) {
  if (args.size() <= index || args[index].is_nil()) return std::string("*");
  if (!args[index].is_string())
    return error(errc::bad_argument,
                 "expected a glob of paths, got " + std::string(args[index].type_name()));
  return std::string(args[index].as_string());
}

/// Parts of one trace that wait for credit.
constexpr std::size_t most_waiting = 256;

/// What a trace may be told; seconds are kept as milliseconds.
struct trace_setting {
  std::string_view name;
  std::int64_t amount, most;
};
constexpr std::array<trace_setting, 5> trace_settings = {{{"count", 100, 100'000},
                                                          {"seconds", 10'000, 3'600'000},
                                                          {"bytes", 1 << 20, 64 << 20},
                                                          {"rate", 1000, 10'000},
                                                          {"body", 1024, 16 << 10}}};

result<void> read_limits(const value& given, std::array<trace_setting, 5>& to) {
  if (!given.is_nil() && !given.is_map() && !(given.is_array() && given.as_array().empty()))
    return {errc::bad_argument,
            "trace: expected a table of limits, got " + std::string(given.type_name())};
  for (const auto& [key, v] : given.as_map()) {
    const auto name = key.as_string();
    const auto at =
        std::find_if(to.begin(), to.end(), [&](const auto& s) { return s.name == name; });
    if (at == to.end()) {
      std::vector<std::string_view> names;
      names.reserve(to.size());
      for (const auto& s : to)
        names.push_back(s.name);
      return {errc::bad_argument, "trace: " + unknown_name("limit", name, names)};
    }
    const double factor = at->name == "seconds" ? 1000 : 1;
    const double amount = v.as_double(-1) * factor;
    if (!(amount >= 1 && amount <= static_cast<double>(at->most)))
      return {errc::bad_argument, "trace: " + std::string(at->name) + ": expected a number up to " +
                                      std::to_string(at->most / static_cast<std::int64_t>(factor))};
    at->amount = static_cast<std::int64_t>(amount);
  }
  return ok();
}

/// The trace that somebody called for; 0 if there is none.
template <class Traces>
std::uint64_t trace_of(const Traces& all, cause_id cause) {
  for (const auto& [number, t] : all)
    if (t.cause == cause) return number;
  return 0;
}

}  // namespace

progress observer::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::start:
      feed_->attach(ctx.make_outlet());
      if (traces_) traces_->close_all();
      answer(ctx, e->cause, nullptr);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    case kind::event:
      if (e->verb == "traced") {
        on_traced(ctx, *e);
        break;
      }
      look(ctx);
      break;
    case kind::call:
      look(ctx, event_feed::most_waiting);  // who asks is told all
      serve(ctx, *e);
      break;
    case kind::send:
      look(ctx);
      note_progress(ctx, *e);
      break;
    case kind::timer:
      end_trace(ctx, e->id, "seconds");
      break;
    case kind::credit:
      if (const auto f = followers_.find(e->cause); f != followers_.end())
        f->second.credit += e->credit;
      if (const auto number = trace_of(tracing_, e->cause)) show_traced(ctx, number);
      break;
    case kind::cancel:
      followers_.erase(e->cause);
      feed_->follow(!followers_.empty());
      if (const auto number = trace_of(tracing_, e->cause)) {
        traces_->close(number);
        ctx.cancel_timer(number);
        tracing_.erase(number);
      }
      ctx.done(e->cause);
      break;
    default:
      break;
  }
  return progress::idle;
}

void observer::serve(context& ctx, const envelope& e) {
  if (auto may = check_grant(e); !may) return refuse(ctx, e.cause, may.error());
  const auto args = arguments(e, 2);
  if (!args) return refuse(ctx, e.cause, args.error());
  if (e.verb == api::counters) return answer(ctx, e.cause, feed_->counters());
  if (e.verb == api::events) {
    const auto list = recent(*args);
    return list ? answer(ctx, e.cause, *list) : refuse(ctx, e.cause, list.error());
  }
  if (e.verb == api::trace) {
    if (auto begun = begin_trace(ctx, e, *args); !begun) refuse(ctx, e.cause, begun.error());
    return;
  }
  if (e.verb != api::follow)
    return refuse(ctx, e.cause, {errc::unknown_verb, unknown_name("verb", e.verb, api::verbs)});
  auto glob = glob_from(*args, 0);
  if (!glob) return refuse(ctx, e.cause, glob.error());
  if (followers_.size() >= api::most_followers)
    return refuse(ctx, e.cause,
                  {errc::overloaded, std::to_string(followers_.size()) + " follow already"});
  followers_[e.cause] = {std::move(*glob), e.credit, 0};
  feed_->follow(true);
}

void observer::look(context& ctx, std::int64_t most) {
  feed_->take([&](noted_event event) { keep(ctx, std::move(event)); }, most);
}

result<value> observer::recent(const value::array& args) const {
  const auto limit = args.empty() || args[0].is_nil() ? 100 : args[0].as_int(-1);
  if (limit < 0)
    return error(errc::bad_argument,
                 "events: expected a number of events, got " + std::string(args[0].type_name()));
  TROUPE_TRY(glob, glob_from(args, 1));
  value list = value::array{};
  auto& found = *list.get_if<value::array>();
  auto number = last_number_;
  for (auto at = events_.rbegin();
       at != events_.rend() && found.size() < static_cast<std::size_t>(limit); ++at, --number) {
    if (!glob_matches(glob, at->event.path)) continue;
    found.push_back(at->to_value());
    found.back().set("n", number);
  }
  std::reverse(found.begin(), found.end());
  return list;
}

// -- traces

result<void> observer::begin_trace(context& ctx, const envelope& e, const value::array& args) {
  if (!traces_) return {errc::unsupported, "messages can't be traced here"};
  TROUPE_TRY(glob, glob_from(args, 0));
  auto limits = trace_settings;
  TROUPE_CHECK(read_limits(args.size() > 1 ? args[1] : value(), limits));
  trace_limits feed;
  feed.count = limits[0].amount;
  feed.rate = limits[3].amount;
  feed.body = static_cast<std::size_t>(limits[4].amount);
  TROUPE_TRY(number, traces_->open(std::move(glob), e.from, feed));
  auto& t = tracing_[number];
  t.cause = e.cause;
  t.count = limits[0].amount;
  t.bytes_left = limits[2].amount;
  ctx.set_timer(number, std::chrono::milliseconds(limits[1].amount));
  return ok();
}

void observer::on_traced(context& ctx, const envelope& e) {
  auto message = unpack(e.body.view());
  if (!message) return;
  const auto number = static_cast<std::uint64_t>((*message)["trace"].as_int());
  traces_->handled(number);
  const auto at = tracing_.find(number);
  if (at == tracing_.end() || !at->second.ended.empty()) return;
  auto& t = at->second;
  message->erase("trace");
  auto body = pack(*message);
  if (!body) return;
  t.bytes_left -= static_cast<std::int64_t>(body->size());
  if (t.waiting.size() < most_waiting)
    t.waiting.push_back(std::move(*body));
  else
    ++t.dropped;
  if (--t.count == 0) return end_trace(ctx, number, "count");
  if (t.bytes_left <= 0) return end_trace(ctx, number, "bytes");
  show_traced(ctx, number);
}

void observer::end_trace(context& ctx, std::uint64_t number, const char* by) {
  const auto at = tracing_.find(number);
  if (at == tracing_.end() || !at->second.ended.empty()) return;
  at->second.dropped += traces_->left_out(number);
  at->second.ended = by;
  traces_->close(number);
  ctx.cancel_timer(number);
  show_traced(ctx, number);
}

void observer::show_traced(context& ctx, std::uint64_t number) {
  auto& t = tracing_[number];
  while (!t.waiting.empty() && ctx.part(t.cause, t.waiting.front())) {
    ++t.shown;
    t.waiting.pop_front();
  }
  if (t.ended.empty() || !t.waiting.empty()) return;
  value said;
  said.set("shown", t.shown).set("dropped", t.dropped).set("ended", t.ended);
  const auto cause = t.cause;
  tracing_.erase(number);
  answer(ctx, cause, said);
}

void observer::note_progress(context& ctx, const envelope& e) {
  const auto args = arguments(e, 2);
  if (e.verb != api::progress || !args || args->empty()) return;
  const double fraction = args->front().as_double(-1);
  if (!(fraction >= 0 && fraction <= 1)) return;
  const auto text = args->size() > 1 ? (*args)[1].as_string() : std::string_view();
  value data = value::map{};
  data.set("fraction", fraction).set("text", utf8_prefix(text, api::longest_text));
  keep(ctx, {{.what = runtime_event::what::progress,
              .agent = e.from,
              .path = e.sender ? e.sender->path : std::string(),
              .data = std::move(data)},
             ctx.wall()});
}

void observer::keep(context& ctx, noted_event event) {
  ++last_number_;
  for (auto& [cause, f] : followers_) {
    if (!glob_matches(f.glob, event.event.path)) continue;
    if (f.credit == 0) {
      ++f.dropped;
      continue;
    }
    value shown = event.to_value();
    shown.set("n", last_number_);
    if (f.dropped > 0) shown.set("dropped", f.dropped);
    auto body = pack(shown);
    if (!body || !ctx.part(cause, std::move(*body))) {
      ++f.dropped;
      continue;
    }
    --f.credit;
    f.dropped = 0;
  }
  events_.push_back(std::move(event));
  if (events_.size() > api::kept) events_.pop_front();
}

value observer::inspect() const {
  value v = feed_->counters();
  v.set("kept", static_cast<std::int64_t>(events_.size()));
  v.set("followers", static_cast<std::int64_t>(followers_.size()));
  v.set("traces", static_cast<std::int64_t>(tracing_.size()));
  return v;
}

}  // namespace troupe
