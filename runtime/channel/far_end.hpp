// SPDX-License-Identifier: Apache-2.0
//
// What a channel leads to, as its node sees it: something that can be started and killed and that
// ends some day with a reason. actors/worker makes it an OS process.
#pragma once

#include <string_view>

#include "agent/context.hpp"
#include "base/bytes.hpp"
#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "base/value.hpp"

namespace troupe {

/// Owned by a remote_behaviour, used in its turns alone. None of the functions blocks or throws.
class far_end {
 public:
  enum class news : std::uint8_t {
    none,
    connected,  ///< once: `take_channel` has it
    ended,      ///< once, and the last: `reason` has why. Also where it could not be started.
  };

  /// Ends at once what still runs, and leaves nothing behind.
  virtual ~far_end() = default;

  /// Starts it in the background. What there is to tell comes as events through `to`, whose verbs
  /// begin with `far.`.
  virtual void start(context& ctx, const outlet& to) = 0;
  /// Takes such an event.
  virtual news handle(context& ctx, std::string_view verb, const bytes& body) = 0;
  /// Our end of the socket, once.
  virtual unique_fd take_channel() = 0;
  /// Why it ended; normal if it says that all is well.
  virtual const error& reason() const = 0;
  virtual void kill() = 0;
  /// For `inspect`: a small map.
  virtual value inspect() const = 0;
};

}  // namespace troupe
