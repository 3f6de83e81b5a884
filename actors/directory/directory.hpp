// SPDX-License-Identifier: Apache-2.0
//
// Groups of agents: who is in which, until it leaves or ends; and topics: who has subscribed to
// what. Registered names are not here but in
// the carrier's table, where finding one costs no message.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/directory/topics.hpp"
#include "agent/behaviour.hpp"
#include "agent/context.hpp"

namespace troupe {

class directory final : public behaviour {
 public:
  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  struct membership {
    monitor_id watch = 0;
    std::set<std::string> groups;
  };

  result<value> serve(context& ctx, const envelope& e);
  result<value> serve_topic(context& ctx, const envelope& e, const value::array& args);
  /// Hears of the end of an agent, as long as it has anything here.
  void watch(context& ctx, const address& who);
  void forget_if_idle(context& ctx, const address& who);
  result<value> join(context& ctx, const address& who, const std::string& name);
  bool leave(context& ctx, const address& who, const std::string& name);
  void remove(const address& who, const std::string& name);

  std::map<std::string, std::vector<address>, std::less<>> groups_;  ///< in the order of joining
  std::unordered_map<address, membership> memberships_;
  std::unordered_map<monitor_id, address> watched_;
  monitor_id last_watch_ = 0;
  topics topics_;
};

}  // namespace troupe
