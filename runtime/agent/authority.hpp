// SPDX-License-Identifier: Apache-2.0
//
// What an agent may do, and whose budgets pay for it. Immutable; every envelope carries its
// sender's. The actor that is asked checks it. See *Grants and budgets* in the design.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/address.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// Lists of globs by kind: llm, tools, net, read, write, env, run, store, call, topics; and how
/// many agents may be spawned. Needs (what a script wants) and grants (what a spec allows) are both
/// this.
class grants {
 public:
  /// Everything.
  static grants all();
  /// From a spec's or script's table, or "all". Relative read and write globs start from
  /// `base_folder`, which is absolute. Fails with config, naming the key.
  static result<grants> from(const value& v, const std::string& base_folder = {});
  value to_value() const;

  /// True if `what` matches a glob of that kind (`*` any text, `?` one character). For read and
  /// write `what` is an absolute, normal path and a glob covers all below it; for net it is
  /// host:port.
  bool allows(std::string_view kind, std::string_view what) const;
  /// Everything in `inner` is covered. If not, `missing` names the first that is not, as `net
  /// x:443`.
  bool covers(const grants& inner, std::string* missing = nullptr) const;
  /// What both allow; where two globs overlap and neither covers the other, neither is kept.
  grants cut(const grants& other) const;

  /// What either allows.
  grants joined(const grants& other) const;

  std::int64_t spawn_limit() const { return spawn_; }

 private:
  bool all_ = false;
  std::map<std::string, std::vector<std::string>, std::less<>> globs_;
  std::int64_t spawn_ = 0;
};

/// True if `text` matches `glob`. Takes at most as many steps as the product of their lengths.
bool glob_matches(std::string_view glob, std::string_view text);

/// A hard cap of a place in the tree, for it and all below it; what is not set is not capped.
struct budget_place {
  /// Fails with config: `{ tokens, cost, calls, time, per = "run" | "hour" | "day" | "month", warn
  /// }`.
  static result<budget_place> from(const value& v, std::string path);

  std::string path;
  std::optional<std::int64_t> tokens, calls;
  std::optional<double> cost;       ///< in the currency of the models' prices
  std::optional<double> time;       ///< seconds of model calls, all together
  duration per = duration::zero();  ///< zero: the node's run
  bool is_temporary = false;        ///< its agent is never started again: the budget ends with it
  double warn = 1;                  ///< share of a cap after which an operator is told
};

struct authority {
  troupe::grants grants;
  /// Path of the agent it was made for.
  std::string path;
  /// Places in the tree whose budgets pay, innermost first.
  std::vector<budget_place> budgets;
  /// Of a pool's member: the pool.
  address pool = {};
};
using authority_ptr = std::shared_ptr<const authority>;  ///< shared: one record, many envelopes

/// That the agent at `path` may not do `what`, such as `net example.org:443`: denied.
error not_granted(std::string_view path, std::string_view what);

}  // namespace troupe
