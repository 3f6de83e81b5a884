// SPDX-License-Identifier: Apache-2.0
//
// What curl's codes mean to whoever made a request.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "http/curl.hpp"

namespace troupe {

struct http_failure {
  errc code;
  std::string reason;  ///< without the host
  /// False if trying again can't help, whatever the code says.
  bool may_pass = true;
};

/// `detail` is curl's own sentence, or empty; `number` an errno, or 0; `connecting`: there was no
/// connection yet.
http_failure what_happened(CURLcode code, std::string_view detail, int number, bool connecting);

}  // namespace troupe
