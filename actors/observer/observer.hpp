// SPDX-License-Identifier: Apache-2.0
//
// Keeps what happened lately, answers who asks and tells those who follow. See api.hpp.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "actors/observer/event_feed.hpp"
#include "agent/behaviour.hpp"

namespace troupe {

class observer final : public behaviour {
 public:
  explicit observer(std::shared_ptr<event_feed> feed) : feed_(std::move(feed)) {}

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  struct follower {
    std::string glob;
    std::int64_t dropped = 0;
  };

  void look(context& ctx);
  void serve(context& ctx, const envelope& e);
  result<value> recent(const value::array& args) const;
  void note_progress(context& ctx, const envelope& e);
  void keep(context& ctx, value event);

  std::shared_ptr<event_feed> feed_;  ///< shared with whoever reports, on other threads
  std::deque<value> events_;
  std::int64_t last_number_ = 0;
  std::map<cause_id, follower> followers_;
};

}  // namespace troupe
