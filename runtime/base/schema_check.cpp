// SPDX-License-Identifier: Apache-2.0
//
// Holds data against a compiled schema and finds the one sentence that helps most: it goes to a
// model, which mends its call by it.
#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "base/canonical.hpp"
#include "base/nearest.hpp"
#include "base/schema_node.hpp"
#include "base/schema_words.hpp"

namespace troupe {

namespace {

/// Schemas inside each other, `$ref` included. Data has its own bound, so only a schema that leads
/// back to itself on the same data gets here.
constexpr std::size_t max_nesting = 400;
/// Schemas held against data, all in all: alternatives of alternatives grow exponentially. About a
/// second.
constexpr std::size_t max_steps = 5'000'000;
/// Names that a sentence lists.
constexpr std::size_t max_listed = 12;

/// Where in the data something is, from the outside in; lives on the stack of the walk.
struct place {
  const place* outer = nullptr;
  std::string_view name;  ///< of a member; for an element `index` counts
  std::size_t index = 0;
  bool is_member = false;
  std::size_t depth = 0;

  place member(std::string_view of) const { return {this, of, 0, true, depth + 1}; }
  place element(std::size_t i) const { return {this, {}, i, false, depth + 1}; }

  std::string to_string() const {
    if (outer == nullptr) return "";
    auto text = outer->to_string();
    if (!is_member) return text + "[" + std::to_string(index) + "]";
    if (!text.empty()) text += ".";
    return text + std::string(name.substr(0, max_quote));
  }
};

struct fault {
  std::string where;
  std::size_t depth = 0;
  std::string sentence;
  /// What was expected, if it was the type alone.
  type_set types = 0;
  /// A constant that was not met: of alternatives, such a one was not meant.
  bool is_choice = false;
};
using verdict = std::optional<fault>;

type_set type_of(const value& v) {
  if (v.is_nil()) return 1;
  if (v.is_bool()) return 2;
  if (v.is_int()) return integer_type | fraction_type;
  if (const auto* x = v.get_if<double>())
    return std::trunc(*x) == *x && std::isfinite(*x) ? integer_type | fraction_type : fraction_type;
  if (v.is_string() || v.is_binary()) return 16;
  // An empty table of Lua may be meant as either.
  if (v.is_array()) return v.as_array().empty() ? array_type | object_type : array_type;
  if (v.is_map()) return v.as_map().empty() ? array_type | object_type : object_type;
  return 0;
}

/// Exact: a long double holds every int64 and every double.
long double exact(const value& v) {
  if (const auto* x = v.get_if<std::int64_t>()) return static_cast<long double>(*x);
  return static_cast<long double>(v.as_double());
}

bool is_multiple(const value& v, const value& of) {
  const auto* x = v.get_if<std::int64_t>();
  const auto* y = of.get_if<std::int64_t>();
  if (x != nullptr && y != nullptr) return *x % *y == 0;
  const double number = v.as_double(), unit = of.as_double();
  const auto whole = [](double q) { return std::trunc(q) == q; };
  // An integer is a multiple of a hundredth, and 0.0075 is one of 0.0001, though not in binary.
  return (whole(number) && whole(1 / unit)) ||
         std::fabs(std::remainder(number, unit)) <= 1e-9 * unit;
}

class checker {
 public:
  verdict check(const schema_node& n, const value& v, const place& at);

 private:
  verdict check_inside(const schema_node& n, const value& v, const place& at);
  verdict check_number(const schema_node& n, const value& v, const place& at);
  verdict check_text(const schema_node& n, std::string_view text, const place& at);
  verdict check_array(const schema_node& n, const value::array& list, const place& at);
  verdict check_object(const schema_node& n, const value& v, const place& at);
  verdict check_member(const schema_node& n, const std::string& name, const value& v,
                       const place& at);
  verdict check_combinations(const schema_node& n, const value& v, const place& at);
  verdict check_range(const count_range& range, std::size_t n, std::string_view what,
                      const place& at);
  /// Of the faults of all alternatives, what to say.
  verdict best_of(std::vector<fault> faults, const value& v, const place& at);
  /// Where `p` can't be decided, the whole check ends.
  verdict matches(const pattern& p, std::string_view text, const place& at, bool& found);

  verdict no(const place& at, std::string sentence) {
    return fault{at.to_string(), at.depth, std::move(sentence)};
  }
  verdict give_up(const place& at, std::string sentence) {
    over_ = true;
    return no(at, std::move(sentence));
  }

  std::size_t nesting_ = 0;
  std::size_t steps_ = 0;
  /// The check was given up: every alternative ends with that fault.
  bool over_ = false;
};

verdict checker::check(const schema_node& n, const value& v, const place& at) {
  if (++steps_ > max_steps) return give_up(at, "takes too long to check against its schema");
  if (nesting_ == max_nesting) return give_up(at, "its schema leads back to itself");
  ++nesting_;
  auto found = check_inside(n, v, at);
  --nesting_;
  return found;
}

verdict checker::check_inside(const schema_node& n, const value& v, const place& at) {
  if (n.never) return no(at, "not allowed");
  const auto is = type_of(v);
  if (n.types != 0 && (n.types & is) == 0) {
    auto wrong = no(at, "expected " + type_names(n.types) + ", got " + quoted(v));
    wrong->types = n.types;
    return wrong;
  }
  if (n.options) {
    auto form = canonical_form(v);
    if (!form || !n.canonical_options.contains(*form)) {
      std::string list;
      for (std::size_t i = 0; i < n.options->size() && i < max_listed; ++i)
        list += (i == 0 ? "" : ", ") + quoted((*n.options)[i]);
      if (n.options->size() > max_listed) list += ", ...";
      auto wrong = no(at, std::string("expected ") + (n.options->size() == 1 ? "" : "one of ") +
                              list + ", got " + quoted(v));
      wrong->is_choice = true;
      return wrong;
    }
  }
  if (v.is_number()) {
    if (auto wrong = check_number(n, v, at)) return wrong;
  } else if (v.is_string() || v.is_binary()) {
    if (auto wrong = check_text(n, v.as_string(), at)) return wrong;
  }
  // An empty table counts as what the schema speaks of, and as what it is where that leaves open.
  const bool may_be_array = (is & array_type) != 0 && (n.types == 0 || (n.types & array_type) != 0);
  const bool may_be_object =
      (is & object_type) != 0 && (n.types == 0 || (n.types & object_type) != 0);
  if (may_be_array && (v.is_array() || !may_be_object || !n.about_objects))
    if (auto wrong = check_array(n, v.as_array(), at)) return wrong;
  if (may_be_object && (v.is_map() || !may_be_array || !n.about_arrays))
    if (auto wrong = check_object(n, v, at)) return wrong;
  return check_combinations(n, v, at);
}

verdict checker::check_number(const schema_node& n, const value& v, const place& at) {
  const auto wrong = [&](std::string_view bound, const value& limit) {
    return no(at, "expected " + std::string(bound) + " " + quoted(limit) + ", got " + quoted(v));
  };
  // Written so that NaN is within no bound.
  if (n.minimum && !(exact(v) >= exact(*n.minimum))) return wrong("at least", *n.minimum);
  if (n.above && !(exact(v) > exact(*n.above))) return wrong("more than", *n.above);
  if (n.maximum && !(exact(v) <= exact(*n.maximum))) return wrong("at most", *n.maximum);
  if (n.below && !(exact(v) < exact(*n.below))) return wrong("less than", *n.below);
  if (n.multiple_of && !is_multiple(v, *n.multiple_of))
    return wrong("a multiple of", *n.multiple_of);
  return std::nullopt;
}

verdict checker::check_range(const count_range& range, std::size_t n, std::string_view what,
                             const place& at) {
  if (n < range.least)
    return no(at,
              "expected at least " + count_of(range.least, what) + ", got " + std::to_string(n));
  if (n > range.most)
    return no(at, "expected at most " + count_of(range.most, what) + ", got " + std::to_string(n));
  return std::nullopt;
}

verdict checker::matches(const pattern& p, std::string_view text, const place& at, bool& found) {
  auto matched = p.found_in(text);
  if (!matched) return give_up(at, matched.error().message);
  found = *matched;
  return std::nullopt;
}

verdict checker::check_text(const schema_node& n, std::string_view text, const place& at) {
  if (auto wrong = check_range(n.characters, count_characters(text), "character", at)) return wrong;
  bool found = true;
  if (n.pattern)
    if (auto wrong = matches(*n.pattern, text, at, found)) return wrong;
  if (!found)
    return no(at, "expected text that matches " + std::string(n.pattern->expression()) + ", got " +
                      quoted(value(text)));
  return std::nullopt;
}

verdict checker::check_array(const schema_node& n, const value::array& list, const place& at) {
  if (auto wrong = check_range(n.elements, list.size(), "element", at)) return wrong;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* rule = i < n.prefix.size() ? n.prefix[i] : n.items;
    if (rule == nullptr) break;
    if (auto wrong = check(*rule, list[i], at.element(i))) return wrong;
  }
  if (n.contains != nullptr) {
    std::size_t fitting = 0;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto wrong = check(*n.contains, list[i], at.element(i));
      if (over_) return wrong;
      if (!wrong) ++fitting;
    }
    if (auto wrong = check_range(n.contained, fitting, "element that fits \"contains\"", at))
      return wrong;
  }
  if (n.unique) {
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto form = canonical_form(list[i]);
      if (!form) return no(at.element(i), "can't be compared: it is no plain data");
      const auto [twin, is_new] = seen.emplace(std::move(*form), i);
      if (!is_new)
        return no(at, "expected no element twice, got " + quoted(list[i]) + " at [" +
                          std::to_string(twin->second) + "] and [" + std::to_string(i) + "]");
    }
  }
  return std::nullopt;
}

verdict checker::check_member(const schema_node& n, const std::string& name, const value& v,
                              const place& at) {
  const auto here = at.member(name);
  if (n.names != nullptr)
    if (auto wrong = check(*n.names, value(name), here)) {
      wrong->sentence = "as a name: " + wrong->sentence;
      return wrong;
    }
  bool known = false;
  if (auto rule = n.properties.find(name); rule != n.properties.end()) {
    known = true;
    if (auto wrong = check(*rule->second, v, here)) return wrong;
  }
  for (const auto& [expression, rule] : n.pattern_properties) {
    bool found = false;
    if (auto wrong = matches(expression, name, here, found)) return wrong;
    if (!found) continue;
    known = true;
    if (auto wrong = check(*rule, v, here)) return wrong;
  }
  if (known || n.additional == nullptr) return std::nullopt;
  if (!n.additional->never) return check(*n.additional, v, here);
  std::vector<std::string_view> known_names;
  for (const auto& property : n.properties)
    known_names.push_back(property.first);
  if (known_names.size() > max_listed && nearest(name, known_names).empty())
    known_names.resize(max_listed);
  return no(at, known_names.empty() ? "unknown name \"" + name.substr(0, max_quote) + "\""
                                    : unknown_name("name", name, known_names));
}

verdict checker::check_object(const schema_node& n, const value& v, const place& at) {
  const auto& members = v.as_map();
  if (auto wrong = check_range(n.members, members.size(), "member", at)) return wrong;
  const bool by_name = !n.properties.empty() || !n.pattern_properties.empty() ||
                       n.additional != nullptr || n.names != nullptr;
  // What is there comes before what is missing: a misspelt name is the cause of a missing one.
  if (by_name)
    for (const auto& [key, member] : members)
      if (auto wrong = check_member(n, key_name(key), member, at)) return wrong;
  const auto missing = [&](const std::string& name) { return v.find(name) == nullptr; };
  for (const auto& name : n.required)
    if (missing(name)) return no(at.member(name), "missing");
  for (const auto& [name, others] : n.dependent_required) {
    if (missing(name)) continue;
    for (const auto& other : others)
      if (missing(other)) return no(at.member(other), "missing, though " + name + " is there");
  }
  for (const auto& [name, rule] : n.dependent_schemas)
    if (!missing(name))
      if (auto wrong = check(*rule, v, at)) return wrong;
  return std::nullopt;
}

verdict checker::best_of(std::vector<fault> faults, const value& v, const place& at) {
  // All wanted another type of this very value: one sentence for all.
  type_set types = 0;
  for (const auto& f : faults)
    types |= f.depth == at.depth ? f.types : 0;
  const auto is_type_here = [&](const fault& f) { return f.depth == at.depth && f.types != 0; };
  if (std::all_of(faults.begin(), faults.end(), is_type_here)) {
    auto wrong = no(at, "expected " + type_names(types) + ", got " + quoted(v));
    wrong->types = types;
    return wrong;
  }
  // Otherwise the alternative that was most likely meant: of the right type, with the right
  // constants, and right the furthest inside.
  std::erase_if(faults, is_type_here);
  const auto all_choices =
      std::all_of(faults.begin(), faults.end(), [](const fault& f) { return f.is_choice; });
  if (!all_choices) std::erase_if(faults, [](const fault& f) { return f.is_choice; });
  std::size_t depth = 0;
  for (const auto& f : faults)
    depth = std::max(depth, f.depth);
  std::erase_if(faults, [&](const fault& f) { return f.depth < depth; });
  auto best = std::move(faults.front());
  for (std::size_t i = 1; i < faults.size() && i < 3; ++i)
    if (faults[i].where == best.where &&
        best.sentence.find(faults[i].sentence) == std::string::npos)
      best.sentence += "; or " + faults[i].sentence;
  return best;
}

verdict checker::check_combinations(const schema_node& n, const value& v, const place& at) {
  if (n.ref != nullptr)
    if (auto wrong = check(*n.ref, v, at)) return wrong;
  for (const auto* rule : n.all_of)
    if (auto wrong = check(*rule, v, at)) return wrong;
  const auto one_fits = [&](const std::vector<schema_node::link>& rules, bool only) -> verdict {
    std::vector<fault> faults;
    std::vector<std::size_t> fitting;
    for (std::size_t i = 0; i < rules.size(); ++i) {
      auto wrong = check(*rules[i], v, at);
      if (over_) return wrong;
      if (wrong)
        faults.push_back(std::move(*wrong));
      else
        fitting.push_back(i + 1);
      if (fitting.size() > 1)
        return no(at, "fits more than one alternative: " + std::to_string(fitting[0]) + " and " +
                          std::to_string(fitting[1]));
      if (!fitting.empty() && !only) break;
    }
    if (!fitting.empty() || rules.empty()) return std::nullopt;
    return best_of(std::move(faults), v, at);
  };
  if (auto wrong = one_fits(n.any_of, false)) return wrong;
  if (auto wrong = one_fits(n.one_of, true)) return wrong;
  if (n.none_of != nullptr) {
    auto wrong = check(*n.none_of, v, at);
    if (over_) return wrong;
    if (!wrong) return no(at, "fits what its schema excludes, got " + quoted(v));
  }
  if (n.condition != nullptr) {
    auto wrong = check(*n.condition, v, at);
    if (over_) return wrong;
    const auto* rule = wrong ? n.otherwise : n.then;
    if (rule != nullptr) return check(*rule, v, at);
  }
  return std::nullopt;
}

}  // namespace

result<void> schema::check(const value& v) const {
  auto wrong = checker().check(*impl_->root, v, {});
  if (!wrong) return ok();
  return error(errc::bad_argument,
               (wrong->where.empty() ? "" : wrong->where + ": ") + wrong->sentence);
}

}  // namespace troupe
