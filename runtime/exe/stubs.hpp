// SPDX-License-Identifier: Apache-2.0
//
// The LuaCATS stubs of the installation: what each function of the library is.
#pragma once

#include <map>
#include <set>
#include <string>

namespace troupe::cli {

struct stub {
  std::string signature;  ///< `troupe.call(to, verb, ...)`
  std::string comment;    ///< its lines without the dashes
};

/// By full name: `troupe.call`, `troupe.async.map`, `troupe.llm:ask`. Empty if they are not there.
std::map<std::string, stub> read_stubs();

/// Functions (no methods) that wait and may fail: who drops their result drops `nil, err`.
std::set<std::string, std::less<>> fallible_functions(const std::map<std::string, stub>& stubs);

}  // namespace troupe::cli
