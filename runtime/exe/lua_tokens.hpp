// SPDX-License-Identifier: Apache-2.0
//
// A Lua script cut into its tokens, for what can be said of it without running it. Whether they
// make a script is for Lua to say.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace troupe::cli {

struct lua_token {
  enum class kind { name, keyword, text, number, symbol, end };
  kind what = kind::end;
  std::string_view as_written;  ///< of a text: what stands between its quotes
  int line = 1;

  bool is(std::string_view symbol_or_keyword) const {
    return (what == kind::symbol || what == kind::keyword) && as_written == symbol_or_keyword;
  }
};

/// The last one is `end`. What is no token of Lua is a symbol of one character. The tokens borrow
/// from `source`.
std::vector<lua_token> lua_tokens(std::string_view source);

}  // namespace troupe::cli
