// SPDX-License-Identifier: Apache-2.0
#include "plugin/catalog.hpp"

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>

#include "base/msgpack.hpp"
#include "base/nearest.hpp"
#include "plugin/foreign.hpp"
#include "plugin/plugin_behaviour.hpp"
#include "plugin/plugin_codec.hpp"
#include "plugin/plugin_instance.hpp"
#include "plugin/plugin_tools.hpp"

namespace troupe {

class catalog::entry {
 public:
  entry(manifest about, logger& log, std::string node_version, bool is_copy)
      : about_(std::move(about)),
        log_(log),
        node_version_(std::move(node_version)),
        is_copy_(is_copy) {}

  const manifest& about() const { return about_; }
  /// Tells the copies of a plugin apart; never 0.
  std::uint64_t number() const { return number_; }

  /// Loads it at the first use. Who comes meanwhile waits: a plugin must not be opened twice.
  const result<std::shared_ptr<plugin_instance>>& instance() {
    std::call_once(once_, [this] {
      instance_.emplace(plugin_instance::load(about_, log_, node_version_, is_copy_));
      loaded_.store(static_cast<bool>(*instance_), std::memory_order_release);
    });
    return *instance_;
  }

  /// Null if it was never used or could not be loaded.
  plugin_instance* if_loaded() const {
    return loaded_.load(std::memory_order_acquire) ? (**instance_).get() : nullptr;
  }

  /// Whose tools one agent calls at a time. False if another does.
  bool hold() { return !is_held_.exchange(true, std::memory_order_acquire); }
  void let_go() { is_held_.store(false, std::memory_order_release); }

 private:
  const manifest about_;
  logger& log_;
  const std::string node_version_;
  const bool is_copy_;
  const std::uint64_t number_ = next_number++;
  static std::atomic<std::uint64_t> next_number;
  std::once_flag once_;
  std::optional<result<std::shared_ptr<plugin_instance>>> instance_;
  std::atomic<bool> loaded_{false};
  std::atomic<bool> is_held_{false};
};

std::atomic<std::uint64_t> catalog::entry::next_number{1};

struct catalog::table {
  std::vector<std::shared_ptr<entry>> current;  ///< what new things are made from
  std::vector<std::shared_ptr<entry>> all;      ///< these and those that were replaced by a reload
};

namespace {

/// Names are looked up across plugins, so each has one owner.
const std::string* common(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  for (const std::string& name : a)
    if (std::find(b.begin(), b.end(), name) != b.end()) return &name;
  return nullptr;
}

error unknown(std::string_view noun, std::string_view name, const std::vector<std::string>& known) {
  std::vector<std::string_view> views(known.begin(), known.end());
  return {errc::not_found, unknown_name(noun, name, views)};
}

error taken(const manifest& newcomer, const std::string& what, const manifest& holder) {
  return {errc::exists, "plugin " + newcomer.name + ": " + what + " is taken by plugin " +
                            holder.name + " in " + holder.folder};
}

result<void> check_free(const manifest& newcomer, const manifest& holder) {
  if (holder.name == newcomer.name)
    return error(errc::exists,
                 "plugin " + newcomer.name + " is there already, in " + holder.folder);
  if (const auto* tool = common(newcomer.tools, holder.tools))
    return taken(newcomer, "tool " + *tool, holder);
  if (const auto* provider = common(newcomer.models, holder.models))
    return taken(newcomer, "model provider " + *provider, holder);
  return ok();
}

}  // namespace

catalog::catalog(logger& log, std::string node_version)
    : log_(log), node_version_(std::move(node_version)), table_(std::make_shared<const table>()) {}

catalog::~catalog() {
  const auto now = table_.load();
  for (auto e = now->all.rbegin(); e != now->all.rend(); ++e)
    if (plugin_instance* instance = (*e)->if_loaded()) instance->close();
}

/// Tries `change` on a copy of the table until nobody else was faster.
template <class Change>
result<void> catalog::replace_table(Change&& change) {
  auto before = table_.load();
  for (;;) {
    auto after = std::make_shared<table>(*before);
    TROUPE_CHECK(change(*after));
    if (table_.compare_exchange_strong(before, std::move(after))) return ok();
  }
}

result<void> catalog::add(const std::string& folder) {
  TROUPE_TRY(about, manifest::read(folder));
  auto added = std::make_shared<entry>(about, log_, node_version_, false);
  return replace_table([&](table& t) -> result<void> {
    for (const auto& e : t.current)
      TROUPE_CHECK(check_free(about, e->about()));
    t.current.push_back(added);
    t.all.push_back(added);
    return ok();
  });
}

std::vector<error> catalog::add_all(const std::string& folder) {
  std::vector<std::string> folders;
  std::error_code failure;
  for (std::filesystem::directory_iterator at(folder, failure), end; !failure && at != end;
       at.increment(failure))
    if (std::error_code ignored; std::filesystem::exists(at->path() / "plugin.json", ignored))
      folders.push_back(at->path().string());
  std::vector<error> errors;
  if (failure && failure != std::errc::no_such_file_or_directory)
    errors.push_back({errc::io, folder + ": " + failure.message()});
  // In an order that does not depend on the file system.
  std::sort(folders.begin(), folders.end());
  for (const std::string& each : folders)
    if (auto added = add(each); !added) errors.push_back(std::move(added.error()));
  return errors;
}

std::vector<manifest> catalog::plugins() const {
  std::vector<manifest> out;
  for (const auto& e : table_.load()->current)
    out.push_back(e->about());
  return out;
}

std::shared_ptr<catalog::entry> catalog::find_entry(std::string_view plugin) const {
  const auto now = table_.load();
  for (const auto& e : now->current)
    if (e->about().name == plugin) return e;
  return nullptr;
}

std::shared_ptr<catalog::entry> catalog::find_copy(std::uint64_t copy) const {
  const auto now = table_.load();
  const auto at = std::find_if(now->all.begin(), now->all.end(),
                               [copy](const auto& e) { return e->number() == copy; });
  return at != now->all.end() ? *at : nullptr;
}

std::shared_ptr<catalog::entry> catalog::find_provider_of(std::vector<std::string> manifest::*names,
                                                          std::string_view name) const {
  const auto now = table_.load();
  for (const auto& e : now->current) {
    const auto& provided = e->about().*names;
    if (std::find(provided.begin(), provided.end(), name) != provided.end()) return e;
  }
  return nullptr;
}

std::shared_ptr<catalog::entry> catalog::find_tool(std::string_view name,
                                                   std::uint64_t copy) const {
  if (copy == 0) return find_provider_of(&manifest::tools, name);
  auto e = find_copy(copy);
  if (!e) return nullptr;
  const auto& names = e->about().tools;
  return std::find(names.begin(), names.end(), name) != names.end() ? e : nullptr;
}

result<manifest> catalog::find(std::string_view plugin) const {
  if (auto e = find_entry(plugin)) return e->about();
  std::vector<std::string> known;
  for (const manifest& m : plugins())
    known.push_back(m.name);
  return unknown("plugin", plugin, known);
}

result<void> catalog::load(std::string_view plugin) {
  TROUPE_CHECK(find(plugin));
  if (auto e = find_entry(plugin))
    if (const auto& instance = e->instance(); !instance) return instance.error();
  return ok();
}

result<void> catalog::reload(std::string_view plugin) {
  TROUPE_TRY(old, find(plugin));
  TROUPE_TRY(about, manifest::read(old.folder));
  if (about.name != old.name)
    return error(errc::config, "plugin " + old.name + ": its plugin.json now names " + about.name);
  auto fresh = std::make_shared<entry>(about, log_, node_version_, true);
  if (const auto& instance = fresh->instance(); !instance) return instance.error();
  auto replaced = replace_table([&](table& t) -> result<void> {
    auto place = t.current.end();
    for (auto e = t.current.begin(); e != t.current.end(); ++e) {
      if ((*e)->about().name == about.name) {
        place = e;
        continue;
      }
      TROUPE_CHECK(check_free(about, (*e)->about()));
    }
    if (place == t.current.end())
      return error(errc::not_found, "plugin " + about.name + " is gone");
    *place = fresh;
    t.all.push_back(fresh);
    return ok();
  });
  if (!replaced) fresh->if_loaded()->close();
  return replaced;
}

result<std::unique_ptr<behaviour>> catalog::make_agent(std::string_view plugin,
                                                       std::string_view kind,
                                                       const value& options) {
  TROUPE_TRY(about, find(plugin));
  auto e = find_entry(plugin);
  if (std::find(about.agents.begin(), about.agents.end(), kind) == about.agents.end())
    return unknown("agent kind of plugin " + about.name, kind, about.agents);
  const auto& instance = e->instance();
  if (!instance) return instance.error();
  TROUPE_TRY(packed, pack(options));
  return std::unique_ptr<behaviour>(
      std::make_unique<plugin_behaviour>(*instance, (*instance)->agent(kind), std::move(packed)));
}

std::vector<tool_info> catalog::tools() const {
  std::vector<tool_info> out;
  const auto leave_out = [&](const error& why) {
    log_.write(log_level::error, "plugin", "plugin left out", {{"reason", why.message}});
  };
  const auto now = table_.load();
  for (const auto& e : now->current) {
    if (e->about().tools.empty()) continue;
    const auto& instance = e->instance();
    if (!instance) {
      leave_out(instance.error());
      continue;
    }
    for (const troupe_tool_t* tool : (*instance)->tools()) {
      auto info = describe_tool(**instance, *tool);
      if (!info) {
        leave_out(info.error());
        continue;
      }
      info->copy = e->number();
      out.push_back(std::move(*info));
    }
  }
  return out;
}

result<void> catalog::hold(std::uint64_t copy) {
  const auto e = find_copy(copy);
  if (!e) return {errc::not_found, "there is no copy " + std::to_string(copy) + " of a plugin"};
  if (e->hold()) return ok();
  return {errc::overloaded, "plugin " + e->about().name +
                                " is still in a call of an agent that was ended, and takes one "
                                "call at a time"};
}

void catalog::let_go(std::uint64_t copy) {
  if (const auto e = find_copy(copy)) e->let_go();
}

std::optional<result<bytes>> catalog::call_tool(const tool_request& request, const outlet& later) {
  auto e = find_tool(request.name, request.copy);
  if (!e) {
    std::vector<std::string> known;
    for (const manifest& m : plugins())
      known.insert(known.end(), m.tools.begin(), m.tools.end());
    return unknown("tool", request.name, known);
  }
  const auto& instance = e->instance();
  if (!instance) return instance.error();
  return troupe::call_tool(**instance, *(*instance)->tool(request.name), request, later);
}

void catalog::cancel_tool(std::string_view name, std::uint64_t copy, std::uint64_t id) {
  const auto e = find_tool(name, copy);
  plugin_instance* const instance = e ? e->if_loaded() : nullptr;
  if (instance != nullptr) troupe::cancel_tool(*instance, *instance->tool(name), id);
}

result<std::unique_ptr<model_codec>> catalog::make_codec(std::string_view provider,
                                                         const value& options,
                                                         const std::string& folder) {
  auto e = find_provider_of(&manifest::models, provider);
  if (!e) return unknown("model provider", provider, providers());
  const auto& instance = e->instance();
  if (!instance) return instance.error();
  return make_plugin_codec(*instance, (*instance)->provider(provider), options, folder);
}

std::vector<std::string> catalog::providers() const {
  std::vector<std::string> out;
  for (const manifest& m : plugins())
    out.insert(out.end(), m.models.begin(), m.models.end());
  return out;
}

}  // namespace troupe
