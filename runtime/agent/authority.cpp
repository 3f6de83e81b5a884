// SPDX-License-Identifier: Apache-2.0
#include "agent/authority.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>

#include "base/nearest.hpp"

namespace troupe {

namespace {

constexpr std::array<std::string_view, 10> kinds = {"llm", "tools", "net",   "read", "write",
                                                    "env", "run",   "store", "call", "topics"};
constexpr std::int64_t any_number = std::numeric_limits<std::int64_t>::max();

bool is_path_kind(std::string_view kind) {
  return kind == "read" || kind == "write";
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

/// Without `.`, `..`, doubled and trailing slashes.
std::string normal_path(const std::filesystem::path& p) {
  std::string out = p.lexically_normal().string();
  while (out.size() > 1 && out.back() == '/')
    out.pop_back();
  return out;
}

/// What lies below a folder, as a glob.
std::string below(std::string_view folder) {
  return std::string(folder) + (folder.ends_with('/') ? "*" : "/*");
}

/// True if `outer` matches whatever `inner` matches. Where `is_glob` is false, `inner` is plain
/// text. Sound, and complete but for oddities such as `*?` within `?*`: then it says false.
///
/// Both are read as sequences: a star of `inner` is a symbol that only a star of `outer` takes.
bool takes(std::string_view outer, std::string_view inner, bool is_glob) {
  std::size_t o = 0, i = 0;
  std::size_t star = std::string_view::npos, resume = 0;
  while (i < inner.size()) {
    const bool inner_star = is_glob && inner[i] == '*';
    if (o < outer.size() && outer[o] == '*') {
      star = o++;
      resume = i;
    } else if (o < outer.size() && !inner_star && (outer[o] == '?' || outer[o] == inner[i])) {
      ++o;
      ++i;
    } else if (star != std::string_view::npos) {
      o = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  while (o < outer.size() && outer[o] == '*')
    ++o;
  return o == outer.size();
}

bool glob_covers(std::string_view kind, std::string_view outer, std::string_view inner) {
  return takes(outer, inner, true) || (is_path_kind(kind) && takes(below(outer), inner, true));
}

error wrong(const std::string& key, const std::string& expected, const value& got) {
  return {errc::config, key + ": expected " + expected + ", got " + std::string(got.type_name())};
}

result<std::string> glob_from(std::string_view kind, const value& v,
                              const std::string& base_folder) {
  const auto* text = v.get_if<std::string>();
  if (text == nullptr) return wrong(std::string(kind), "globs as text", v);
  if (text->empty()) return error(errc::config, std::string(kind) + ": a glob is empty");
  if (kind == "net") return lower(*text);
  if (!is_path_kind(kind)) return *text;
  return normal_path(std::filesystem::path(base_folder) / *text);
}

}  // namespace

bool glob_matches(std::string_view glob, std::string_view text) {
  return takes(glob, text, false);
}

grants grants::all() {
  grants g;
  g.all_ = true;
  g.spawn_ = any_number;
  return g;
}

result<grants> grants::from(const value& v, const std::string& base_folder) {
  if (v.as_string() == "all") return all();
  grants g;
  const bool is_empty_list = v.is_array() && v.as_array().empty();
  if (!v.is_map() && !is_empty_list) return wrong("grants", "a table", v);
  for (const auto& [key, member] : v.as_map()) {
    const std::string name(key.as_string());
    if (name == "spawn") {
      if (member.as_int(-1) < 0) return wrong(name, "a whole number of at least 0", member);
      g.spawn_ = member.as_int();
      continue;
    }
    if (std::find(kinds.begin(), kinds.end(), name) == kinds.end()) {
      std::vector<std::string_view> known(kinds.begin(), kinds.end());
      known.push_back("spawn");
      return error(errc::config, unknown_name("key", name, known));
    }
    if (!member.is_array() && !member.is_map()) return wrong(name, "a list of globs", member);
    auto& globs = g.globs_[name];
    for (const auto& element : member.as_array()) {
      TROUPE_TRY(glob, glob_from(name, element, base_folder));
      globs.push_back(std::move(glob));
    }
    // A table of scripts with both a list and names in it comes as a map.
    for (const auto& [index, element] : member.as_map()) {
      if (!index.is_int())
        return error(errc::config, name + ": conditions on a grant (\"" +
                                       std::string(index.as_string()) +
                                       "\") can't be enforced by this version");
      TROUPE_TRY(glob, glob_from(name, element, base_folder));
      globs.push_back(std::move(glob));
    }
  }
  return g;
}

value grants::to_value() const {
  if (all_) return "all";
  value v = value::map{};
  for (const auto& [kind, globs] : globs_) {
    value list = value::array{};
    for (const auto& glob : globs)
      list.push(glob);
    v.set(kind, std::move(list));
  }
  if (spawn_ > 0) v.set("spawn", spawn_);
  return v;
}

bool grants::allows(std::string_view kind, std::string_view what) const {
  if (all_) return true;
  const auto at = globs_.find(kind);
  if (at == globs_.end()) return false;
  std::string text(what);
  // A path that climbs out of a granted folder by `..` is in no granted folder.
  if (is_path_kind(kind) && (!what.starts_with('/') || normal_path(text) != text)) return false;
  if (kind == "net") text = lower(text);
  return std::any_of(at->second.begin(), at->second.end(), [&](const std::string& glob) {
    return takes(glob, text, false) || (is_path_kind(kind) && takes(below(glob), text, false));
  });
}

bool grants::covers(const grants& inner, std::string* missing) const {
  if (all_) return true;
  const auto lacks = [&](const std::string& what) {
    if (missing != nullptr) *missing = what;
    return false;
  };
  if (inner.all_) return lacks("everything");
  for (const auto& [kind, globs] : inner.globs_) {
    const auto own = globs_.find(kind);
    for (const auto& glob : globs) {
      const bool covered = own != globs_.end() &&
                           std::any_of(own->second.begin(), own->second.end(),
                                       [&, k = std::string_view(kind)](const std::string& outer) {
                                         return glob_covers(k, outer, glob);
                                       });
      if (!covered) return lacks(std::string(kind).append(" ").append(glob));
    }
  }
  if (inner.spawn_ > spawn_) return lacks("spawn " + std::to_string(inner.spawn_));
  return true;
}

grants grants::cut(const grants& other) const {
  if (all_) return other;
  if (other.all_) return *this;
  grants g;
  g.spawn_ = std::min(spawn_, other.spawn_);
  for (const auto& [kind, globs] : globs_) {
    const auto at = other.globs_.find(kind);
    if (at == other.globs_.end()) continue;
    std::vector<std::string> kept;
    const auto keep = [&](const std::string& glob) {
      if (std::find(kept.begin(), kept.end(), glob) == kept.end()) kept.push_back(glob);
    };
    for (const auto& mine : globs)
      for (const auto& theirs : at->second) {
        if (glob_covers(kind, theirs, mine))
          keep(mine);
        else if (glob_covers(kind, mine, theirs))
          keep(theirs);
      }
    if (!kept.empty()) g.globs_.emplace(kind, std::move(kept));
  }
  return g;
}

grants grants::joined(const grants& other) const {
  if (all_ || other.all_) return all();
  grants g = *this;
  g.spawn_ = std::max(spawn_, other.spawn_);
  for (const auto& [kind, globs] : other.globs_)
    g.globs_[kind].insert(g.globs_[kind].end(), globs.begin(), globs.end());
  return g;
}

result<budget_place> budget_place::from(const value& v, std::string path) {
  static const std::vector<std::string_view> keys = {"tokens", "cost", "calls",
                                                     "time",   "per",  "warn"};
  budget_place place;
  place.path = std::move(path);
  if (!v.is_map()) return wrong("budget", "a table", v);
  for (const auto& [key, member] : v.as_map()) {
    const auto name = key.as_string();
    if (std::find(keys.begin(), keys.end(), name) == keys.end())
      return error(errc::config, "budget: " + unknown_name("key", name, keys));
    if (name == "per") continue;
    const bool is_count = name == "tokens" || name == "calls";
    if (is_count && member.as_int(-1) < 0)
      return wrong("budget: " + std::string(name), "a whole number of at least 0", member);
    if (!is_count && !(member.as_double(-1) >= 0))
      return wrong("budget: " + std::string(name), "a number of at least 0", member);
  }
  if (const auto* tokens = v.find("tokens")) place.tokens = tokens->as_int();
  if (const auto* calls = v.find("calls")) place.calls = calls->as_int();
  if (const auto* cost = v.find("cost")) place.cost = cost->as_double();
  if (const auto* time = v.find("time")) place.time = time->as_double();
  place.warn = v["warn"].as_double(1);
  const auto per = v["per"].as_string("run");
  if (per == "hour")
    place.per = std::chrono::hours(1);
  else if (per == "day")
    place.per = std::chrono::hours(24);
  else if (per == "month")
    place.per = std::chrono::hours(24 * 30);
  else if (per != "run")
    return error(errc::config,
                 "budget: per: expected run, hour, day or month, got " + std::string(per));
  return place;
}

error not_granted(std::string_view path, std::string_view what) {
  return {errc::denied, std::string(path) + " needs " + std::string(what) +
                            ", which its needs or its grants leave out"};
}

}  // namespace troupe
