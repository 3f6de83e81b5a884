// SPDX-License-Identifier: Apache-2.0
//
// Who wants to see the messages of agents. Costs an agent that nobody traces one load per turn.
#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include "agent/envelope.hpp"

namespace troupe {

/// A message as one of its two agents sees it. Borrowed for the call.
struct traced_message {
  const envelope& what;
  bool is_outgoing = false;
  std::string_view path;  ///< of the agent that is traced
  std::string_view peer;  ///< of the other one; its address as text if it has none
};

/// Thread-safe. Called in agents' turns: it must not block.
class tracer {
 public:
  virtual ~tracer() = default;

  /// Another number whenever what is traced has changed; 0 until anything is.
  std::uint32_t generation() const { return generation_.load(std::memory_order_acquire); }
  /// The traces that want an agent's messages, as a set of bits.
  virtual std::uint32_t wanted(std::string_view path) const = 0;
  virtual void on_message(std::uint32_t traces, const traced_message& m) = 0;

 protected:
  std::atomic<std::uint32_t> generation_{0};
};

}  // namespace troupe
