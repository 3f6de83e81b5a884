// SPDX-License-Identifier: Apache-2.0
//
// What `troupe version` says; set by the build.
#pragma once

namespace troupe {

inline constexpr const char* version = TROUPE_VERSION;

}  // namespace troupe
