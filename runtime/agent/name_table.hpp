// SPDX-License-Identifier: Apache-2.0
//
// Who holds which name, for both carriers. A name may have several holders for a while: below a
// supervisor that was killed, those that are ending yet and those that came after them stand at the
// same path. It leads to the newest of them.
#pragma once

#include <forward_list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "agent/address.hpp"

namespace troupe {

/// Not thread-safe. With one holder, which is nearly always, a name costs its entry and nothing
/// else.
class name_table {
 public:
  /// `name` leads to `holder` from now on. False if another holds it and `replace` is not set; with
  /// it, the other waits behind.
  bool bind(std::string_view name, const address& holder, bool replace);
  /// Takes `holder` from the name, wherever it stands: the name leads to the newest who is left.
  void unbind(std::string_view name, const address& holder);
  /// Drops what `was_held` knows, if `agent` was the last who held the name.
  void forget(std::string_view name, std::uint64_t agent);

  /// Nobody if it is free.
  address lookup(std::string_view name) const;
  /// True if the name is free, and it was held and not forgotten since.
  bool was_held(std::string_view name) const;

 private:
  struct entry {
    address newest;                     ///< or, of a free name, the last
    std::forward_list<address> behind;  ///< who holds it as well, newest first
    bool is_free = true;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };

  std::unordered_map<std::string, entry, text_hash, std::equal_to<>> entries_;
};

}  // namespace troupe
