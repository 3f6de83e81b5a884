// SPDX-License-Identifier: Apache-2.0
#include "plugin/manifest.hpp"

#include <troupe/plugin.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.hpp"
#include "base/nearest.hpp"

namespace troupe {
namespace {

constexpr std::uintmax_t max_manifest_bytes = 64 << 10;

const std::vector<std::string_view> manifest_keys = {"name",    "version",  "abi",  "description",
                                                     "library", "provides", "needs"};
const std::vector<std::string_view> provided_keys = {"agents", "tools", "models"};

error wrong(const std::string& file, const std::string& why) {
  return {errc::config, file + ": " + why};
}

result<void> check_keys(const std::string& file, const value& v,
                        const std::vector<std::string_view>& known) {
  for (const auto& [key, member] : v.as_map())
    if (std::find(known.begin(), known.end(), key.as_string()) == known.end())
      return wrong(file, unknown_name("key", key.as_string(), known));
  return ok();
}

result<std::string> text_member(const std::string& file, const value& v, std::string_view key) {
  const value& member = v[key];
  if (!member.is_string() || member.as_string().empty())
    return wrong(file,
                 std::string(key) + ": expected text, got " + std::string(member.type_name()));
  return std::string(member.as_string());
}

/// Names become keys, paths and parts of sentences.
bool is_name(std::string_view s) {
  return !s.empty() && s.size() <= 64 &&
         std::all_of(s.begin(), s.end(),
                     [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                              (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
                     }) &&
         s != "." && s != "..";
}

result<abi_version> parse_abi(const std::string& file, std::string_view text) {
  abi_version v;
  const char* end = text.data() + text.size();
  auto [dot, first] = std::from_chars(text.data(), end, v.major);
  if (first == std::errc() && dot != end && *dot == '.') {
    auto [rest, second] = std::from_chars(dot + 1, end, v.minor);
    if (second == std::errc() && rest == end) return v;
  }
  return wrong(file, "abi: expected MAJOR.MINOR, got \"" + std::string(text) + "\"");
}

result<std::vector<std::string>> name_list(const std::string& file, const value& provides,
                                           std::string_view key) {
  std::vector<std::string> names;
  const value* list = provides.find(key);
  if (list == nullptr) return names;
  if (!list->is_array()) return wrong(file, "provides." + std::string(key) + ": expected a list");
  for (const value& name : list->as_array()) {
    if (!name.is_string() || !is_name(name.as_string()))
      return wrong(file, "provides." + std::string(key) + ": expected names");
    if (std::find(names.begin(), names.end(), name.as_string()) != names.end())
      return wrong(file, "provides." + std::string(key) + ": " + std::string(name.as_string()) +
                             " stands there twice");
    names.emplace_back(name.as_string());
  }
  return names;
}

result<std::string> read_text(const std::filesystem::path& file) {
  std::error_code failure;
  if (!std::filesystem::is_regular_file(file, failure))
    return error(errc::not_found,
                 file.parent_path().string() + " is no plugin: it has no plugin.json");
  if (std::filesystem::file_size(file, failure) > max_manifest_bytes)
    return wrong(file.string(), "larger than 64 KiB");
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return error(errc::io, file.string() + ": can't be read");
  return std::move(text).str();
}

value list_of(const std::vector<std::string>& names) {
  value list = value::array{};
  for (const std::string& name : names)
    list.push(name);
  return list;
}

}  // namespace

std::string to_string(const abi_version& v) {
  return std::to_string(v.major) + "." + std::to_string(v.minor);
}

abi_version node_abi() {
  return {TROUPE_ABI_MAJOR, TROUPE_ABI_MINOR};
}

result<void> check_abi(std::string_view plugin, const abi_version& needed) {
  const abi_version here = node_abi();
  if (needed.major == here.major && needed.minor <= here.minor) return ok();
  return error(errc::abi, "plugin " + std::string(plugin) + ": needs ABI " + to_string(needed) +
                              ", this node has " + to_string(here));
}

result<manifest> manifest::read(const std::string& folder) {
  std::error_code failure;
  const std::filesystem::path place = std::filesystem::absolute(folder, failure).lexically_normal();
  const std::filesystem::path path = place / "plugin.json";
  const std::string file = path.string();
  TROUPE_TRY(text, read_text(path));
  auto parsed = parse_json(text);
  if (!parsed) return parsed.error().wrapped(errc::syntax, file + ": " + parsed.error().message);
  const value& tree = *parsed;
  if (!tree.is_map()) return wrong(file, "expected an object");

  manifest m;
  TROUPE_TRY(name, text_member(file, tree, "name"));
  if (!is_name(name)) return wrong(file, "name: only letters, digits, _ - and . are allowed");
  m.name = std::move(name);
  // Before the other keys: a later ABI may know more of them.
  TROUPE_TRY(abi_text, text_member(file, tree, "abi"));
  TROUPE_TRY(abi, parse_abi(file, abi_text));
  m.abi = abi;
  TROUPE_CHECK(check_abi(m.name, abi));
  TROUPE_CHECK(check_keys(file, tree, manifest_keys));
  TROUPE_TRY(version, text_member(file, tree, "version"));
  m.version = std::move(version);
  m.description = tree["description"].as_string();

  std::string library = m.name + ".so";
  if (tree.find("library") != nullptr) {
    TROUPE_TRY(given, text_member(file, tree, "library"));
    if (!is_name(given)) return wrong(file, "library: expected a file name beside plugin.json");
    library = std::move(given);
  }
  m.folder = place.string();
  m.library = (place / library).string();

  const value& provides = tree["provides"];
  if (!provides.is_map()) return wrong(file, "provides: expected an object");
  TROUPE_CHECK(check_keys(file, provides, provided_keys));
  TROUPE_TRY(agents, name_list(file, provides, "agents"));
  TROUPE_TRY(tools, name_list(file, provides, "tools"));
  TROUPE_TRY(models, name_list(file, provides, "models"));
  if (agents.empty() && tools.empty() && models.empty()) return wrong(file, "provides nothing");
  m.agents = std::move(agents);
  m.tools = std::move(tools);
  m.models = std::move(models);
  if (const value* needs = tree.find("needs")) {
    auto wanted = grants::from(*needs);
    if (!wanted) return wanted.error().wrapped(errc::config, file + ": " + wanted.error().message);
    m.needs = std::move(*wanted);
  }
  return m;
}

value manifest::to_value() const {
  value v;
  v.set("name", name);
  v.set("version", version);
  v.set("abi", to_string(abi));
  if (!description.empty()) v.set("description", description);
  v.set("folder", folder);
  v.set("agents", list_of(agents));
  v.set("tools", list_of(tools));
  v.set("models", list_of(models));
  return v;
}

}  // namespace troupe
