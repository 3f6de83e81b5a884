// SPDX-License-Identifier: Apache-2.0
//
// The way in for code that is no agent: `main`, the shell's prompt, tests. It is an agent itself,
// so what it calls sees an ordinary caller, with deadlines, parts and a cancel when it gives up.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agent/carrier.hpp"

namespace troupe {

/// Thread-safe. Functions that wait must not be called from an agent's turn.
class gateway {
 public:
  /// Called once, with the answer or why there is none, on a scheduler thread: must not block.
  using on_answer = std::function<void(result<bytes>)>;
  /// The same, for each part of that call, before the answer. Each part that has been dealt with is
  /// worth a `grant`, which asks for one more.
  using on_part = std::function<void(call_id, bytes)>;
  using on_end = std::function<void(error)>;

  /// Makes its agent, at `path` with `rights`. Fails as carrier::start does. `c` outlives it.
  static result<std::unique_ptr<gateway>> open(carrier& c, std::string path,
                                               authority_ptr rights = nullptr);
  /// Ends its agent, and with it what it started; calls that are open fail with cancelled.
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  const address& self() const { return self_; }

  /// `args` is a packed list. Answered in any case, unless it is cancelled. Where `part` is given
  /// and the options name no credit, 16 parts may be under way.
  call_id begin_call(const target& to, std::string_view verb, bytes args, call_options options,
                     on_answer answer, on_part part = nullptr);
  /// Lets `parts` more come.
  void grant(call_id id, std::uint32_t parts);
  /// Takes a call back: its answer will not come, unless it is being handed over just now.
  void cancel(call_id id);
  void send(const target& to, std::string_view verb, bytes args);
  /// Sends an exit signal.
  void exit(const target& whom, error reason);
  /// Calls `end` with the reason once `whom` has ended; at once if it has, with `down` and the
  /// reason behind it.
  void monitor(const target& whom, on_end end);

  // -- the same, waiting
  result<bytes> call(const target& to, std::string_view verb, bytes args,
                     call_options options = {});
  /// Starts a child of this gateway and waits until it is ready. Fails as its start does.
  result<address> start(process_init init, duration timeout = std::chrono::seconds(30));
  /// Waits until `whom` has ended: its exit reason, or nothing if it still lives after `limit`.
  std::optional<error> wait_end(const target& whom, duration limit = duration::max());

 private:
  struct desk;
  class clerk;
  gateway(carrier& c, std::shared_ptr<desk> d) : carrier_(c), desk_(std::move(d)) {}
  bool order(std::function<void(context&)> what);

  carrier& carrier_;
  std::shared_ptr<desk> desk_;  ///< shared: with its agent, which may end later
  address self_;
  outlet knock_;
};

}  // namespace troupe
