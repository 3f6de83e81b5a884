// SPDX-License-Identifier: Apache-2.0
//
// From a chat request of ours to the body of a chat completions request.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <troupe/host.hpp>
#include <troupe/value.hpp>

/// What the model's table in the app file says, with defaults.
struct settings {
  /// Throws failure (config) where an option has the wrong type or value.
  explicit settings(const troupe::sdk::value& options);

  std::string base_url;
  std::string endpoint;  ///< host of base_url, for sentences
  std::string model;
  std::string max_tokens_field;
  std::int64_t max_tokens = 0;  ///< 0: the provider's
  bool usage = true;
  bool strict_schema = false;
  std::string key_header;
  std::map<std::string, std::string> headers;
};

/// Endpoints allow letters, digits, _ and - in the name of a tool, up to 64; ours hold dots. Keeps
/// which name stands for which within one request.
class tool_names {
 public:
  /// The name that the endpoint sees; the same for the same name.
  std::string outer(std::string_view name);
  /// Back again; a name that the model made up stays as it is.
  std::string inner(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> outer_, inner_;
};

/// The body as plain data. Throws failure (bad_request) where `chat` is no chat request.
troupe::sdk::value make_body(const troupe::sdk::host& node, const settings& with,
                             const troupe::sdk::value& chat, tool_names& names);
