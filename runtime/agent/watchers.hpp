// SPDX-License-Identifier: Apache-2.0
//
// Who wants to hear that an agent ended, in the order in which they asked. Taking one back costs no
// scan, however many there are: whoever may monitor an agent could otherwise use up its time.
#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "agent/envelope.hpp"

namespace troupe {

class watcher_list {
 public:
  void add(const address& who, monitor_id id);
  void remove(const address& who, monitor_id id);
  std::size_t size() const { return list_.size() - gone_; }
  template <class F>
  void for_each(F f) const {
    for (const auto& w : list_)
      if (w.id != 0) f(w.who, w.id);
  }

 private:
  struct watcher {
    address who;
    monitor_id id = 0;  ///< 0: taken back
    friend bool operator==(const watcher&, const watcher&) = default;
  };
  struct hash {
    std::size_t operator()(const watcher& w) const {
      return static_cast<std::size_t>(w.who.agent ^ w.id * 0x9e3779b97f4a7c15u);
    }
  };
  using places = std::unordered_map<watcher, std::uint32_t, hash>;

  void tidy();

  std::vector<watcher> list_;
  std::size_t gone_ = 0;
  /// Where each is in the list; only while there are many.
  std::unique_ptr<places> places_;
};

}  // namespace troupe
