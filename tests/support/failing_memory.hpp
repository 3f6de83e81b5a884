// SPDX-License-Identifier: Apache-2.0
//
// Proof that a binding survives every failing allocation: the same work is done again and again,
// with the 1st, 2nd, 3rd ... growth of the Lua state refused, until it gets through. Under
// AddressSanitizer this finds what a raise leaks, because Lua leaves frames by longjmp.
#pragma once

#include <cstddef>

#include "script/state.hpp"

namespace troupe::test {

/// Refuses one growth and all that follow, as a full state does (Lua collects and tries again).
class failing_memory {
 public:
  /// `growths` pass, then none does. Counts from now on.
  void fail_after(long growths) {
    left_ = growths;
    refused_ = false;
  }
  void stop_failing() { left_ = -1; }
  bool refused() const { return refused_; }

  /// For the settings of the state that is tried, or of its agent.
  template <class Settings>
  void install(Settings& with) {
    with.refuse = [](void* self, std::size_t) {
      return static_cast<failing_memory*>(self)->refuse();
    };
    with.refuse_with = this;
  }

 private:
  bool refuse() {
    if (left_ < 0) return false;
    if (left_ > 0) {
      --left_;
      return false;
    }
    refused_ = true;
    return true;
  }

  long left_ = -1;
  bool refused_ = false;
};

/// Calls `attempt(n)` with n = 0, 1, 2 ... It makes its state, does its work with
/// `fail_after(n)`, checks that nothing is broken, and returns whether the work was done without a
/// refusal. Returns how many attempts it took, or -1 if `most` were not enough.
template <class F>
int fail_each_allocation(F&& attempt, int most = 100'000) {
  for (int n = 0; n < most; ++n) {
    if (attempt(n)) return n + 1;
  }
  return -1;
}

}  // namespace troupe::test
