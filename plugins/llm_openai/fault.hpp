// SPDX-License-Identifier: Apache-2.0
//
// What a failed request means: whether it may be tried again, and when.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <troupe/codec.hpp>
#include <vector>

struct diagnosis {
  troupe::sdk::fault fault = troupe::sdk::fault::transient;
  std::string code;
  std::string message;
  double retry_after = 0;  ///< seconds; 0: unknown
};

/// Of an HTTP status that is no success. `body` is what came with it, parsed if it was JSON, else
/// nil.
diagnosis diagnose_status(const std::string& endpoint, std::uint32_t status,
                          const std::vector<troupe::sdk::header>& headers,
                          const troupe::sdk::value& body, std::string_view raw);

/// Of an `error` in a stream that began well.
diagnosis diagnose_error(const std::string& endpoint, const troupe::sdk::value& error);

/// Seconds that the headers ask to wait: retry-after-ms, retry-after (seconds or a date), else the
/// limits that are used up. 0: they don't say.
double wait_of(const std::vector<troupe::sdk::header>& headers);

/// Seconds of `1s`, `6m0s`, `120ms` or a plain number of seconds; 0 for anything else.
double parse_duration(std::string_view text);
