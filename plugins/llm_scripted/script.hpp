// SPDX-License-Identifier: Apache-2.0
//
// The replies of a scripted model: read from plain data and chosen by what the last message says.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <troupe/value.hpp>
#include <vector>

struct scripted_call {
  std::string id, name;
  troupe::sdk::value args;
};

struct scripted_failure {
  std::uint32_t status = 500;  ///< 0: the connection breaks
  std::string message;
  double retry_after = 0;   ///< seconds
  std::uint64_t after = 0;  ///< pieces of text before it
};

struct scripted_reply {
  /// Empty: any message fits.
  std::string match, role;
  /// How often it is given; nothing: always.
  std::optional<std::uint64_t> left;

  std::string text, stop;
  std::vector<scripted_call> calls;
  double delay = 0, pause = 0;  ///< seconds
  std::optional<scripted_failure> failure;
  std::optional<std::uint64_t> input, output, cached;
};

class script {
 public:
  /// From `{ replies = {...} }`. Throws failure (config) that begins with `source` and names the
  /// place.
  script(const troupe::sdk::value& document, const std::string& source);

  /// The reply to the last message, used up by this; null if none fits.
  const scripted_reply* choose(const troupe::sdk::value& messages);

 private:
  std::vector<scripted_reply> replies_;
};

/// The text of a message: its content, or the text parts of it.
std::string text_of(const troupe::sdk::value& message);

/// True if a pattern of the file (`*`, `|`, backslash) is found anywhere in `text`.
bool is_found(std::string_view pattern, std::string_view text);
