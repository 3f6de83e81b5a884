// SPDX-License-Identifier: Apache-2.0
//
// Keys of maps as all readers keep them, whatever text or bytes they read (sdk/docs/values.md).
#pragma once

#include "base/value.hpp"

namespace troupe {

/// Brings a key into its one form: a whole float becomes an integer, binary that is UTF-8 a string.
/// False if it can't be a key: nil, NaN, an extension, a list or a map.
bool normalise_key(value& key);

/// Where a key comes more than once, keeps its last member. Keys are normalised. Takes
/// n log n for big maps, so that no input makes it slow.
void drop_repeated_keys(value::map& members);

}  // namespace troupe
