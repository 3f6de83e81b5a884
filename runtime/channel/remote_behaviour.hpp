// SPDX-License-Identifier: Apache-2.0
//
// The node's half of a channel: a behaviour whose agent lives at the far end. Its process stays in
// the node and knows nothing of that. Messages go out as frames, frames that come in become calls
// of the context. Why and when the far end ended is the agent's exit reason.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <unordered_map>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "base/clock.hpp"
#include "base/unique_fd.hpp"
#include "channel/far_end.hpp"
#include "channel/frame_stream.hpp"
#include "channel/greeting.hpp"
#include "channel/poller.hpp"
#include "channel/request_gate.hpp"

namespace troupe {

struct remote_limits {
  /// Bytes that may wait for a far end that has read nothing for `stall`; above it: `limit:
  /// channel`.
  std::size_t waiting = 2 * frame_limits{}.frame();
  duration stall = std::chrono::seconds(10);
  /// Bytes that may wait for one that reads, however slowly.
  std::size_t waiting_at_most = 8 * frame_limits{}.frame();
  /// A frame that has begun must be complete within this and twice this.
  duration partial_frame = std::chrono::seconds(30);
  /// How long a far end that has nothing to do any more may take to end by itself.
  duration grace = std::chrono::seconds(5);
  /// Calls, monitors, timers and links that may be open, each.
  std::size_t open_requests = 65'536;
};

/// The agent ends when the far end has ended, however that came: whoever hears of it may count on
/// that nothing of it runs any more. A kill destroys the behaviour and with it the far end.
class remote_behaviour final : public behaviour {
 public:
  /// `hello` lacks self, path and rights, which come from the context. `io` outlives this.
  remote_behaviour(std::unique_ptr<far_end> far, poller& io, greeting hello,
                   const remote_limits& limits = {});
  ~remote_behaviour() override;

  progress receive(context& ctx, envelope_ptr message) override;
  concurrency overlap() const override { return gate_.overlap(); }
  value inspect() const override;
  /// Asks the far end where it can answer; what it does not answer within a second, an inspection
  /// does without.
  progress control(context& ctx, envelope_ptr request) override;

 private:
  void begin(context& ctx);
  void deliver(context& ctx, const envelope& e);
  void on_event(context& ctx, const envelope& e);
  void on_alarm(context& ctx, std::uint64_t id);

  void connect(context& ctx);
  void read(context& ctx);
  /// Handles the frames that are complete. False if one of them was the last.
  bool handle_frames(context& ctx);
  void write(context& ctx);
  void watch_partial_frame(context& ctx);
  void watch_waiting(context& ctx);
  void disconnect();

  /// Decides the reason; the first one counts. The agent ends once the far end has.
  void end(context& ctx, error reason, bool at_once);
  void on_far_ended(context& ctx);
  void leave(context& ctx);
  void answer_inspection(context& ctx, cause_id cause);
  std::uint64_t set_alarm(context& ctx, duration after);

  std::unique_ptr<far_end> far_;
  poller& io_;
  greeting hello_;
  const remote_limits limits_;
  outlet events_;

  unique_fd fd_;
  poller::key watch_ = 0;
  frame_reader in_;
  frame_writer out_;
  request_gate gate_;

  std::optional<error> ending_;
  bool far_runs_ = false;
  std::uint64_t last_id_ = first_node_id;
  std::uint64_t partial_alarm_ = 0;  ///< 0: none is set
  std::uint64_t partial_frame_ = 0;  ///< the number of the frame it is for
  std::uint64_t stall_alarm_ = 0;    ///< 0: none is set
  std::uint64_t stall_mark_ = 0;     ///< what was written when it was set
  std::uint64_t grace_alarm_ = 0;
  std::uint64_t kill_alarm_ = 0;
  std::unordered_map<std::uint64_t, cause_id> inspections_;  ///< by alarm: those to be answered
};

}  // namespace troupe
