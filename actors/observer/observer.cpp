// SPDX-License-Identifier: Apache-2.0
#include "actors/observer/observer.hpp"

#include <algorithm>
#include <utility>

#include "actors/observer/api.hpp"
#include "agent/answers.hpp"
#include "base/nearest.hpp"
#include "base/utf8.hpp"

namespace troupe {

namespace {

namespace api = observer_api;

result<void> check_grant(const envelope& e) {
  if (!e.sender || e.sender->grants.allows("call", api::name)) return ok();
  return {errc::denied, e.sender->path + " needs call " + std::string(api::name) +
                            ", which its spec does not grant"};
}

result<std::string> glob_from(const value::array& args, std::size_t index) {
  if (args.size() <= index || args[index].is_nil()) return std::string("*");
  if (!args[index].is_string())
    return error(errc::bad_argument,
                 "expected a glob of paths, got " + std::string(args[index].type_name()));
  return std::string(args[index].as_string());
}

}  // namespace

progress observer::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::start:
      feed_->attach(ctx.make_outlet());
      answer(ctx, e->cause, nullptr);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    case kind::event:
      look(ctx);
      break;
    case kind::call:
      look(ctx);
      serve(ctx, *e);
      break;
    case kind::send:
      look(ctx);
      note_progress(ctx, *e);
      break;
    case kind::cancel:
      followers_.erase(e->cause);
      feed_->follow(!followers_.empty());
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
  if (e.verb != api::follow)
    return refuse(ctx, e.cause, {errc::unknown_verb, unknown_name("verb", e.verb, api::verbs)});
  auto glob = glob_from(*args, 0);
  if (!glob) return refuse(ctx, e.cause, glob.error());
  if (followers_.size() >= api::most_followers)
    return refuse(ctx, e.cause,
                  {errc::overloaded, std::to_string(followers_.size()) + " follow already"});
  followers_[e.cause] = {std::move(*glob), 0};
  feed_->follow(true);
}

void observer::look(context& ctx) {
  feed_->take([&](value event) { keep(ctx, std::move(event)); });
}

result<value> observer::recent(const value::array& args) const {
  const auto limit = args.empty() || args[0].is_nil() ? 100 : args[0].as_int(-1);
  if (limit < 0)
    return error(errc::bad_argument,
                 "events: expected a number of events, got " + std::string(args[0].type_name()));
  TROUPE_TRY(glob, glob_from(args, 1));
  value list = value::array{};
  auto& found = *list.get_if<value::array>();
  for (auto at = events_.rbegin();
       at != events_.rend() && found.size() < static_cast<std::size_t>(limit); ++at)
    if (glob_matches(glob, (*at)["path"].as_string())) found.push_back(*at);
  std::reverse(found.begin(), found.end());
  return list;
}

void observer::note_progress(context& ctx, const envelope& e) {
  const auto args = arguments(e, 2);
  if (e.verb != api::progress || !args || args->empty()) return;
  const double fraction = args->front().as_double(-1);
  if (!(fraction >= 0 && fraction <= 1)) return;
  const auto text = args->size() > 1 ? (*args)[1].as_string() : std::string_view();
  const std::chrono::duration<double> since = ctx.wall().time_since_epoch();
  value data = value::map{};
  data.set("fraction", fraction).set("text", utf8_prefix(text, api::longest_text));
  value event = value::map{};
  event.set("at", since.count()).set("what", "progress");
  event.set("path", e.sender ? e.sender->path : std::string());
  event.set("agent", e.from.to_string()).set("data", std::move(data));
  keep(ctx, std::move(event));
}

void observer::keep(context& ctx, value event) {
  event.set("n", ++last_number_);
  const auto path = event["path"].as_string();
  for (auto& [cause, f] : followers_) {
    if (!glob_matches(f.glob, path)) continue;
    value shown = event;
    if (f.dropped > 0) shown.set("dropped", f.dropped);
    auto body = pack(shown);
    if (body && ctx.part(cause, std::move(*body)))
      f.dropped = 0;
    else
      ++f.dropped;
  }
  events_.push_back(std::move(event));
  if (events_.size() > api::kept) events_.pop_front();
}

value observer::inspect() const {
  value v = feed_->counters();
  v.set("kept", static_cast<std::int64_t>(events_.size()));
  v.set("followers", static_cast<std::int64_t>(followers_.size()));
  return v;
}

}  // namespace troupe
