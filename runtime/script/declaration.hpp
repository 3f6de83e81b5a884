// SPDX-License-Identifier: Apache-2.0
//
// What a script says of itself before anybody runs it as an agent: found by loading its file into a
// state that is thrown away, where nothing can be called and nothing waited for.
#pragma once

#include <string>
#include <vector>

#include "agent/authority.hpp"
#include "agent/behaviour.hpp"
#include "base/result.hpp"
#include "base/value.hpp"
#include "script/lua_behaviour.hpp"
#include "script/program.hpp"

namespace troupe::script {

struct declared_verb {
  std::string name;
  /// Of a tool (see troupe.tool); empty and nil for a plain verb.
  std::string description;
  value params;
};

struct declaration {
  /// What it can't do without.
  grants needs;
  /// What it would use: `needs.optional`, either kinds of `needs` that it can do without, or
  /// further needs in the same shape.
  grants optional;
  /// By option, { default = value } or { required = type }.
  value options = value::map{};
  concurrency overlap;
  std::int64_t version = 1;
  std::vector<declared_verb> verbs;  ///< agent.on, by name
  std::vector<declared_verb> own;    ///< agent.own, by name
  std::vector<std::string> hooks;

  bool has_verb(std::string_view name) const;
};

/// What a script says it needs: a table in the shape of `needs`.
struct declared_needs {
  grants must, optional;
};
/// Fails with config. Relative paths start from `folder`.
result<declared_needs> needs_from(value all, const std::string& folder);

/// Thread-safe. Fails with syntax or crash where the file does, config if it returns no agent,
/// limit if loading takes more than 10 million instructions or too much memory.
result<declaration> declare(const environment& shared, const program_ptr& script);

}  // namespace troupe::script
