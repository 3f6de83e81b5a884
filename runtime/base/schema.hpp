// SPDX-License-Identifier: Apache-2.0
//
// JSON Schema over plain data: draft 2020-12 as models and tools use it, and how older drafts wrote
// the same (items as a list, definitions, dependencies, exclusiveMinimum as a boolean). Of no use
// to a tool, and refused rather than ignored: unevaluatedItems, unevaluatedProperties, $dynamicRef,
// anchors, and references out of the document. `format` and what only describes says nothing here.
//
// Our own and not valijson, the library of Debian: that knows draft 7 and matches `pattern` with
// std::regex, which any model can stall; nor does it say what a model needs to mend its call.
#pragma once

#include <memory>

#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// A compiled schema. Immutable and thread-safe once made; cheap to copy.
class schema {
 public:
  /// Fails with bad_argument (`schema at #/properties/days: unknown type int`) where `document` is
  /// no schema.
  static result<schema> compile(const value& document);

  /// Fails with bad_argument and a sentence that names the place and what was expected there:
  /// `days: expected integer, got "two"`, `stops[2].port: missing`, `unknown name "prot": did you
  /// mean "port"?`. Of alternatives, it speaks of the one that was most likely meant.
  ///
  /// An empty list or map passes as an array and as an object, whichever the schema asks for, as an
  /// empty Lua table may be either. Bytes that are no text pass as a string. Ends after about a
  /// second, with an error, whatever the schema and the data.
  result<void> check(const value& v) const;

  /// What it was made from.
  const value& document() const;

 private:
  struct impl;
  explicit schema(std::shared_ptr<const impl> i);
  std::shared_ptr<const impl> impl_;  ///< shared: one compiled schema, many tools and calls
};

}  // namespace troupe
