// SPDX-License-Identifier: Apache-2.0
#include "fault.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <ctime>
#include <optional>

namespace {

using troupe::sdk::fault;
using troupe::sdk::header;
using troupe::sdk::value;

/// More text of an error than this helps nobody.
constexpr std::size_t max_sentence = 1000;

bool same_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) {
           return std::tolower(static_cast<unsigned char>(x)) ==
                  std::tolower(static_cast<unsigned char>(y));
         });
}

std::string_view find_header(const std::vector<header>& headers, std::string_view name) {
  for (const header& h : headers)
    if (same_ignoring_case(h.name, name)) return h.value;
  return {};
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT`, the one form of a date in HTTP today.
std::optional<double> parse_date(std::string_view text) {
  static constexpr std::array<std::string_view, 12> months = {
      "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t n) {
    return std::atoi(std::string(text.substr(at, n)).c_str());
  };
  const auto month = std::find(months.begin(), months.end(), text.substr(8, 3));
  if (month == months.end()) return std::nullopt;
  std::tm t{};
  t.tm_mday = number(5, 2);
  t.tm_mon = static_cast<int>(month - months.begin());
  t.tm_year = number(12, 4) - 1900;
  t.tm_hour = number(17, 2);
  t.tm_min = number(20, 2);
  t.tm_sec = number(23, 2);
  return static_cast<double>(timegm(&t));
}

/// What an endpoint says of an error, in the forms in which they say it.
struct complaint {
  std::string message, type, code;
};

complaint complaint_of(const value& body) {
  complaint c;
  const value& e = body["error"].is_nil() ? body : body["error"];
  if (e.is_string()) {
    c.message = e.as_string();
    return c;
  }
  for (const char* key : {"message", "detail", "msg"})
    if (c.message.empty()) c.message = e[key].as_string();
  c.type = e["type"].as_string();
  c.code =
      e["code"].is_int() ? std::to_string(e["code"].as_int()) : std::string(e["code"].as_string());
  return c;
}

bool is_spent(const complaint& c) {
  for (std::string_view word : {"insufficient_quota", "credit_balance_exhausted", "billing_error",
                                "billing_hard_limit_reached", "billing_not_active"})
    if (c.code == word || c.type == word) return true;
  return false;
}

std::string shorten(std::string text) {
  if (text.size() <= max_sentence) return text;
  std::size_t end = max_sentence;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
    --end;
  return text.substr(0, end) + "...";
}

void classify(diagnosis& d, std::uint32_t status, const complaint& c) {
  if (status == 402 || is_spent(c)) {
    d.fault = fault::spent;
    d.code = "unauthorized";
  } else if (status == 429) {
    d.fault = fault::limited;
    d.code = "rate_limited";
  } else if (status == 401 || status == 403) {
    d.fault = fault::fatal;
    d.code = "unauthorized";
  } else if (status >= 500 || status == 408 || status == 409) {
    d.fault = fault::transient;
    d.code = "unavailable";
  } else if (status >= 400) {
    d.fault = fault::fatal;
    d.code = "bad_request";
  } else {
    // A redirect, or something that no server of this kind says.
    d.fault = fault::fatal;
    d.code = "bad_response";
  }
}

}  // namespace

double parse_duration(std::string_view text) {
  double total = 0;
  std::string rest(text);
  const char* at = rest.c_str();
  if (*at == '\0') return 0;
  while (*at != '\0') {
    if (!std::isdigit(static_cast<unsigned char>(*at)) && *at != '.') return 0;
    char* end = nullptr;
    const double n = std::strtod(at, &end);
    const std::string_view unit(end);
    double scale = 0;
    std::size_t width = 1;
    if (unit.substr(0, 2) == "ms") {
      scale = 1e-3;
      width = 2;
    } else if (unit.substr(0, 2) == "us") {
      scale = 1e-6;
      width = 2;
    } else if (unit.substr(0, 1) == "s") {
      scale = 1;
    } else if (unit.substr(0, 1) == "m") {
      scale = 60;
    } else if (unit.substr(0, 1) == "h") {
      scale = 3600;
    } else if (unit.substr(0, 1) == "d") {
      scale = 86400;
    } else if (unit.empty() && at == rest.c_str()) {
      return n;  // a plain number
    } else {
      return 0;
    }
    total += n * scale;
    at = end + width;
  }
  return total;
}

double wait_of(const std::vector<header>& headers) {
  for (const char* name : {"retry-after-ms", "x-ms-retry-after-ms"})
    if (const double ms = parse_duration(find_header(headers, name)); ms > 0) return ms / 1000;
  const auto after = find_header(headers, "retry-after");
  if (const double s = parse_duration(after); s > 0) return s;
  if (const auto then = parse_date(after)) {
    // By the server's own clock, so that ours may be wrong.
    const auto now = parse_date(find_header(headers, "date"));
    if (now && *then > *now) return *then - *now;
  }
  double wait = 0;
  for (const std::string what : {"requests", "tokens"})
    if (find_header(headers, "x-ratelimit-remaining-" + what) == "0")
      wait = std::max(wait, parse_duration(find_header(headers, "x-ratelimit-reset-" + what)));
  return wait;
}

diagnosis diagnose_status(const std::string& endpoint, std::uint32_t status,
                          const std::vector<header>& headers, const value& body,
                          std::string_view raw) {
  const complaint c = complaint_of(body);
  diagnosis d;
  classify(d, status, c);
  const auto hint = find_header(headers, "x-should-retry");
  if (hint == "true" && d.fault == fault::fatal) d.fault = fault::transient;
  if (hint == "false" && d.fault != fault::spent) d.fault = fault::fatal;
  if (d.fault == fault::limited || d.fault == fault::transient) d.retry_after = wait_of(headers);
  d.message = endpoint + " answered " + std::to_string(status);
  if (!c.message.empty())
    d.message += ": " + shorten(c.message);
  else if (!raw.empty() && body.is_nil())
    d.message += ": " + shorten(std::string(raw));
  return d;
}

diagnosis diagnose_error(const std::string& endpoint, const value& error) {
  value body = value::map{};
  body.set("error", error);
  const complaint c = complaint_of(body);
  diagnosis d;
  std::uint32_t status = static_cast<std::uint32_t>(std::max(0, std::atoi(c.code.c_str())));
  if (status < 400 || status > 599) {
    // Without a number the words decide; the request itself was accepted, so it is not to blame.
    status = 500;
    if (c.code.find("rate_limit") != std::string::npos ||
        c.type.find("rate_limit") != std::string::npos)
      status = 429;
    if (c.type == "invalid_request_error" || c.code.find("context_length") != std::string::npos)
      status = 400;
  }
  classify(d, status, c);
  d.message =
      endpoint + " broke off: " + (c.message.empty() ? "it does not say why" : shorten(c.message));
  return d;
}
