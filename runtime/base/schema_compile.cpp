// SPDX-License-Identifier: Apache-2.0
//
// From a schema document to nodes. Every keyword is looked at once, here, so that checking neither
// fails on a bad schema nor repeats work.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/canonical.hpp"
#include "base/schema_node.hpp"

namespace troupe {

namespace {

constexpr std::size_t max_depth = 100;
/// Members that references are looked for among, all in all: the search is linear.
constexpr std::size_t max_looked_at = 10'000'000;

/// An empty table may stand for either.
bool is_object(const value& v) {
  return v.is_map() || (v.is_array() && v.as_array().empty());
}
bool is_list(const value& v) {
  return v.is_array() || (v.is_map() && v.as_map().empty());
}

std::string pointer_token(std::string_view name) {
  std::string token;
  for (char c : name)
    token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return "/" + token;
}

/// The name in a token of a JSON pointer in a URI fragment; nothing if it is malformed.
std::optional<std::string> token_name(std::string_view token) {
  std::string name;
  for (std::size_t i = 0; i < token.size(); ++i) {
    unsigned code = 0;
    if (token[i] == '%') {
      if (i + 2 >= token.size()) return std::nullopt;
      const auto* end = token.data() + i + 3;
      if (std::from_chars(token.data() + i + 1, end, code, 16).ptr != end) return std::nullopt;
      name += static_cast<char>(code);
      i += 2;
    } else {
      name += token[i];
    }
  }
  for (auto at = name.find('~'); at != name.npos; at = name.find('~', at + 1)) {
    if (at + 1 == name.size() || (name[at + 1] != '0' && name[at + 1] != '1')) return std::nullopt;
    name.replace(at, 2, name[at + 1] == '0' ? "~" : "/");
  }
  return name;
}

class compiler {
 public:
  explicit compiler(schema_nodes& to) : to_(to) {}

  /// The first fault found, if any.
  const std::optional<error>& run() {
    to_.root = compile(to_.document, "", 0);
    // Links are followed here and not in `compile`, so that a long chain of them takes no stack.
    for (std::size_t i = 0; i < links_.size() && !fault_; ++i) {
      const auto [node, target, at] = links_[i];
      node->ref = follow(target, at);
    }
    return fault_;
  }

 private:
  using link = schema_node::link;

  void fail(const std::string& at, const std::string& why) {
    if (!fault_) fault_ = error(errc::bad_argument, "schema at #" + at + ": " + why);
  }

  link compile(const value& v, const std::string& at, std::size_t depth);
  link follow(std::string_view target, const std::string& at);
  void general(schema_node& n, const value& v, const std::string& at);
  void numbers(schema_node& n, const value& v, const std::string& at);
  void text(schema_node& n, const value& v, const std::string& at);
  void arrays(schema_node& n, const value& v, const std::string& at, std::size_t depth);
  void objects(schema_node& n, const value& v, const std::string& at, std::size_t depth);
  void combinations(schema_node& n, const value& v, const std::string& at, std::size_t depth);

  link part(const value& v, std::string_view keyword, const std::string& at, std::size_t depth) {
    const auto* found = v.find(keyword);
    return found == nullptr ? nullptr : compile(*found, at + pointer_token(keyword), depth + 1);
  }
  std::vector<link> parts(const value& v, std::string_view keyword, const std::string& at,
                          std::size_t depth);
  /// Calls `f(name, member, place)` for each member of the map behind a keyword.
  template <class F>
  void each(const value& v, std::string_view keyword, const std::string& at, F f);
  std::vector<std::string> names(const value& v, const std::string& at);
  count_range range(const value& v, std::string_view least, std::string_view most,
                    const std::string& at, count_range otherwise = {});
  std::optional<troupe::pattern> expression(std::string_view text, const std::string& at);

  schema_nodes& to_;
  std::map<std::string, link> known_;  ///< by JSON pointer
  struct pending {
    schema_node* node;
    std::string target, at;
  };
  std::vector<pending> links_;
  std::size_t looked_at_ = 0;
  std::optional<error> fault_;
};

schema_node::link compiler::compile(const value& v, const std::string& at, std::size_t depth) {
  if (auto found = known_.find(at); found != known_.end()) return found->second;
  auto& n = to_.nodes.emplace_back();
  known_.emplace(at, &n);
  if (const auto* verdict = v.get_if<bool>()) {
    n.never = !*verdict;
  } else if (!is_object(v)) {
    fail(at, "expected an object or a boolean, got " + std::string(v.type_name()));
  } else if (depth > max_depth) {
    fail(at, "nested deeper than " + std::to_string(max_depth));
  } else if (!fault_) {
    // Most references lead here.
    for (const auto* keyword : {"$defs", "definitions"})
      each(v, keyword, at, [&](const std::string&, const value& member, const std::string& place) {
        compile(member, place, depth + 2);
      });
    general(n, v, at);
    numbers(n, v, at);
    text(n, v, at);
    arrays(n, v, at, depth);
    objects(n, v, at, depth);
    combinations(n, v, at, depth);
  }
  return &n;
}

schema_node::link compiler::follow(std::string_view target, const std::string& at) {
  const auto refuse = [&](const char* why) {
    fail(at, "$ref " + std::string(target.substr(0, 100)) + " " + why);
    return nullptr;
  };
  auto rest = target;
  if (const auto id = to_.document["$id"].as_string(); !id.empty() && rest.starts_with(id))
    rest.remove_prefix(id.size());
  if (!rest.empty() && rest[0] != '#') return refuse("leads out of the document");
  if (!rest.empty()) rest.remove_prefix(1);
  if (!rest.empty() && rest[0] != '/') return refuse("is no JSON pointer; anchors are not known");
  if (const auto found = known_.find(std::string(rest)); found != known_.end())
    return found->second;
  const value* place = &to_.document;
  std::string pointer;
  std::size_t depth = 0;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto token = rest.substr(0, rest.find('/'));
    rest.remove_prefix(token.size());
    const auto name = token_name(token);
    if (!name) return refuse("is no JSON pointer");
    if (place->is_array()) {
      std::size_t index = place->as_array().size();
      const auto* end = name->data() + name->size();
      if (std::from_chars(name->data(), end, index).ptr != end) index = place->as_array().size();
      place = index < place->as_array().size() ? &place->as_array()[index] : nullptr;
    } else {
      looked_at_ += place->as_map().size();
      if (looked_at_ > max_looked_at) return refuse("is one of too many");
      place = place->find(*name);
    }
    if (place == nullptr) return refuse("leads nowhere");
    pointer += pointer_token(*name);
    ++depth;
  }
  return compile(*place, pointer, depth);
}

void compiler::general(schema_node& n, const value& v, const std::string& at) {
  for (const auto* keyword :
       {"$dynamicRef", "$recursiveRef", "unevaluatedItems", "unevaluatedProperties"})
    if (v.find(keyword) != nullptr) fail(at, std::string(keyword) + " is not supported");

  if (const auto* ref = v.find("$ref")) {
    if (!ref->is_string()) return fail(at, "$ref is no string");
    links_.push_back({&n, std::string(ref->as_string()), at});
  }
  if (const auto* types = v.find("type")) {
    const auto list = types->is_array() ? types->as_array() : value::array{*types};
    if (list.empty()) fail(at, "type is an empty list");
    for (const auto& name : list) {
      const auto* known = std::find_if(std::begin(json_types), std::end(json_types),
                                       [&](const auto& t) { return name == value(t.first); });
      if (known == std::end(json_types))
        return fail(at, name.is_string() ? "unknown type " + std::string(name.as_string())
                                         : "type is no string");
      n.types |= known->second;
    }
  }
  const auto add_option = [&](const value& option) {
    auto form = canonical_form(option);
    if (!form) return fail(at, "an enum or const that is no plain data");
    n.canonical_options.insert(std::move(*form));
    n.options->push_back(option);
  };
  if (const auto* options = v.find("enum")) {
    if (!options->is_array()) return fail(at, "enum is no list");
    n.options.emplace();
    for (const auto& option : options->as_array())
      add_option(option);
  }
  if (const auto* only = v.find("const")) {
    auto form = canonical_form(*only);
    const bool excluded = n.options && form && !n.canonical_options.contains(*form);
    n.options.emplace();
    n.canonical_options.clear();
    // Both enum and const: nothing fits, unless they agree.
    if (excluded)
      n.never = true;
    else
      add_option(*only);
  }
}

void compiler::numbers(schema_node& n, const value& v, const std::string& at) {
  const auto number = [&](std::string_view keyword) -> std::optional<value> {
    const auto* x = v.find(keyword);
    if (x == nullptr || x->is_bool()) return std::nullopt;
    if (!x->is_number() || std::isnan(x->as_double())) {
      fail(at, std::string(keyword) + " is no number");
      return std::nullopt;
    }
    return *x;
  };
  n.minimum = number("minimum");
  n.maximum = number("maximum");
  n.above = number("exclusiveMinimum");
  n.below = number("exclusiveMaximum");
  n.multiple_of = number("multipleOf");
  if (n.multiple_of && !(n.multiple_of->as_double() > 0)) fail(at, "multipleOf is not above 0");
  // As draft 4 and OpenAPI 3.0 write it.
  if (v["exclusiveMinimum"] == value(true)) n.above = std::exchange(n.minimum, std::nullopt);
  if (v["exclusiveMaximum"] == value(true)) n.below = std::exchange(n.maximum, std::nullopt);
}

void compiler::text(schema_node& n, const value& v, const std::string& at) {
  n.characters = range(v, "minLength", "maxLength", at);
  if (const auto* text = v.find("pattern")) {
    if (!text->is_string()) return fail(at, "pattern is no string");
    n.pattern = expression(text->as_string(), at);
  }
}

void compiler::arrays(schema_node& n, const value& v, const std::string& at, std::size_t depth) {
  for (const auto* keyword : {"prefixItems", "items", "contains", "minItems", "maxItems"})
    n.about_arrays = n.about_arrays || v.find(keyword) != nullptr;
  n.prefix = parts(v, "prefixItems", at, depth);
  if (v["items"].is_array() && !v["items"].as_array().empty()) {
    // As drafts before 2020-12 wrote it.
    n.prefix = parts(v, "items", at, depth);
    n.items = part(v, "additionalItems", at, depth);
  } else {
    n.items = part(v, "items", at, depth);
  }
  n.contains = part(v, "contains", at, depth);
  n.contained = range(v, "minContains", "maxContains", at, {1});
  n.elements = range(v, "minItems", "maxItems", at);
  if (const auto* unique = v.find("uniqueItems")) {
    if (!unique->is_bool()) fail(at, "uniqueItems is no boolean");
    n.unique = unique->as_bool();
  }
}

void compiler::objects(schema_node& n, const value& v, const std::string& at, std::size_t depth) {
  for (const auto* keyword : {"properties", "required", "additionalProperties", "patternProperties",
                              "propertyNames", "minProperties", "maxProperties"})
    n.about_objects = n.about_objects || v.find(keyword) != nullptr;
  each(v, "properties", at,
       [&](const std::string& name, const value& member, const std::string& place) {
         n.properties.emplace(name, compile(member, place, depth + 2));
       });
  each(v, "patternProperties", at,
       [&](const std::string& name, const value& member, const std::string& place) {
         if (auto made = expression(name, place))
           n.pattern_properties.emplace_back(std::move(*made), compile(member, place, depth + 2));
       });
  n.additional = part(v, "additionalProperties", at, depth);
  n.names = part(v, "propertyNames", at, depth);
  if (const auto* required = v.find("required")) n.required = names(*required, at + "/required");
  n.members = range(v, "minProperties", "maxProperties", at);

  const auto needs_names = [&](const std::string& name, const value& member,
                               const std::string& place) {
    n.dependent_required.emplace_back(name, names(member, place));
  };
  const auto needs_schema = [&](const std::string& name, const value& member,
                                const std::string& place) {
    n.dependent_schemas.emplace_back(name, compile(member, place, depth + 2));
  };
  each(v, "dependentRequired", at, needs_names);
  each(v, "dependentSchemas", at, needs_schema);
  // Both in one, before 2019-09.
  each(v, "dependencies", at,
       [&](const std::string& name, const value& member, const std::string& place) {
         if (member.is_array() && !member.as_array().empty())
           needs_names(name, member, place);
         else
           needs_schema(name, member, place);
       });
}

void compiler::combinations(schema_node& n, const value& v, const std::string& at,
                            std::size_t depth) {
  n.all_of = parts(v, "allOf", at, depth);
  n.any_of = parts(v, "anyOf", at, depth);
  n.one_of = parts(v, "oneOf", at, depth);
  n.none_of = part(v, "not", at, depth);
  n.condition = part(v, "if", at, depth);
  n.then = part(v, "then", at, depth);
  n.otherwise = part(v, "else", at, depth);
}

std::vector<schema_node::link> compiler::parts(const value& v, std::string_view keyword,
                                               const std::string& at, std::size_t depth) {
  std::vector<link> made;
  const auto* list = v.find(keyword);
  if (list == nullptr) return made;
  const auto place = at + pointer_token(keyword);
  if (!list->is_array() || list->as_array().empty()) {
    fail(place, "expected a list of schemas with at least one");
    return made;
  }
  for (const auto& element : list->as_array())
    made.push_back(compile(element, place + "/" + std::to_string(made.size()), depth + 2));
  return made;
}

template <class F>
void compiler::each(const value& v, std::string_view keyword, const std::string& at, F f) {
  const auto* map = v.find(keyword);
  if (map == nullptr) return;
  const auto place = at + pointer_token(keyword);
  if (!is_object(*map)) return fail(place, "expected an object");
  for (const auto& [key, member] : map->as_map()) {
    if (!key.is_string()) return fail(place, "a name that is no text");
    const std::string name(key.as_string());
    f(name, member, place + pointer_token(name));
  }
}

std::vector<std::string> compiler::names(const value& v, const std::string& at) {
  std::vector<std::string> list;
  if (!is_list(v)) fail(at, "expected a list of names");
  for (const auto& name : v.as_array()) {
    if (!name.is_string()) fail(at, "a name that is no text");
    list.emplace_back(name.as_string());
  }
  return list;
}

count_range compiler::range(const value& v, std::string_view least, std::string_view most,
                            const std::string& at, count_range otherwise) {
  const auto count = [&](std::string_view keyword, std::size_t& to) {
    const auto* x = v.find(keyword);
    if (x == nullptr) return;
    if (x->as_int(-1) < 0) return fail(at, std::string(keyword) + " is no whole number from 0");
    to = static_cast<std::size_t>(x->as_int());
  };
  count(least, otherwise.least);
  count(most, otherwise.most);
  return otherwise;
}

std::optional<troupe::pattern> compiler::expression(std::string_view text, const std::string& at) {
  auto made = troupe::pattern::compile(text);
  if (made) return std::move(*made);
  fail(at, made.error().message);
  return std::nullopt;
}

}  // namespace

result<schema> schema::compile(const value& document) {
  auto made = std::make_shared<impl>();
  made->document = document;
  compiler c(*made);
  if (const auto& fault = c.run()) return *fault;
  return schema(std::move(made));
}

schema::schema(std::shared_ptr<const impl> i) : impl_(std::move(i)) {}

const value& schema::document() const {
  return impl_->document;
}

}  // namespace troupe
