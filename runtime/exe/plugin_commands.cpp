// SPDX-License-Identifier: Apache-2.0
//
// `troupe plugin list|info|check`: what plugins are there and what they offer.
#include <cstdio>
#include <filesystem>

#include "base/log.hpp"
#include "exe/cli.hpp"
#include "exe/node.hpp"
#include "exe/prefix.hpp"
#include "exe/version.hpp"
#include "plugin/catalog.hpp"

namespace troupe::cli {

namespace {

struct shelf {
  troupe::system_clock time;
  std::unique_ptr<log_sink> sink = text_sink(2);
  logger log{*sink, time, log_level::warning};
  catalog plugins{log, version};
};

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& w : words)
    text += (text.empty() ? "" : ", ") + w;
  return text;
}

/// By name, or a folder that holds a plugin.json.
result<manifest> find(shelf& s, const std::string& name) {
  std::error_code failed;
  if (std::filesystem::exists(name + "/plugin.json", failed)) {
    const auto folder = std::filesystem::absolute(name, failed).lexically_normal().string();
    TROUPE_TRY(read, manifest::read(folder));
    TROUPE_CHECK(s.plugins.add(folder));
    return read;
  }
  add_installed_plugins(s.plugins, s.log);
  return s.plugins.find(name);
}

}  // namespace

int plugin_list(const plugin_options& o) {
  shelf s;
  const auto failures = s.plugins.add_all(plugin_folder());
  if (o.json) {
    value list = value::array{};
    for (const auto& m : s.plugins.plugins())
      list.push(m.to_value());
    (void)print_result(list, true);
  } else {
    for (const auto& m : s.plugins.plugins())
      std::printf("%s %s  %s\n", m.name.c_str(), m.version.c_str(), m.description.c_str());
  }
  for (const auto& f : failures)
    complain(f, o.json);
  return failures.empty() ? done : failed;
}

int plugin_info(const plugin_options& o) {
  shelf s;
  auto m = find(s, o.name);
  if (!m) return complain(m.error(), o.json);
  if (o.json) {
    (void)print_result(m->to_value(), true);
    return done;
  }
  std::printf("%s %s\n%s\n", m->name.c_str(), m->version.c_str(), m->description.c_str());
  if (!m->agents.empty()) std::printf("agent kinds: %s\n", joined(m->agents).c_str());
  if (!m->tools.empty()) std::printf("tools: %s\n", joined(m->tools).c_str());
  if (!m->models.empty()) std::printf("model providers: %s\n", joined(m->models).c_str());
  std::printf("needs ABI %s, this node has %s\nfrom %s\n", to_string(m->abi).c_str(),
              to_string(node_abi()).c_str(), m->library.c_str());
  return done;
}

/// Loads it, as a node would.
int plugin_check(const plugin_options& o) {
  shelf s;
  auto m = find(s, o.name);
  if (!m) return complain(m.error(), o.json);
  if (auto loaded = s.plugins.load(m->name); !loaded) return complain(loaded.error(), o.json);
  for (const auto& t : s.plugins.tools())
    if (t.origin == m->name) std::printf("tool %s: %s\n", t.name.c_str(), t.description.c_str());
  std::printf("%s %s loads\n", m->name.c_str(), m->version.c_str());
  return done;
}

}  // namespace troupe::cli
