// SPDX-License-Identifier: Apache-2.0
#include "plugin/plugin_codec.hpp"

#include <array>
#include <optional>
#include <utility>

#include "base/msgpack.hpp"
#include "plugin/foreign.hpp"

namespace troupe {

std::string_view to_string(model_fault f) {
  constexpr std::array<std::string_view, 4> names = {"transient", "limited", "spent", "fatal"};
  return names[static_cast<std::size_t>(f)];
}

namespace {

/// More headers than any request has: beyond it a count is garbage.
constexpr std::uint32_t max_headers = 1000;

model_event failed(std::string message) {
  model_event e;
  e.what = model_event::what::error;
  e.fault = model_fault::fatal;
  e.why = error(errc::bad_response, std::move(message));
  return e;
}

/// Collects what a codec puts, and what is wrong with it.
class event_sink {
 public:
  event_sink(const std::string& who, model_events& out) : who_(who), out_(out) {}
  const troupe_model_events_t* record() const { return &record_; }

 private:
  std::optional<model_event> read(const troupe_model_event_t& e) const;

  void put(const troupe_model_event_t* e) noexcept {
    auto event = is_record(e) ? read(*e) : std::nullopt;
    out_.push_back(event ? std::move(*event) : failed(who_ + ": put an event that is garbage"));
  }

  const std::string& who_;
  model_events& out_;
  const troupe_model_events_t record_{
      sizeof(troupe_model_events_t), 0, this,
      [](void* self, const troupe_model_event_t* e) { static_cast<event_sink*>(self)->put(e); }};
};

std::optional<model_event> event_sink::read(const troupe_model_event_t& e) const {
  auto text = text_of(e.text), id = text_of(e.id), name = text_of(e.name);
  if (!text || !id || !name) return std::nullopt;
  model_event out;
  out.index = e.index;
  out.delay = seconds(e.delay);
  out.text = *text;
  out.id = *id;
  out.name = *name;
  switch (e.type) {
    case TROUPE_EVENT_TEXT:
      out.what = model_event::what::text;
      return out;
    case TROUPE_EVENT_REASONING:
      out.what = model_event::what::reasoning;
      return out;
    case TROUPE_EVENT_CALL_DELTA:
      out.what = model_event::what::call_delta;
      return out;
    case TROUPE_EVENT_CALL: {
      out.what = model_event::what::call;
      auto data = view_of(e.data);
      if (!data) return std::nullopt;
      if (data->empty()) return out;
      auto args = unpack(*data);
      if (!args) return std::nullopt;
      out.args = std::move(*args);
      return out;
    }
    case TROUPE_EVENT_USAGE:
      out.what = model_event::what::usage;
      out.usage = {e.input, e.output, e.cached};
      return out;
    case TROUPE_EVENT_STOP:
      out.what = model_event::what::stop;
      return out;
    case TROUPE_EVENT_ERROR: {
      if (e.fault < TROUPE_FAULT_TRANSIENT || e.fault > TROUPE_FAULT_FATAL) return std::nullopt;
      out.what = model_event::what::error;
      out.fault = static_cast<model_fault>(e.fault - TROUPE_FAULT_TRANSIENT);
      out.why = error(out.name.empty() ? std::string(to_string(errc::failed)) : out.name, out.text);
      out.why.retryable = out.fault == model_fault::transient || out.fault == model_fault::limited;
      if (e.retry_after > 0) out.why.retry_after = e.retry_after;
      return out;
    }
    default:
      return std::nullopt;
  }
}

/// Takes what `begin` says its request is.
class request_sink {
 public:
  const troupe_model_request_t* record() const { return &record_; }
  std::optional<codec_request> http;
  bool local = false;
  std::string fault;

 private:
  void take(const troupe_http_request_t* r) noexcept;

  const troupe_model_request_t record_{
      sizeof(troupe_model_request_t), 0, this,
      [](void* self, const troupe_http_request_t* r) { static_cast<request_sink*>(self)->take(r); },
      [](void* self) { static_cast<request_sink*>(self)->local = true; }};
};

/// A header is one line of visible text: anything else could smuggle a second one.
bool is_header_text(std::string_view s) {
  for (char c : s)
    if (c == '\r' || c == '\n' || c == '\0') return false;
  return true;
}

void request_sink::take(const troupe_http_request_t* r) noexcept {
  const auto garbage = [&](const char* what) {
    fault = std::string("made a request with ") + what;
  };
  if (!is_record(r) || r->header_count > max_headers ||
      (r->header_count > 0 && r->headers == nullptr))
    return garbage("headers that are garbage");
  auto method = text_of(r->method), url = text_of(r->url), key_header = text_of(r->key_header),
       key_prefix = text_of(r->key_prefix);
  auto body = view_of(r->body);
  if (!method || method->empty()) return garbage("no method");
  if (!url || (!url->starts_with("http://") && !url->starts_with("https://")))
    return garbage("a URL that is neither http nor https");
  if (!key_header || !key_prefix || !is_header_text(*key_header) || !is_header_text(*key_prefix))
    return garbage("a key header that is garbage");
  if (!body) return garbage("a body that is garbage");
  codec_request out{std::string(*method), std::string(*url),        {},
                    std::string(*body),   std::string(*key_header), std::string(*key_prefix)};
  for (std::uint32_t i = 0; i < r->header_count; ++i) {
    auto name = text_of(r->headers[i].name), content = text_of(r->headers[i].value);
    if (!name || !content || name->empty() || !is_header_text(*name) || !is_header_text(*content))
      return garbage("a header that is garbage");
    out.headers.push_back({std::string(*name), std::string(*content)});
  }
  http = std::move(out);
}

/// What `create` made; dropped when its codec and all its exchanges are.
class codec_handle {
 public:
  codec_handle(std::shared_ptr<plugin_instance> plugin, const troupe_model_provider_t* provider)
      : who_("plugin " + plugin->about().name + ": " + sentence_of(provider->name)),
        provider_(provider),
        plugin_(std::move(plugin)) {}
  codec_handle(const codec_handle&) = delete;
  codec_handle& operator=(const codec_handle&) = delete;
  ~codec_handle() {
    // Whatever it throws, it is over.
    if (lives_) (void)call_foreign(who_, [&] { provider_->destroy(codec_); });
  }

  result<void> create(const bytes& options, const std::string& folder) {
    result_slot why(who_ + ": create");
    auto answered = call_foreign(who_ + ": create", [&] {
      return provider_->create(plugin_->self(), provider_, to_bytes(options.view()),
                               to_text(folder), &codec_, why.record());
    });
    if (!answered) return std::move(answered.error());
    if (*answered != TROUPE_OK) return why.failure(*answered);
    lives_ = true;
    return ok();
  }

  const std::string& who() const { return who_; }
  const troupe_model_provider_t& provider() const { return *provider_; }
  void* codec() const { return codec_; }

 private:
  std::string who_;
  const troupe_model_provider_t* provider_;
  std::shared_ptr<plugin_instance> plugin_;  ///< shared: keeps what the plugin was given
  void* codec_ = nullptr;
  bool lives_ = false;
};

class plugin_exchange final : public model_exchange {
 public:
  explicit plugin_exchange(std::shared_ptr<codec_handle> codec) : codec_(std::move(codec)) {}
  ~plugin_exchange() override {
    // Whatever it throws, it is over.
    if (lives_) (void)call_foreign(codec_->who(), [&] { provider().end(exchange_); });
  }

  result<void> begin(const bytes& chat) {
    const std::string who = codec_->who() + ": begin";
    result_slot why(who);
    request_sink request;
    event_sink events(codec_->who(), local_);
    auto answered = call_foreign(who, [&] {
      return provider().begin(codec_->codec(), to_bytes(chat.view()), request.record(),
                              events.record(), &exchange_, why.record());
    });
    if (!answered) return std::move(answered.error());
    if (*answered != TROUPE_OK) return why.failure(*answered);
    lives_ = true;
    const auto wrong = [&](const std::string& what) {
      return error(errc::bad_response, who + ": " + what);
    };
    if (!request.fault.empty()) return wrong(request.fault);
    if (request.http.has_value() == request.local)
      return wrong("asked neither for HTTP nor for a local answer, or for both");
    if (request.http && !local_.empty()) return wrong("answered before it was asked");
    http_ = std::move(request.http);
    if (!http_) end_with(local_);
    return ok();
  }

  const codec_request* request() const override { return http_ ? &*http_ : nullptr; }
  model_events local() override { return std::exchange(local_, {}); }

  model_events response(std::uint32_t status, const std::vector<http_header>& headers) override {
    std::vector<troupe_header_t> records;
    records.reserve(headers.size());
    for (const http_header& h : headers)
      records.push_back({to_text(h.name), to_text(h.value)});
    return drive("response", [&](const troupe_model_events_t* events) {
      provider().response(exchange_, status, records.data(),
                          static_cast<std::uint32_t>(records.size()), events);
    });
  }
  model_events feed(std::string_view piece) override {
    return drive("feed", [&](const troupe_model_events_t* events) {
      provider().feed(exchange_, to_bytes(piece), events);
    });
  }
  model_events finish() override {
    if (ended_) return {};
    model_events events = drive(
        "finish", [&](const troupe_model_events_t* sink) { provider().finish(exchange_, sink); });
    end_with(events);
    return events;
  }

 private:
  const troupe_model_provider_t& provider() const { return codec_->provider(); }

  /// What one call put; a throw is an error event.
  template <class F>
  model_events drive(const char* what, F&& f) {
    model_events events;
    if (ended_) return events;
    event_sink sink(codec_->who(), events);
    auto called = call_foreign(codec_->who() + ": " + what, [&] { f(sink.record()); });
    if (!called) events.push_back(failed(called.error().message));
    cut_behind_end(events);
    return events;
  }

  /// Drops what follows a stop or an error.
  void cut_behind_end(model_events& events) {
    for (std::size_t i = 0; i < events.size(); ++i)
      if (events[i].what == model_event::what::stop || events[i].what == model_event::what::error) {
        events.resize(i + 1);
        ended_ = true;
      }
  }

  /// The same, and makes sure that there is one.
  void end_with(model_events& events) {
    cut_behind_end(events);
    if (!ended_) events.push_back(failed(codec_->who() + ": ended without a stop or an error"));
    ended_ = true;
  }

  std::shared_ptr<codec_handle> codec_;  ///< shared: the codec may go before its exchanges
  void* exchange_ = nullptr;
  bool lives_ = false;
  bool ended_ = false;
  std::optional<codec_request> http_;
  model_events local_;
};

class plugin_codec final : public model_codec {
 public:
  explicit plugin_codec(std::shared_ptr<codec_handle> handle) : handle_(std::move(handle)) {}

  result<std::unique_ptr<model_exchange>> begin(const value& chat) override {
    TROUPE_TRY(body, pack(chat));
    auto exchange = std::make_unique<plugin_exchange>(handle_);
    TROUPE_CHECK(exchange->begin(body));
    return std::unique_ptr<model_exchange>(std::move(exchange));
  }

 private:
  std::shared_ptr<codec_handle> handle_;
};

}  // namespace

result<std::unique_ptr<model_codec>> make_plugin_codec(std::shared_ptr<plugin_instance> plugin,
                                                       const troupe_model_provider_t* provider,
                                                       const value& options,
                                                       const std::string& folder) {
  TROUPE_TRY(packed, pack(options));
  auto handle = std::make_shared<codec_handle>(std::move(plugin), provider);
  TROUPE_CHECK(handle->create(packed, folder));
  return std::unique_ptr<model_codec>(std::make_unique<plugin_codec>(std::move(handle)));
}

}  // namespace troupe
