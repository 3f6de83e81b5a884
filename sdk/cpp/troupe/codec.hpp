// SPDX-License-Identifier: Apache-2.0
//
// Model codecs of a C++ plugin; see ext/models.h for what a codec is and what a chat request holds.
// Header only, C++17.
#pragma once

#include <troupe/ext/models.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/host.hpp"

namespace troupe::sdk {

enum class fault : std::uint32_t {
  transient = TROUPE_FAULT_TRANSIENT,
  limited = TROUPE_FAULT_LIMITED,
  spent = TROUPE_FAULT_SPENT,
  fatal = TROUPE_FAULT_FATAL,
};

struct header {
  std::string name, value;
};

struct http_request {
  std::string method = "POST";
  std::string url;
  std::vector<header> headers;
  std::string body;
  /// Where the node puts the key, and what stands before it.
  std::string key_header, key_prefix;
};

/// Where a codec puts its events. `delay`, in seconds since the event before, is for local answers.
class events {
 public:
  explicit events(const troupe_model_events_t* to) : to_(to) {}

  void text(std::string_view more, double delay = 0) const {
    auto e = event(TROUPE_EVENT_TEXT, delay);
    e.text = to_text(more);
    put(e);
  }
  void reasoning(std::string_view more) const {
    auto e = event(TROUPE_EVENT_REASONING, 0);
    e.text = to_text(more);
    put(e);
  }
  /// `id` and `name` in the first piece of call `index` only.
  void call_delta(std::uint32_t index, std::string_view id, std::string_view name,
                  std::string_view json) const {
    auto e = event(TROUPE_EVENT_CALL_DELTA, 0);
    e.index = index;
    e.id = to_text(id);
    e.name = to_text(name);
    e.text = to_text(json);
    put(e);
  }
  /// `args` is nothing where `json` can't be parsed.
  void call(std::uint32_t index, std::string_view id, std::string_view name, std::string_view json,
            const std::optional<value>& args, double delay = 0) const {
    auto e = event(TROUPE_EVENT_CALL, delay);
    e.index = index;
    e.id = to_text(id);
    e.name = to_text(name);
    e.text = to_text(json);
    const std::string packed = args ? pack(*args) : std::string();
    e.data = to_bytes(packed);
    put(e);
  }
  void usage(std::uint64_t input, std::uint64_t output, std::uint64_t cached = 0) const {
    auto e = event(TROUPE_EVENT_USAGE, 0);
    e.input = input;
    e.output = output;
    e.cached = cached;
    put(e);
  }
  /// `reason`: stop, length, calls or filter. The last event.
  void stop(std::string_view reason, std::string_view model, double delay = 0) const {
    auto e = event(TROUPE_EVENT_STOP, delay);
    e.text = to_text(reason);
    e.name = to_text(model);
    put(e);
  }
  /// The last event.
  void error(fault f, std::string_view code, std::string_view message, double retry_after = 0,
             double delay = 0) const {
    auto e = event(TROUPE_EVENT_ERROR, delay);
    e.fault = static_cast<std::uint32_t>(f);
    e.name = to_text(code);
    e.text = to_text(message);
    e.retry_after = retry_after;
    put(e);
  }

 private:
  static troupe_model_event_t event(std::uint32_t type, double delay) {
    troupe_model_event_t e{};
    e.size = sizeof e;
    e.type = type;
    e.delay = delay;
    return e;
  }
  void put(const troupe_model_event_t& e) const { to_->put(to_->context, &e); }

  const troupe_model_events_t* to_;
};

/// One request and its answer over HTTP: `response` once, then `feed` with pieces cut anywhere,
/// then `finish`. What they throw is a fatal error of the exchange.
class exchange {
 public:
  virtual ~exchange() = default;
  virtual void response(std::uint32_t status, const std::vector<header>& headers,
                        const events& out) = 0;
  virtual void feed(std::string_view piece, const events& out) = 0;
  /// There has been a stop or an error when this returns.
  virtual void finish(const events& out) = 0;
};

/// What `codec::begin` answers: either `http` and an exchange that reads the response, or `local`
/// with all events put.
struct begun {
  http_request http;
  std::unique_ptr<sdk::exchange> exchange;
  bool local = false;
};

/// One configured model. Its constructor takes (const host&, const value& options, folder).
class codec {
 public:
  virtual ~codec() = default;
  /// Throws failure where the provider can't do what `chat` asks for.
  virtual begun begin(const value& chat, const events& out) = 0;
};

}  // namespace troupe::sdk
