// SPDX-License-Identifier: Apache-2.0
#include "base/error.hpp"

namespace troupe {

namespace {

/// Codes after which the same request may succeed.
bool is_retryable(errc code) {
  switch (code) {
    case errc::down:
    case errc::overloaded:
    case errc::peer_lost:
    case errc::restarting:
    case errc::unreachable:
    case errc::rate_limited:
    case errc::unavailable:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string_view to_string(errc code) {
  constexpr std::string_view names[] = {
#define TROUPE_X(name, text) #name,
      TROUPE_ERROR_CODES(TROUPE_X)
#undef TROUPE_X
  };
  return names[static_cast<std::size_t>(code)];
}

error::error(errc code, std::string message)
    : code(troupe::to_string(code)), message(std::move(message)), retryable(is_retryable(code)) {}

error error::wrapped(errc outer, std::string outer_message) const {
  error e(outer, std::move(outer_message));
  e.cause = std::make_shared<error>(*this);
  return e;
}

std::string error::describe() const {
  std::string line = code;
  if (!message.empty()) line += ": " + message;
  if (!from.empty()) line += " (" + from + ")";
  if (cause) line += "; because " + cause->describe();
  return line;
}

bool operator==(const error& a, const error& b) {
  return a.code == b.code && a.message == b.message && a.from == b.from && a.data == b.data &&
         a.traceback == b.traceback && a.retryable == b.retryable &&
         a.retry_after == b.retry_after && !a.cause == !b.cause &&
         (!a.cause || *a.cause == *b.cause);
}

value to_value(const error& e) {
  value v = value::map{};
  v.set("code", e.code);
  if (!e.message.empty()) v.set("message", e.message);
  if (!e.from.empty()) v.set("from", e.from);
  if (!e.data.is_nil()) v.set("data", e.data);
  if (e.cause) v.set("cause", to_value(*e.cause));
  if (!e.traceback.empty()) v.set("traceback", e.traceback);
  if (e.retryable) v.set("retryable", true);
  if (e.retry_after > 0) v.set("retry_after", e.retry_after);
  return v;
}

error error_from(const value& v) {
  const auto* code = v.find("code");
  if (code == nullptr || !code->is_string()) {
    error e(errc::failed, std::string(v.as_string()));
    if (!v.is_string()) e.data = v;
    return e;
  }
  error e(std::string(code->as_string()), std::string(v["message"].as_string()));
  e.from = v["from"].as_string();
  e.data = v["data"];
  if (const auto* cause = v.find("cause")) e.cause = std::make_shared<error>(error_from(*cause));
  e.traceback = v["traceback"].as_string();
  e.retryable = v["retryable"].as_bool();
  e.retry_after = v["retry_after"].as_double();
  return e;
}

bool is_normal_exit(const error& reason) {
  return reason.is(errc::normal) || reason.is(errc::shutdown);
}

}  // namespace troupe
