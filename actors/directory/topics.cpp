// SPDX-License-Identifier: Apache-2.0
#include "actors/directory/topics.hpp"

#include <algorithm>

#include "agent/authority.hpp"

namespace troupe {

bool is_pattern(std::string_view name) {
  return name.find_first_of("*?") != std::string_view::npos;
}

bool topics::add(const address& who, const std::string& pattern, const std::string& verb) {
  auto& list = (is_pattern(pattern) ? by_pattern_ : by_name_)[pattern];
  const subscriber one{who, verb};
  if (std::find(list.begin(), list.end(), one) != list.end()) return false;
  list.push_back(one);
  of_agent_[who].push_back(pattern);
  ++size_;
  return true;
}

bool topics::remove(const address& who, const std::string& pattern, std::string_view verb) {
  auto& all = is_pattern(pattern) ? by_pattern_ : by_name_;
  const auto at = all.find(pattern);
  if (at == all.end()) return false;
  const auto gone = std::erase_if(at->second, [&](const subscriber& s) {
    return s.who == who && (verb.empty() || s.verb == verb);
  });
  if (at->second.empty()) all.erase(at);
  auto& own = of_agent_[who];
  for (auto left = gone; left > 0; --left)
    own.erase(std::find(own.begin(), own.end(), pattern));
  if (own.empty()) of_agent_.erase(who);
  size_ -= gone;
  return gone > 0;
}

void topics::forget(const address& who) {
  const auto at = of_agent_.find(who);
  if (at == of_agent_.end()) return;
  const auto patterns = at->second;
  for (const auto& pattern : patterns)
    remove(who, pattern, {});
}

std::vector<topics::subscriber> topics::subscribers(const std::string& name) const {
  std::vector<subscriber> found;
  if (const auto at = by_name_.find(name); at != by_name_.end()) found = at->second;
  for (const auto& [pattern, list] : by_pattern_) {
    if (!glob_matches(pattern, name)) continue;
    for (const auto& s : list)
      if (std::find(found.begin(), found.end(), s) == found.end()) found.push_back(s);
  }
  return found;
}

std::size_t topics::count_of(const address& who) const {
  const auto at = of_agent_.find(who);
  return at != of_agent_.end() ? at->second.size() : 0;
}

}  // namespace troupe
