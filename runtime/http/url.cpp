// SPDX-License-Identifier: Apache-2.0
#include "http/url.hpp"

#include <algorithm>
#include <memory>

#include "http/curl.hpp"
#include "http/rules.hpp"

namespace troupe {

namespace {

using handle = std::unique_ptr<CURLU, curl_deleter<&curl_functions::url_cleanup>>;

/// A part as text; empty if there is none.
std::string part(CURLU* of, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl().url_get(of, which, &text, flags) != CURLUE_OK) return {};
  std::unique_ptr<char, curl_deleter<&curl_functions::free>> owner(text);
  return text;
}

/// The handle stops at a NUL, and control characters are the stuff of request smuggling.
result<void> check_characters(std::string_view text) {
  if (text.empty()) return {errc::bad_argument, "a url is empty"};
  if (text.size() > max_url_bytes)
    return {errc::bad_argument, "a url is longer than " + std::to_string(max_url_bytes) + " bytes"};
  bool clean = std::all_of(text.begin(), text.end(), [](char c) {
    auto byte = static_cast<unsigned char>(c);
    return byte > 0x20 && byte != 0x7f;
  });
  if (!clean) return {errc::bad_argument, "a url holds a space or control character"};
  return {};
}

result<void> set(CURLU* to, std::string_view text) {
  auto code = curl().url_set(to, CURLUPART_URL, std::string(text).c_str(),
                             CURLU_DISALLOW_USER | CURLU_URLENCODE);
  switch (code) {
    case CURLUE_OK:
      return {};
    case CURLUE_UNSUPPORTED_SCHEME:
      return {errc::denied, "a url has a scheme other than http and https"};
    case CURLUE_USER_NOT_ALLOWED:
      return {errc::denied, "a url holds a user name or password"};
    case CURLUE_BAD_SCHEME:
      return {errc::bad_argument, "a url does not begin with http:// or https://"};
    default:
      return {errc::bad_argument, std::string("not a url: ") + curl().url_strerror(code)};
  }
}

result<url> read(CURLU* from) {
  url u;
  u.scheme = part(from, CURLUPART_SCHEME);
  if (u.scheme != "http" && u.scheme != "https")
    return {errc::denied, "the scheme " + u.scheme + " is not http or https"};
  u.host = to_lower(part(from, CURLUPART_HOST));
  if (u.host.empty()) return {errc::bad_argument, "a url names no host that can be looked up"};
  // Its translation depends on the process's locale, so what is judged might not be what is
  // dialled.
  if (std::any_of(u.host.begin(), u.host.end(), [](char c) { return (c & 0x80) != 0; }))
    return {errc::bad_argument, "a url names an international host; write it in its xn-- form"};
  auto port = std::stoul("0" + part(from, CURLUPART_PORT, CURLU_DEFAULT_PORT));
  if (port == 0) return {errc::bad_argument, "a url names port 0"};
  u.port = static_cast<std::uint16_t>(port);

  curl().url_set(from, CURLUPART_FRAGMENT, nullptr, 0);
  if (curl().url_set(from, CURLUPART_HOST, u.host.c_str(), 0) != CURLUE_OK)
    return {errc::bad_argument, "a url names no host that can be looked up"};
  u.text = part(from, CURLUPART_URL);
  if (u.text.empty()) return {errc::bad_argument, "a url can't be written down"};
  return u;
}

}  // namespace

result<url> parse_url(std::string_view text) {
  TROUPE_CHECK(load_curl());
  TROUPE_CHECK(check_characters(text));
  handle h(curl().url());
  TROUPE_CHECK(set(h.get(), text));
  return read(h.get());
}

result<url> resolve_url(const url& base, std::string_view location) {
  TROUPE_CHECK(check_characters(location));
  handle h(curl().url());
  TROUPE_CHECK(set(h.get(), base.text));
  TROUPE_CHECK(set(h.get(), location));
  return read(h.get());
}

}  // namespace troupe
