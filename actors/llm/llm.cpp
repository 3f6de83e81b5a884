// SPDX-License-Identifier: Apache-2.0
#include "actors/llm/llm.hpp"

#include <algorithm>
#include <utility>

#include "actors/llm/api.hpp"
#include "base/msgpack.hpp"
#include "base/nearest.hpp"
#include "http/outlet_events.hpp"

namespace troupe {

namespace {

/// A part holds at most 64 KiB; below that there is room for its frame.
constexpr std::size_t longest_part = 60u << 10;
/// Text held back for a slow reader, above which reading from the endpoint stops.
constexpr std::size_t most_held_back = 256u << 10;

bytes packed(const value& v) {
  auto body = pack(v);
  return body ? std::move(*body) : pack(value()).value();
}

/// Four bytes of text are about one token, for all models that there are; what was used in truth
/// replaces it in the end.
std::uint64_t estimated_tokens(const value& chat) {
  return pack(chat) ? pack(chat)->size() / 4 + 1 : 1;
}

/// Where a text may be cut so that no character is cut.
std::size_t cut_at(const std::string& text, std::size_t most) {
  if (text.size() <= most) return text.size();
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0) == 0x80)
    --most;
  return most;
}

result<double> price(const std::string& model, const value& table, const char* key) {
  const auto* p = table.find(key);
  if (p == nullptr) return 0.0;
  if (!p->is_number() || !(p->as_double() >= 0))
    return error(errc::config, "model " + model + ": price." + key +
                                   ": expected a price per million tokens, got " +
                                   std::string(p->type_name()));
  return p->as_double();
}

}  // namespace

/// One chat, over all its tries.
struct llm::request {
  cause_id cause = no_cause;
  open_model* of = nullptr;
  authority_ptr who;
  value chat;
  instant deadline = never;
  bool wants_parts = false;

  std::uint32_t tries = 0;
  std::unique_ptr<model_exchange> exchange;
  request_id http = 0;  ///< 0: none is under way
  std::optional<duration> hint;

  model_events local;  ///< still to be played, the next one last
  std::string text;
  std::string held_back;  ///< text that waits for the reader's credit
  std::size_t ungranted = 0;
  value calls = value::array{};
  std::string stop;
  std::string model_name;
  model_usage usage;
  bool has_usage = false;
  bool over = false;  ///< the answer waits only for the reader
  spending reserved;
  instant began;
};

result<model_settings> model_settings::from(const std::string& name, const value& table) {
  model_settings m;
  m.name = name;
  m.provider = table["provider"].as_string();
  if (m.provider.empty())
    return error(errc::config, "model " + name + ": provider: expected a name, got " +
                                   std::string(table["provider"].type_name()));
  m.model = table["model"].as_string();
  m.api_key = table["api_key"].as_string();
  if (const auto* p = table.find("price")) {
    TROUPE_TRY(input, price(name, *p, "input"));
    TROUPE_TRY(output, price(name, *p, "output"));
    m.input_price = m.cached_price = input;
    m.output_price = output;
    if (p->find("cached") != nullptr) {
      TROUPE_TRY(cached, price(name, *p, "cached"));
      m.cached_price = cached;
    }
    m.has_price = true;
  }
  m.max_tokens =
      static_cast<std::uint64_t>(std::max<std::int64_t>(1, table["max_tokens"].as_int(4096)));
  const auto time = [&](const char* key, duration& t) -> result<void> {
    const auto* s = table.find(key);
    if (s == nullptr) return ok();
    if (!(s->as_double() > 0))
      return {errc::config, "model " + name + ": " + key + ": expected seconds above 0"};
    t = seconds(s->as_double());
    return ok();
  };
  TROUPE_CHECK(time("first_byte_timeout", m.first_byte_timeout));
  TROUPE_CHECK(time("idle_timeout", m.idle_timeout));
  if (const auto* retries = table.find("retries")) {
    const auto n = retries->as_int(-1);
    if (n < 0 || n > 20)
      return error(errc::config, "model " + name + ": retries: expected 0 to 20");
    m.retries.tries = static_cast<std::uint32_t>(n) + 1;
  }
  m.for_codec = table;
  for (const char* key :
       {"api_key", "provider", "price", "retries", "first_byte_timeout", "idle_timeout"})
    m.for_codec.erase(key);
  return m;
}

result<open_model> open_model::from(const std::string& name, const value& table,
                                    codec_source& codecs, const std::string& folder) {
  TROUPE_TRY(with, model_settings::from(name, table));
  auto codec = codecs.make_codec(with.provider, with.for_codec, folder);
  if (codec) return open_model{std::move(with), std::move(*codec)};
  error why = codec.error();
  why.message = "model " + name + ": " + why.message;
  return why;
}

llm::llm(settings with, codec_source& codecs, http_client& client)
    : with_(std::move(with)), codecs_(codecs), client_(client) {}

llm::~llm() {
  for (const auto& [id, cause] : by_http_)
    client_.cancel(id);
}

result<void> llm::open_models() {
  for (const auto& [name, table] : with_.models) {
    TROUPE_TRY(opened, open_model::from(name, table, codecs_, with_.folder));
    models_[name] = std::move(opened);
  }
  return ok();
}

progress llm::receive(context& ctx, envelope_ptr e) {
  switch (e->kind) {
    case kind::start: {
      outlet_ = ctx.make_outlet();
      if (auto opened = open_models(); !opened)
        ctx.fail(e->cause, opened.error());
      else
        ctx.reply(e->cause, {});
      ctx.done(e->cause);
      break;
    }
    case kind::call:
      if (e->verb == llm_api::chat) {
        on_chat(ctx, *e);
      } else if (e->verb == llm_api::models) {
        value list = value::array{};
        for (const auto& [name, m] : models_) {
          if (e->sender && !e->sender->grants.allows("llm", name)) continue;
          value one;
          one.set("name", name).set("provider", m.with.provider).set("model", m.with.model);
          if (m.with.has_price)
            one.set("price",
                    value::map{{"input", m.with.input_price}, {"output", m.with.output_price}});
          list.push(std::move(one));
        }
        ctx.reply(e->cause, packed(list));
      } else if (e->verb == llm_api::usage) {
        const bool may_see_all = !e->sender || e->sender->grants.allows("call", llm_api::name);
        ctx.reply(e->cause, packed(ledger_.below(may_see_all ? "" : e->sender->path)));
      } else if (e->verb == llm_api::left) {
        ctx.reply(e->cause,
                  packed(e->sender ? ledger_.left(*e->sender, ctx.now()) : value(value::map{})));
      } else {
        ctx.fail(e->cause,
                 {errc::unknown_verb, "llm: " + unknown_name("verb", e->verb,
                                                             {llm_api::chat, llm_api::models,
                                                              llm_api::usage, llm_api::left})});
      }
      if (!requests_.contains(e->cause)) ctx.done(e->cause);
      break;
    case kind::cancel:
      drop(ctx, e->cause);
      ctx.done(e->cause);
      break;
    case kind::credit:
      if (auto found = requests_.find(e->cause); found != requests_.end()) {
        auto& r = *found->second;
        flush(ctx, r);
        if (r.over && r.held_back.empty()) succeed(ctx, r);
      }
      break;
    case kind::event:
      on_http(ctx, *e);
      break;
    case kind::timer:
      on_timer(ctx, e->id);
      break;
    case kind::down:
      on_down(e->id);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    default:
      break;
  }
  return progress::idle;
}

void llm::on_chat(context& ctx, envelope& e) {
  auto args = unpack(e.body.view());
  value chat = args && !args->as_array().empty() ? args->as_array()[0] : value();
  if (!chat.is_map() || !chat["messages"].is_array())
    return ctx.fail(e.cause, {errc::bad_argument, "llm.chat: expected a request with messages"});
  const std::string name(chat["model"].as_string("default"));
  if (e.sender && !e.sender->grants.allows("llm", name))
    return ctx.fail(e.cause, not_granted(e.sender->path, "llm " + name));
  auto found = models_.find(name);
  if (found == models_.end()) {
    std::vector<std::string_view> known;
    for (const auto& [n, m] : models_)
      known.push_back(n);
    return ctx.fail(e.cause, {errc::not_found, "llm: " + unknown_name("model", name, known)});
  }
  auto& m = found->second;
  const auto* unpriced = m.with.has_price || !e.sender ? nullptr : place_with_cost(*e.sender);
  if (unpriced != nullptr)
    return ctx.fail(e.cause,
                    {errc::config, "llm: model " + name + " has no price, so the cost in " +
                                       budget_of(*unpriced) + " can't be held"});
  if (m.with.model.empty())
    chat.erase("model");
  else
    chat.set("model", m.with.model);
  if (chat.find("stream") == nullptr) chat.set("stream", true);

  auto r = std::make_unique<request>();
  r->cause = e.cause;
  r->of = &m;
  r->who = e.sender;
  r->deadline = e.deadline;
  r->began = ctx.now();
  r->wants_parts = e.credit > 0;
  r->reserved.calls = 1;
  r->reserved.input = estimated_tokens(chat["messages"]) + estimated_tokens(chat["tools"]);
  r->reserved.output = static_cast<std::uint64_t>(std::max<std::int64_t>(
      1, chat["max_tokens"].as_int(static_cast<std::int64_t>(m.with.max_tokens))));
  r->reserved.cost = (static_cast<double>(r->reserved.input) * m.with.input_price +
                      static_cast<double>(r->reserved.output) * m.with.output_price) /
                     1e6;
  r->chat = std::move(chat);
  if (r->who)
    if (auto reserved = ledger_.reserve(*r->who, r->reserved, ctx.now()); !reserved)
      return ctx.fail(e.cause, reserved.error());
  for (auto& place : ledger_.take_opened()) {
    ctx.monitor(++last_monitor_, place);
    watched_[last_monitor_] = std::move(place);
  }
  auto& kept = *r;
  requests_[e.cause] = std::move(r);
  attempt(ctx, kept);
}

void llm::attempt(context& ctx, request& r) {
  ++r.tries;
  r.hint.reset();
  auto begun = r.of->codec->begin(r.chat);
  if (!begun) return fail(ctx, r, begun.error());
  r.exchange = std::move(*begun);
  const auto* wanted = r.exchange->request();
  if (wanted == nullptr) {
    r.local = r.exchange->local();
    std::reverse(r.local.begin(), r.local.end());
    return play(ctx, r);
  }
  http_request http;
  http.method = wanted->method;
  http.url = wanted->url;
  http.headers = wanted->headers;
  http.body = wanted->body;
  if (!wanted->key_header.empty() && !r.of->with.api_key.empty())
    http.headers.push_back({wanted->key_header, wanted->key_prefix + r.of->with.api_key});
  http.first_byte_timeout = r.of->with.first_byte_timeout;
  http.idle_timeout = r.of->with.idle_timeout;
  http.total_timeout = duration::max();  // the call has its own deadline
  http.max_body = 64u << 20;
  http.stream = true;
  http.credit = most_held_back;
  r.http = client_.start(std::move(http), outlet_events(outlet_));
  by_http_[r.http] = r.cause;
}

/// Goes on with an answer that needs no endpoint, up to its next pause.
void llm::play(context& ctx, request& r) {
  model_events now;
  while (!r.local.empty()) {
    auto& next = r.local.back();
    if (next.delay > duration::zero()) {
      ctx.set_timer(r.cause, std::exchange(next.delay, duration::zero()));
      break;
    }
    now.push_back(std::move(next));
    r.local.pop_back();
  }
  const auto cause = r.cause;
  take(ctx, r, std::move(now));
  auto found = requests_.find(cause);
  if (found == requests_.end() || !found->second->exchange) return;
  auto& kept = *found->second;
  if (kept.local.empty() && kept.stop.empty() && !kept.over)
    fail(ctx, kept,
         {errc::bad_response, "model " + kept.of->with.name + " ended without an answer"});
}

void llm::on_timer(context& ctx, timer_id id) {
  auto found = requests_.find(id);
  if (found == requests_.end()) return;
  if (found->second->exchange)
    play(ctx, *found->second);
  else
    attempt(ctx, *found->second);
}

llm::request* llm::find_http(request_id id) {
  auto known = by_http_.find(id);
  if (known == by_http_.end()) return nullptr;
  return requests_.at(known->second).get();
}

void llm::on_http(context& ctx, const envelope& e) {
  auto body = unpack(e.body.view());
  if (!body) return;
  const auto id = static_cast<request_id>((*body)["id"].as_int());
  auto* r = find_http(id);
  if (r == nullptr) return;  // taken back meanwhile
  const auto cause = r->cause;
  if (e.verb == "http.head") {
    std::vector<http_header> headers;
    for (const auto& [name, text] : (*body)["headers"].as_map())
      headers.push_back({std::string(name.as_string()), std::string(text.as_string())});
    r->hint = retry_after(headers, ctx.wall());
    return take(
        ctx, *r,
        r->exchange->response(static_cast<std::uint32_t>((*body)["status"].as_int()), headers));
  }
  if (e.verb == "http.data") {
    const auto data = (*body)["data"].as_string();
    r->ungranted += data.size();
    take(ctx, *r, r->exchange->feed(data));
    if (auto* still = find_http(id); still != nullptr && still->held_back.size() < most_held_back)
      client_.grant(id, std::exchange(still->ungranted, 0));
    return;
  }
  // http.end
  by_http_.erase(id);
  r->http = 0;
  if (const auto* failed = body->find("error")) {
    auto why = error_from(*failed);
    why.message = "model " + r->of->with.name + ": " + why.message;
    const bool again = why.is(errc::unreachable) || why.is(errc::timeout) ||
                       why.is(errc::unavailable) || why.is(errc::overloaded);
    return on_failure(ctx, *r, std::move(why), again ? model_fault::transient : model_fault::fatal);
  }
  take(ctx, *r, r->exchange->finish());
  auto found = requests_.find(cause);
  if (found == requests_.end()) return;
  auto& kept = *found->second;
  if (!kept.exchange) return;  // it failed and waits for its next try
  if (kept.stop.empty())
    return on_failure(
        ctx, kept, {errc::bad_response, "model " + kept.of->with.name + " ended without an answer"},
        model_fault::transient);
  kept.over = true;
  if (kept.held_back.empty()) succeed(ctx, kept);
}

void llm::take(context& ctx, request& r, model_events events) {
  const auto cause = r.cause;
  for (auto& event : events) {
    switch (event.what) {
      case model_event::what::text:
        r.text += event.text;
        if (r.wants_parts) r.held_back += event.text;
        break;
      case model_event::what::call: {
        value call;
        call.set("id", event.id).set("name", event.name).set("raw", event.text);
        if (!event.args.is_nil()) call.set("args", std::move(event.args));
        r.calls.push(std::move(call));
        break;
      }
      case model_event::what::usage:
        r.usage = event.usage;
        r.has_usage = true;
        break;
      case model_event::what::stop:
        r.stop = event.text;
        if (!event.name.empty()) r.model_name = event.name;
        break;
      case model_event::what::error:
        event.why.message = "model " + r.of->with.name + ": " + event.why.message;
        if (event.why.retry_after > 0 && !r.hint) r.hint = seconds(event.why.retry_after);
        return on_failure(ctx, r, std::move(event.why), event.fault);
      case model_event::what::reasoning:
      case model_event::what::call_delta:
        break;  // progress that nobody asked for; `call` repeats it whole
    }
  }
  flush(ctx, r);
  auto found = requests_.find(cause);
  if (found == requests_.end()) return;
  // Without HTTP the stop is the end; with it, the end of the response is.
  if (r.http == 0 && r.exchange && r.exchange->request() == nullptr && !r.stop.empty()) {
    r.over = true;
    if (r.held_back.empty()) succeed(ctx, r);
  }
}

/// Hands on as much text as the reader has asked for.
void llm::flush(context& ctx, request& r) {
  while (!r.held_back.empty()) {
    const auto n = cut_at(r.held_back, longest_part);
    auto sent = ctx.part(r.cause, packed(value::map{{"text", r.held_back.substr(0, n)}}));
    if (!sent) {
      if (!sent.error().is(errc::no_credit)) r.held_back.clear();  // nobody reads any more
      return;
    }
    r.held_back.erase(0, n);
  }
  if (r.http != 0 && r.ungranted > 0) client_.grant(r.http, std::exchange(r.ungranted, 0));
}

void llm::on_failure(context& ctx, request& r, error why, model_fault fault) {
  stop_attempt(r);
  const bool may_repeat = fault == model_fault::transient || fault == model_fault::limited;
  why.retryable = may_repeat;
  if (r.hint) why.retry_after = to_seconds(*r.hint);
  // What a reader has seen can't be taken back.
  const bool is_fresh = !r.wants_parts || r.text.empty();
  if (!may_repeat || !is_fresh || r.tries >= r.of->with.retries.tries) return fail(ctx, r, why);
  const auto pause = backoff(r.of->with.retries, r.tries + 1, r.hint, ctx.random());
  if (pause > r.of->with.retries.patience || add(ctx.now(), pause) >= r.deadline)
    return fail(ctx, r, why);
  ++retried_;
  ctx.log(log_level::info, "a request to a model is sent again",
          {{"model", r.of->with.name},
           {"why", why.describe()},
           {"try", r.tries + 1},
           {"after", to_seconds(pause)}});
  r.text.clear();
  r.held_back.clear();
  r.calls = value(value::array{});
  r.stop.clear();
  ctx.set_timer(r.cause, pause);
}

void llm::stop_attempt(request& r) {
  r.exchange.reset();
  r.local.clear();
  if (r.http == 0) return;
  client_.cancel(r.http);
  by_http_.erase(r.http);
  r.http = 0;
}

/// Counts what was used; without word from the provider, what was estimated of what came.
void llm::settle(context& ctx, request& r) {
  spending used;
  used.calls = 1;
  used.input = r.has_usage ? r.usage.input : r.reserved.input;
  used.output = r.has_usage ? r.usage.output : r.text.size() / 4;
  used.cached = r.usage.cached;
  const auto& m = r.of->with;
  used.cost = (static_cast<double>(used.input - std::min(used.cached, used.input)) * m.input_price +
               static_cast<double>(used.cached) * m.cached_price +
               static_cast<double>(used.output) * m.output_price) /
              1e6;
  // A try that never got an answer has cost nothing but time.
  if (!r.has_usage && r.text.empty() && r.stop.empty()) used = {};
  used.time = to_seconds(ctx.now() - r.began);
  if (r.who) ledger_.settle(*r.who, r.reserved, used, ctx.now());
  for (const auto& place : ledger_.take_warnings())
    ctx.log(log_level::warning, "a budget is nearly used up", {{"place", place}});
  r.reserved = used;
}

void llm::succeed(context& ctx, request& r) {
  settle(ctx, r);
  value answer;
  answer.set("text", std::move(r.text)).set("calls", std::move(r.calls)).set("stop", r.stop);
  answer.set("model", r.model_name.empty() ? r.of->with.model : r.model_name);
  value usage;
  usage.set("input", r.reserved.input)
      .set("output", r.reserved.output)
      .set("cached", r.reserved.cached);
  usage.set("cost", r.reserved.cost);
  answer.set("usage", std::move(usage));
  const auto cause = r.cause;
  stop_attempt(r);
  auto body = pack(answer);
  if (body)
    ctx.reply(cause, std::move(*body));
  else
    ctx.fail(cause, body.error());
  requests_.erase(cause);
  ctx.done(cause);
}

void llm::fail(context& ctx, request& r, const error& why) {
  settle(ctx, r);
  const auto cause = r.cause;
  stop_attempt(r);
  ctx.cancel_timer(cause);
  ctx.fail(cause, why);
  requests_.erase(cause);
  ctx.done(cause);
}

/// The caller has gone.
void llm::drop(context& ctx, cause_id on) {
  auto found = requests_.find(on);
  if (found == requests_.end()) return;
  settle(ctx, *found->second);
  stop_attempt(*found->second);
  ctx.cancel_timer(on);
  requests_.erase(found);
}

void llm::on_down(monitor_id id) {
  const auto at = watched_.find(id);
  if (at == watched_.end()) return;
  ledger_.close(at->second);
  watched_.erase(at);
}

value llm::inspect() const {
  value v;
  v.set("models", static_cast<std::int64_t>(models_.size()));
  v.set("open", static_cast<std::int64_t>(requests_.size()));
  v.set("retried", retried_);
  v.set("budgets", static_cast<std::int64_t>(ledger_.accounts()));
  return v;
}

}  // namespace troupe
