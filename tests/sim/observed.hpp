// SPDX-License-Identifier: Apache-2.0
//
// Puts a ledger between any behaviour and its context, in the simulation and in a node.
#pragma once

#include <memory>

#include "agent/behaviour.hpp"
#include "sim/ledger.hpp"
#include "sim/sabotage.hpp"

namespace troupe::test {

/// Does what `inner` does, and notes it. `book` and `harm` outlive it; null: none is done.
std::unique_ptr<behaviour> observe(std::unique_ptr<behaviour> inner, ledger& book,
                                   const sabotage* harm = nullptr);

}  // namespace troupe::test
