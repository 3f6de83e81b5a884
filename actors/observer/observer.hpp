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
#include "actors/observer/trace_feed.hpp"
#include "agent/behaviour.hpp"

namespace troupe {

class observer final : public behaviour {
 public:
  /// Without `traces` nothing can be traced.
  explicit observer(std::shared_ptr<event_feed> feed, std::shared_ptr<trace_feed> traces = nullptr)
      : feed_(std::move(feed)), traces_(std::move(traces)) {}

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 private:
  struct follower {
    std::string glob;
    std::int64_t credit = 0;  ///< without it, nothing is made for it
    std::int64_t dropped = 0;
  };

  /// Takes what has gathered, or a part of it if that is much.
  void look(context& ctx, std::int64_t most = event_feed::in_a_turn);
  struct tracing {
    cause_id cause = no_cause;
    std::int64_t count = 0;  ///< still to be shown
    std::int64_t bytes_left = 0;
    std::int64_t shown = 0, dropped = 0;
    std::deque<bytes> waiting;  ///< for credit
    std::string ended;          ///< by what; empty while it goes on
  };

  void serve(context& ctx, const envelope& e);
  result<void> begin_trace(context& ctx, const envelope& e, const value::array& args);
  void on_traced(context& ctx, const envelope& e);
  void end_trace(context& ctx, std::uint64_t number, const char* by);
  /// Shows what waits as far as there is credit; answers when all is shown.
  void show_traced(context& ctx, std::uint64_t number);
  result<value> recent(const value::array& args) const;
  void note_progress(context& ctx, const envelope& e);
  void keep(context& ctx, noted_event event);

  std::shared_ptr<event_feed> feed_;  ///< shared with whoever reports, on other threads
  /// The newest. Made into values only for who asks: in a flood of dead letters nobody does.
  std::deque<noted_event> events_;
  std::int64_t last_number_ = 0;
  std::map<cause_id, follower> followers_;
  std::shared_ptr<trace_feed> traces_;  ///< shared as feed_ is
  std::map<std::uint64_t, tracing> tracing_;
};

}  // namespace troupe
