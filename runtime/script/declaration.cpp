// SPDX-License-Identifier: Apache-2.0
#include "script/declaration.hpp"

#include <algorithm>

#include "script/lua_agent.hpp"

namespace troupe::script {

namespace {

std::vector<declared_verb> verbs_from(const value& v) {
  std::vector<declared_verb> verbs;
  for (const auto& [name, about] : v.as_map())
    verbs.push_back({std::string(name.as_string()), std::string(about["description"].as_string()),
                     about["params"]});
  std::sort(verbs.begin(), verbs.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return verbs;
}

}  // namespace

/// Splits what a script needs into what it must have and what it can do without.
result<declared_needs> needs_from(value all, const std::string& folder) {
  const value optional = all["optional"];
  all.erase("optional");
  value without = value::map{};
  if (optional.is_map()) without = optional;
  for (const auto& kind : optional.as_array()) {
    const auto* globs = all.find(kind.as_string());
    if (globs == nullptr)
      return error(errc::config, "needs.optional: needs has no " + std::string(kind.as_string()));
    without.set(kind, *globs);
    all.erase(kind.as_string());
  }
  TROUPE_TRY(needs, grants::from(all, folder));
  TROUPE_TRY(more, grants::from(without, folder));
  return declared_needs{std::move(needs), std::move(more)};
}

bool declaration::has_verb(std::string_view name) const {
  return std::any_of(verbs.begin(), verbs.end(), [&](const auto& v) { return v.name == name; });
}

result<declaration> declare(const environment& shared, const program_ptr& script) {
  constexpr int instructions = 10'000;
  constexpr int slices = 1'000;
  environment alone = shared;
  alone.count = instructions;
  lua_settings settings;
  settings.shared = &alone;
  settings.script = script;
  lua_agent agent(std::move(settings));
  TROUPE_TRY(said, agent.declare(slices));
  declaration d;
  auto needs =
      needs_from(said["needs"].is_nil() ? value(value::map{}) : said["needs"], script->folder);
  if (!needs) {
    auto why = needs.error();
    why.message = script->file + ": " + why.message;
    return why;
  }
  d.needs = std::move(needs->must);
  d.optional = std::move(needs->optional);
  d.options = said["options"];
  d.version = said["version"].as_int(1);
  const auto& concurrent = said["concurrent"];
  if (concurrent.is_int())
    d.overlap.slots = static_cast<std::uint32_t>(
        std::min<std::int64_t>(concurrent.as_int(), concurrency::unlimited - 1));
  for (const auto& verb : concurrent.as_array())
    d.overlap.overlapping.emplace_back(verb.as_string());
  d.verbs = verbs_from(said["on"]);
  d.own = verbs_from(said["own"]);
  for (const auto& hook : said["hooks"].as_array())
    d.hooks.emplace_back(hook.as_string());
  return d;
}

}  // namespace troupe::script
