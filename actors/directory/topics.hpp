// SPDX-License-Identifier: Apache-2.0
//
// Who has subscribed to which topics: names at once, patterns one by one.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/address.hpp"

namespace troupe {

/// True if it has `*` or `?`.
bool is_pattern(std::string_view name);

/// Not thread-safe.
class topics {
 public:
  struct subscriber {
    address who;
    std::string verb;
    friend bool operator==(const subscriber&, const subscriber&) = default;
  };

  /// False if it is there already.
  bool add(const address& who, const std::string& pattern, const std::string& verb);
  /// Without a verb, all with that pattern. False if there was none.
  bool remove(const address& who, const std::string& pattern, std::string_view verb);
  /// The agent has ended.
  void forget(const address& who);

  /// Whom something under that name goes to: each with each verb once, in the order in which they
  /// subscribed, those by name first.
  std::vector<subscriber> subscribers(const std::string& name) const;
  std::size_t count_of(const address& who) const;
  std::size_t size() const { return size_; }

 private:
  std::map<std::string, std::vector<subscriber>, std::less<>> by_name_, by_pattern_;
  std::unordered_map<address, std::vector<std::string>>
      of_agent_;  ///< patterns, one a subscription
  std::size_t size_ = 0;
};

}  // namespace troupe
