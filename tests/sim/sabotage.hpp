// SPDX-License-Identifier: Apache-2.0
//
// Ways to break a promise of the runtime on purpose, below the ledger's eyes: to show that it is
// caught.
#pragma once

#include <cstdint>

namespace troupe::test {

enum class sabotage : std::uint8_t {
  none,
  overtake,         ///< a send is held back until the next message of its pair has passed
  hasty_down,       ///< a `down` passes what its sender had sent before
  answer_twice,     ///< a reply is posted again
  lose_call,        ///< a call is never made and never ends
  late_answer,      ///< a call may take longer than its deadline
  extra_credit,     ///< the callee is told of more credit than was granted
  two_at_once,      ///< a serial agent gets the next message before it is done
  unknown_child,    ///< an agent runs below a supervisor that did not start it
  hasty_start,      ///< a child counts as ready before it is
  hasty_stop,       ///< a child counts as ended before it has
  keep_name,        ///< the name of one that ended stays
  two_holders,      ///< a name is given away although its holder lives
  lose_down,        ///< a `down` is not posted
  early_tick,       ///< a timer ticks before its time
  talk_after_stop,  ///< a message comes after `stop`
  stay,             ///< some that are told to end do not
};

}  // namespace troupe::test
