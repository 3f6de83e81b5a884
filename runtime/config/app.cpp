// SPDX-License-Identifier: Apache-2.0
#include "config/app.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/nearest.hpp"

namespace troupe {

namespace {

using names = std::vector<std::string_view>;

const names app_keys = {"name", "options", "models", "grants", "budget", "plugins", "tree", "main"};

error within(const std::string& where, error e) {
  e.message = where + ": " + e.message;
  return e;
}

bool is_table(const value& v) {
  return v.is_map() || (v.is_array() && v.as_array().empty());
}

value table(const value& v) {
  return v.is_map() ? v : value(value::map{});
}

names keys_of(const value& v) {
  names keys;
  for (const auto& [key, member] : v.as_map())
    keys.push_back(key.as_string());
  return keys;
}

/// What --set wrote, as the type of what it replaces.
result<value> converted(const setting& s, const value& old) {
  if (old.is_string()) return value(s.text);
  auto parsed = parse_json(s.text);
  const auto expected = [&](const char* what) {
    return error(errc::config, "--set " + s.key + ": expected " + what + ", got " + s.text);
  };
  if (old.is_bool()) {
    if (!parsed || !parsed->is_bool()) return expected("true or false");
  } else if (old.is_int()) {
    if (!parsed || !parsed->is_int()) return expected("a whole number");
  } else if (old.is_double()) {
    if (!parsed || !parsed->is_number()) return expected("a number");
    return value(parsed->as_double());
  } else if (old.is_array() && !old.as_array().empty()) {
    if (!parsed || !parsed->is_array()) return expected("a list in JSON");
  }
  return parsed ? *parsed : value(s.text);
}

/// Sets `a.b.c` in a tree of maps. The last key may be new, the others must be there.
result<void> set_in(value& root, std::string_view path, const setting& s, bool may_be_new) {
  const auto dot = path.find('.');
  const auto key = path.substr(0, dot);
  if (!root.is_map()) root = value(value::map{});
  if (dot == std::string_view::npos) {
    const auto* old = root.find(key);
    if (old == nullptr && !may_be_new)
      return {errc::config, "--set " + s.key + ": " + unknown_name("option", key, keys_of(root))};
    TROUPE_TRY(v, converted(s, old != nullptr ? *old : value()));
    root.set(value(key), std::move(v));
    return ok();
  }
  value inner = root[key];
  TROUPE_CHECK(set_in(inner, path.substr(dot + 1), s, true));
  root.set(value(key), std::move(inner));
  return ok();
}

/// Changes the spec of the child at `path` below `tree`, in the file's own data.
result<void> set_in_tree(value& tree, std::string_view path, std::string_view rest,
                         const setting& s) {
  const auto slash = path.find('/');
  const auto id = path.substr(0, slash);
  value children = tree["children"];
  names ids;
  auto* list = children.get_if<value::array>();
  if (list != nullptr) {
    for (auto& child : *list) {
      ids.push_back(child["id"].as_string());
      if (child["id"].as_string() != id) continue;
      if (slash != std::string_view::npos) {
        value inner = child["start"];
        TROUPE_CHECK(set_in_tree(inner, path.substr(slash + 1), rest, s));
        child.set("start", std::move(inner));
      } else {
        TROUPE_CHECK(set_in(child, rest, s, true));
      }
      tree.set("children", std::move(children));
      return ok();
    }
  }
  return {errc::config, "--set " + s.key + ": " + unknown_name("child", id, ids)};
}

result<void> apply(value& file, const setting& s) {
  const std::string_view key = s.key;
  const auto dot = key.find('.');
  if (key.starts_with("models.")) return set_in(file, key, s, true);
  if (dot != std::string_view::npos) {
    value tree = file["tree"];
    TROUPE_CHECK(set_in_tree(tree, key.substr(0, dot), key.substr(dot + 1), s));
    file.set("tree", std::move(tree));
    return ok();
  }
  value options = table(file["options"]);
  TROUPE_CHECK(set_in(options, key, s, false));
  file.set("options", std::move(options));
  return ok();
}

/// `env("KEY")`, as the file has it.
std::string as_written(std::string_view kind, const value& name) {
  return std::string(kind.substr(1)) + "(\"" + std::string(name.as_string()) + "\")";
}

/// The first reference to something outside of the file in `v`, and through the app's `options`.
std::optional<std::string> reference_in(const value& v, const value& options) {
  for (const auto& element : v.as_array())
    if (auto found = reference_in(element, options)) return found;
  if (const auto* name = v.find("$option"))
    return reference_in(options[name->as_string()], value());
  for (const char* kind : {"$env", "$file"})
    if (const auto* name = v.find(kind)) return as_written(kind, *name);
  for (const auto& [key, member] : v.as_map())
    if (auto found = reference_in(member, options)) return found;
  return std::nullopt;
}

/// The table that a reference leads to, within the file.
const value& followed(const value& v, const value& options) {
  if (const auto* name = v.find("$option")) return followed(options[name->as_string()], value());
  return v.find("$env") != nullptr ? v["default"] : v;
}

/// What env() and file() refer to may be a secret, and an isolated agent is one that is not
/// trusted. `written` and `resolved` are the same tree before and after.
result<void> keep_secrets(const value& written, const value& resolved, const value& options) {
  const auto& sources = followed(followed(written, options)["children"], options).as_array();
  const auto& children = resolved["children"].as_array();
  for (std::size_t i = 0; i < children.size(); ++i) {
    const auto& child = children[i];
    const auto& source = followed(sources.at(i), options);
    TROUPE_CHECK(keep_secrets(source["start"], child["start"], options));
    const auto isolate = child["isolate"].as_string();
    if (isolate.empty() || isolate == "none") continue;
    const auto secret = reference_in(source["options"], options);
    if (!secret) continue;
    return {errc::config, "child " + std::string(child["id"].as_string()) + ": options: " +
                              *secret + " may be a secret, and an isolated agent gets none"};
  }
  return ok();
}

/// Replaces references by what they refer to.
class resolver {
 public:
  resolver(const value& options, const environment& env, const std::string& folder)
      : options_(options), env_(env), folder_(folder) {}

  result<value> resolve(const value& v) const {
    if (const auto* list = v.get_if<value::array>()) {
      value::array out;
      out.reserve(list->size());
      for (const auto& element : *list) {
        TROUPE_TRY(resolved, resolve(element));
        out.push_back(std::move(resolved));
      }
      return value(std::move(out));
    }
    if (!v.is_map()) return v;
    for (const char* kind : {"$env", "$file", "$option"})
      if (const auto* name = v.find(kind)) return refer(kind, *name, v["default"]);
    value::map out;
    out.reserve(v.as_map().size());
    for (const auto& [key, member] : v.as_map()) {
      TROUPE_TRY(resolved, resolve(member));
      out.emplace_back(key, std::move(resolved));
    }
    return value(std::move(out));
  }

 private:
  result<value> refer(std::string_view kind, const value& name, const value& fallback) const {
    const std::string text(name.as_string());
    if (kind == "$option") {
      const auto* option = options_.find(text);
      if (option != nullptr) return *option;
      return {errc::config,
              as_written(kind, name) + ": " + unknown_name("option", text, keys_of(options_))};
    }
    if (kind == "$env") {
      if (auto found = env_.variable(text)) return value(*found);
      if (!fallback.is_nil()) return resolve(fallback);
      return {errc::config,
              as_written(kind, name) + ": the variable is not set and has no default"};
    }
    const std::string path = text.starts_with("/") ? text : folder_ + "/" + text;
    TROUPE_TRY(content, env_.file(path));
    while (!content.empty() && (content.back() == '\n' || content.back() == '\r'))
      content.pop_back();
    return value(std::move(content));
  }

  const value& options_;
  const environment& env_;
  const std::string& folder_;
};

result<void> check_reserved(const supervisor_spec& tree) {
  for (const auto& child : tree.children)
    if (std::find(reserved_names().begin(), reserved_names().end(), child.id) !=
        reserved_names().end())
      return {errc::config, "child " + child.id + ": the node needs this name for itself"};
  return ok();
}

/// Folders of plugins, made absolute.
result<std::vector<std::string>> plugin_folders(const value& listed, const std::string& folder) {
  std::vector<std::string> folders;
  if (listed.is_nil() || (listed.is_map() && listed.as_map().empty())) return folders;
  if (!listed.is_array())
    return {errc::config,
            "plugins: expected a list of folders, got " + std::string(listed.type_name())};
  for (const auto& one : listed.as_array()) {
    const auto path = one.as_string();
    if (path.empty())
      return {errc::config, "plugins: expected a folder that holds a plugin.json, got " +
                                std::string(one.is_string() ? "\"\"" : one.type_name())};
    folders.push_back(path.starts_with('/') ? std::string(path) : folder + "/" + std::string(path));
  }
  return folders;
}

bool leads_to_child(const supervisor_spec& tree, std::string_view path) {
  const auto slash = path.find('/');
  for (const auto& child : tree.children) {
    if (child.id != path.substr(0, slash)) continue;
    if (slash == std::string_view::npos) return true;
    const auto* inner = std::get_if<supervisor_spec>(&child.start);
    // What a pool or an agent has below it is known only when it runs.
    return inner == nullptr || leads_to_child(*inner, path.substr(slash + 1));
  }
  return false;
}

}  // namespace

const std::vector<std::string_view>& reserved_names() {
  static const names reserved = {"app", "directory", "observer", "store", "tool", "llm", "shell"};
  return reserved;
}

result<agent_verb> agent_verb_from(std::string_view text) {
  const auto dot = text.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == text.size())
    return {errc::config, "expected agent.verb, e.g. desk/writer.draft, got " + std::string(text)};
  return agent_verb{std::string(text.substr(0, dot)), std::string(text.substr(dot + 1))};
}

result<app> app_from(const value& file, const std::string& folder,
                     const std::vector<setting>& settings, const environment& env) {
  if (!file.is_map())
    return {errc::config, "an app file returns a table, not " + std::string(file.type_name())};
  for (const auto& [key, member] : file.as_map())
    if (std::find(app_keys.begin(), app_keys.end(), key.as_string()) == app_keys.end())
      return {errc::config, unknown_name("key", key.as_string(), app_keys)};

  value data = file;
  for (const auto& s : settings)
    TROUPE_CHECK(apply(data, s));

  app a;
  a.folder = folder;
  for (const char* key : {"options", "models", "tree"})
    if (!data[key].is_nil() && !is_table(data[key]))
      return {errc::config,
              std::string(key) + ": expected a table, got " + std::string(data[key].type_name())};
  const value no_options = value::map{};
  auto options = resolver(no_options, env, folder).resolve(table(data["options"]));
  if (!options) return within("options", options.error());
  a.options = std::move(*options);
  TROUPE_TRY(whole, resolver(a.options, env, folder).resolve(data));
  TROUPE_CHECK(keep_secrets(data["tree"], whole["tree"], data["options"]));

  if (!whole["name"].is_string() || whole["name"].as_string().empty())
    return {errc::config, "name: expected text, got " + std::string(whole["name"].type_name())};
  a.name = whole["name"].as_string();
  for (const auto& [name, model] : whole["models"].as_map()) {
    if (!model.is_map())
      return {errc::config, "model " + std::string(name.as_string()) + ": expected a table, got " +
                                std::string(model.type_name())};
    a.models[std::string(name.as_string())] = model;
  }
  value allowed = whole["grants"];
  if (allowed.is_nil()) {
    allowed = value::map{};
    value::array every;
    for (const auto& [name, model] : a.models)
      every.emplace_back(name);
    allowed.set("llm", value(std::move(every)));
  }
  // Within its own tree an app's agents may find each other, unless it says otherwise.
  if (is_table(allowed) && allowed.find("call") == nullptr) {
    allowed = table(allowed);
    allowed.set("call", value(value::array{"*"}));
  }
  auto read = grants::from(allowed, folder);
  if (!read) return within("grants", read.error());
  a.grants = std::move(*read);
  if (!whole["budget"].is_nil()) {
    a.budget = table(whole["budget"]);
    TROUPE_CHECK(budget_place::from(is_table(whole["budget"]) ? a.budget : whole["budget"], ""));
  }
  TROUPE_TRY(plugins, plugin_folders(whole["plugins"], folder));
  a.plugins = std::move(plugins);
  if (whole["tree"].is_nil()) return {errc::config, "tree: an app needs one, { children = ... }"};
  auto tree = supervisor_spec_from(whole["tree"], folder);
  if (!tree) return within("tree", tree.error());
  a.tree = std::move(*tree);
  TROUPE_CHECK(check_reserved(a.tree));
  if (const auto& main = whole["main"]; !main.is_nil()) {
    auto where = agent_verb_from(main.as_string());
    if (!where) return within("main", where.error());
    if (!leads_to_child(a.tree, where->agent))
      return {errc::config, "main: there is no child " + where->agent};
    a.main = std::move(*where);
  }
  return a;
}

}  // namespace troupe
