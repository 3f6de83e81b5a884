// SPDX-License-Identifier: Apache-2.0
//
// One thread that waits for all channels, pipes and ends of workers at once, so that none of them
// needs a thread of its own. It only says that something is ready: who owns the descriptor reads
// it, in its own turn and at its own pace.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/result.hpp"

namespace troupe {

/// All functions but the destructor may be called from any thread.
class poller {
 public:
  using key = std::uint64_t;
  /// Called on the poller's thread with what is ready (EPOLLIN, ...); must not block or throw.
  /// False ends the watch and destroys the function, there as well.
  using ready_function = std::function<bool(std::uint32_t events)>;

  /// Fails with io.
  static result<std::unique_ptr<poller>> open();
  /// One without a thread of its own: everything happens in `step`. For tests.
  static result<std::unique_ptr<poller>> open_manual();
  /// Runs tasks that wait, destroys what is still watched, ends the thread.
  ~poller();
  poller(const poller&) = delete;
  poller& operator=(const poller&) = delete;

  /// Calls `ready` once when one of `events` (or a hang-up) comes; after that `rearm` asks for the
  /// next one. The caller keeps `fd` open until it has called `forget`, or `ready` returned false.
  /// Fails with io.
  result<key> watch(int fd, std::uint32_t events, ready_function ready);
  void rearm(key k, int fd, std::uint32_t events);
  /// One more call of `ready` may be under way.
  void forget(key k, int fd);

  /// Only of a manual one: waits at most `ms` for something to be ready, handles what is.
  void step(int ms);

  /// Runs `task` on the poller's thread: what is short, and for what the thread matters.
  void run(std::function<void()> task);

 private:
  poller();
  struct impl;
  std::unique_ptr<impl> impl_;
};

}  // namespace troupe
