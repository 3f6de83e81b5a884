// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/registry.hpp"

#include <algorithm>
#include <cassert>
#include <set>

#include "base/msgpack.hpp"

namespace troupe {

namespace {

constexpr std::size_t max_name = 64;

error wrong(const std::string& why) {
  return {errc::bad_argument, "register: " + why};
}

result<void> check_name(std::string_view name) {
  bool clean = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-' || c == '.';
  });
  if (clean && !name.empty() && name.size() <= max_name) return ok();
  return wrong("a tool's name has 1 to 64 letters, digits, `_`, `-` or `.`");
}

/// True if the name begins with a part of the path and a dot.
bool is_below(std::string_view name, std::string_view path) {
  while (!path.empty()) {
    auto slash = path.find('/');
    auto part = path.substr(0, slash);
    if (name.size() > part.size() + 1 && name.starts_with(part) && name[part.size()] == '.')
      return true;
    path = slash == path.npos ? std::string_view() : path.substr(slash + 1);
  }
  return false;
}

/// A member's path and the name of a tool of its own become the pool's.
void give_to_pool(std::string& path, std::string& name) {
  const auto slash = path.rfind('/');
  const auto member = path.substr(slash + 1);
  path.resize(slash);
  const auto pool = path.substr(path.rfind('/') + 1);
  if (is_below(name, member)) name.replace(0, member.size(), pool);
}

value no_arguments() {
  value v;
  v.set("type", "object").set("properties", value::map{}).set("additionalProperties", false);
  return v;
}

}  // namespace

void tool_registry::add_builtin(tool_info info) {
  auto shape = schema::compile(info.parameters);
  assert(shape);
  auto name = info.name;
  tools_.insert_or_assign(
      std::move(name),
      known_tool{std::move(info), tool_origin::builtin, std::move(*shape), {}, {}});
}

result<void> tool_registry::add(const value& table, const address& agent, std::string path,
                                bool is_member) {
  const auto& name = table["name"];
  const auto& verb = table["verb"];
  const auto& description = table["description"];
  if (!name.is_string() || !verb.is_string() || verb.as_string().empty())
    return wrong("needs { name, description, params, verb }, with texts as name and verb");
  if (!description.is_nil() && !description.is_string()) return wrong("the description is no text");
  if (description.as_string().size() > max_description)
    return wrong("the description is longer than " + std::to_string(max_description) + " bytes");
  tool_info info;
  info.name = name.as_string();
  if (is_member && path.find('/') != path.npos) give_to_pool(path, info.name);
  TROUPE_CHECK(check_name(info.name));
  if (!is_below(info.name, path))
    return wrong(info.name + " does not begin with the id of " + path + " and a dot");
  info.description = description.as_string();
  info.parameters = table["params"].is_nil() ? no_arguments() : table["params"];
  info.origin = path;
  if (auto packed = pack(info.parameters); !packed || packed->size() > max_schema)
    return wrong("the schema of " + info.name + " is bigger than " + std::to_string(max_schema) +
                 " bytes");
  auto shape = schema::compile(info.parameters);
  if (!shape) return wrong("params of " + info.name + ": " + shape.error().message);

  auto known = tools_.find(info.name);
  if (known != tools_.end() &&
      (known->second.origin != tool_origin::agent || known->second.info.origin != path))
    return {errc::exists, "the tool " + info.name + " is taken by " + known->second.info.origin};
  auto& own = by_agent_[agent];
  if (own.size() >= max_per_agent && !own.contains(info.name))
    return wrong(path + " has " + std::to_string(max_per_agent) + " tools already");
  // Of an earlier incarnation, whose end has not been told yet.
  if (known != tools_.end() && !(known->second.agent == agent))
    by_agent_[known->second.agent].erase(info.name);
  own.insert(info.name);
  auto key = info.name;
  tools_.insert_or_assign(std::move(key),
                          known_tool{std::move(info), tool_origin::agent, std::move(*shape), agent,
                                     std::string(verb.as_string())});
  return ok();
}

void tool_registry::remove(const address& agent) {
  auto at = by_agent_.find(agent);
  if (at == by_agent_.end()) return;
  for (const auto& name : at->second)
    tools_.erase(name);
  by_agent_.erase(at);
}

std::vector<error> tool_registry::refresh() {
  std::vector<error> problems;
  std::set<std::string, std::less<>> seen;
  for (auto& info : plugins_.tools()) {
    auto known = tools_.find(info.name);
    if (known != tools_.end() &&
        (known->second.origin == tool_origin::builtin || seen.contains(info.name))) {
      problems.emplace_back(errc::exists, "plugin " + info.origin + ": the tool " + info.name +
                                              " is taken by " + known->second.info.origin);
      continue;
    }
    if (known == tools_.end() || known->second.origin != tool_origin::plugin ||
        !(known->second.info.parameters == info.parameters)) {
      auto shape = schema::compile(info.parameters);
      if (!shape) {
        problems.push_back(shape.error().wrapped(
            errc::config, "plugin " + info.origin + ": the schema of " + info.name + " is none"));
        continue;
      }
      if (known != tools_.end() && known->second.origin == tool_origin::agent)
        by_agent_[known->second.agent].erase(info.name);
      auto name = info.name;
      known = tools_
                  .insert_or_assign(std::move(name),
                                    known_tool{{}, tool_origin::plugin, std::move(*shape), {}, {}})
                  .first;
    }
    seen.insert(info.name);
    known->second.info = std::move(info);
  }
  std::erase_if(tools_, [&](const auto& t) {
    return t.second.origin == tool_origin::plugin && !seen.contains(t.first);
  });
  return problems;
}

const known_tool* tool_registry::find(std::string_view name) const {
  auto known = tools_.find(name);
  return known != tools_.end() ? &known->second : nullptr;
}

}  // namespace troupe
