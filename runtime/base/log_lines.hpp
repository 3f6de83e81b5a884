// SPDX-License-Identifier: Apache-2.0
//
// Records of the log as lines, for who brings them where they go: see text_sink and json_sink.
#pragma once

#include <string>

#include "base/log.hpp"

namespace troupe {

/// `09:14:02 warning worker: worker ended signal=SIGKILL`, without a newline.
std::string text_line(const log_record& r);
/// The same as a JSON object.
std::string json_line(const log_record& r);

}  // namespace troupe
