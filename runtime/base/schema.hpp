// SPDX-License-Identifier: Apache-2.0
//
// JSON Schema (2020-12 as models and tools use it: type, properties, required, enum, const, items,
// prefixItems, $defs and local $ref, anyOf, oneOf, allOf, not, limits and patterns) over plain
// data.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// A compiled schema. Immutable and thread-safe once made; cheap to copy.
class schema {
 public:
  /// Fails with bad_argument, naming the place, where `document` is no schema.
  static result<schema> compile(const value& document);

  /// Fails with bad_argument and a sentence that names the place and what was expected there, e.g.
  /// `days: expected integer, got "two"`. An empty table passes as an array and as an object.
  result<void> check(const value& v) const;

  const value& document() const;

 private:
  struct impl;
  explicit schema(std::shared_ptr<const impl> i);
  std::shared_ptr<const impl> impl_;  ///< shared: one compiled schema, many tools and calls
};

}  // namespace troupe
