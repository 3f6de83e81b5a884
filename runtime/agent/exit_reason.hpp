// SPDX-License-Identifier: Apache-2.0
//
// Why an agent ended, as others get it. It is copied to all who watch, and kept for those who ask
// later: so it is small, whatever a script put into it.
#pragma once

#include "base/error.hpp"

namespace troupe {

/// The same reason, cut to what may be kept: a message of 4 KiB, a traceback of 16 KiB, eight
/// causes and 64 KiB of data (above that, none). What is cut ends in `...`.
error kept_reason(error why);

}  // namespace troupe
