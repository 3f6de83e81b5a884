// SPDX-License-Identifier: Apache-2.0
#include "actors/llm/retry.hpp"

#include <strings.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace troupe {

namespace {

const std::string* find(const std::vector<http_header>& headers, const char* name) {
  for (const auto& h : headers)
    if (strcasecmp(h.name.c_str(), name) == 0) return &h.value;
  return nullptr;
}

std::optional<double> number(std::string_view text) {
  while (text.starts_with(' '))
    text.remove_prefix(1);
  while (text.ends_with(' '))
    text.remove_suffix(1);
  double x = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), x);
  if (code != std::errc() || end != text.data() + text.size() || !(x >= 0)) return std::nullopt;
  return x;
}

std::optional<wall_time> http_date(const char* text) {
  for (const char* form :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    tm parts{};
    const char* end = strptime(text, form, &parts);
    if (end != nullptr && *end == '\0')
      return std::chrono::system_clock::from_time_t(timegm(&parts));
  }
  return std::nullopt;
}

}  // namespace

std::optional<duration> retry_after(const std::vector<http_header>& headers, wall_time now) {
  if (const auto* ms = find(headers, "retry-after-ms"))
    if (auto x = number(*ms)) return seconds(*x / 1000);
  const auto* text = find(headers, "retry-after");
  if (text == nullptr) return std::nullopt;
  if (auto x = number(*text)) return seconds(*x);
  auto date = http_date(text->c_str());
  if (!date) return std::nullopt;
  return std::max(duration::zero(), std::chrono::duration_cast<duration>(*date - now));
}

duration backoff(const retry_policy& policy, std::uint32_t next, std::optional<duration> hint,
                 std::uint64_t random) {
  duration pause = policy.first;
  for (std::uint32_t i = 2; i < next && pause < policy.most; ++i)
    pause *= 2;
  pause = std::min(pause, policy.most);
  pause -= duration(
      static_cast<std::int64_t>(random % static_cast<std::uint64_t>(pause.count() / 4 + 1)));
  return hint ? std::max(*hint, pause) : pause;
}

}  // namespace troupe
