// SPDX-License-Identifier: Apache-2.0
#include "http/rules.hpp"

#include <algorithm>
#include <iterator>

namespace troupe {

namespace {

/// RFC 9110: what methods and header names are made of.
bool is_token(std::string_view text) {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           marks.find(c) != marks.npos;
  });
}

bool is_header_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::string_view (&names)[N]) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

/// Headers that frame a message or choose its host.
bool is_reserved(std::string_view name) {
  constexpr std::string_view names[] = {
      "host",       "content-length", "transfer-encoding", "connection",
      "keep-alive", "upgrade",        "http2-settings",    "te",
      "trailer",    "expect",         "proxy-connection",  "proxy-authorization"};
  return is_one_of(name, names);
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string s(text);
  std::transform(s.begin(), s.end(), s.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return s;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  auto first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

bool may_follow_elsewhere(std::string_view name) {
  constexpr std::string_view names[] = {"accept", "accept-language", "content-type", "user-agent"};
  return is_one_of(name, names);
}

result<void> check_request(const http_request& r) {
  if (!is_token(r.method) || r.method == "CONNECT" || r.method.size() > 32)
    return {errc::bad_argument, "a request has a method that is none"};
  std::size_t bytes = 0;
  for (const auto& h : r.headers) {
    if (!is_token(h.name))
      return {errc::bad_argument, "a request has a header without a valid name"};
    if (is_reserved(to_lower(h.name)))
      return {errc::bad_argument, "the header " + h.name + " is set by the http client alone"};
    if (!is_header_value(h.value))
      return {errc::bad_argument,
              "the value of the header " + h.name + " holds control characters"};
    bytes += h.name.size() + h.value.size();
  }
  if (bytes > max_head_bytes)
    return {errc::bad_argument,
            "the headers are longer than " + std::to_string(max_head_bytes) + " bytes"};
  return {};
}

}  // namespace troupe
