// SPDX-License-Identifier: Apache-2.0
//
// Tools of a C++ plugin: a function with a JSON Schema. Header only, C++17.
#pragma once

#include <troupe/ext/tools.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "troupe/host.hpp"

namespace troupe::sdk {

struct tool_call {
  std::uint64_t id = 0;
  value args;                    ///< a map that fits the schema
  std::string caller;            ///< path of the agent that asks
  value grants;                  ///< what it may do: { read = { globs }, ... }, or "all"
  std::string folder;            ///< absolute; where relative paths start
  double time_left = -1;         ///< seconds; below zero: no limit
  std::uint64_t max_result = 0;  ///< bytes
};

/// Takes the answer to one call, once, from any thread. Dropped unused, it fails the call.
class tool_answer {
 public:
  tool_answer(const troupe_tools_host_t* api, troupe_answer_t* handle)
      : api_(api), handle_(handle) {}
  tool_answer(tool_answer&& other) noexcept
      : api_(other.api_), handle_(std::exchange(other.handle_, nullptr)) {}
  tool_answer& operator=(tool_answer&&) = delete;
  ~tool_answer() {
    if (handle_ != nullptr) fail(failure("failed", "the tool dropped the call"));
  }

  void finish(const value& v) {
    const auto packed = pack(v);
    if (handle_ != nullptr) api_->finish(std::exchange(handle_, nullptr), to_bytes(packed));
  }
  void fail(const failure& why) {
    const auto e = detail::error_record(why);
    if (handle_ != nullptr) api_->fail(std::exchange(handle_, nullptr), &e);
  }

 private:
  const troupe_tools_host_t* api_;
  troupe_answer_t* handle_;
};

/// Answers by returning, or by throwing a failure.
using tool_function = std::function<value(const tool_call&)>;
/// Answers later. What it throws is the failure of the call if it still holds the answer.
using slow_tool_function = std::function<void(const tool_call&, tool_answer)>;

}  // namespace troupe::sdk
