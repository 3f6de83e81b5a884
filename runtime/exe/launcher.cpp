// SPDX-License-Identifier: Apache-2.0
#include "exe/launcher.hpp"

#include <sys/stat.h>

#include <cctype>
#include <optional>

#include "actors/llm/ledger.hpp"
#include "actors/supervisor/pool.hpp"
#include "actors/supervisor/supervisor.hpp"
#include "base/nearest.hpp"

namespace troupe {

namespace {

error of_child(const child_spec& spec, error why) {
  why.message = spec.id + ": " + why.message;
  return why;
}

/// `128MiB`, `64 kB` or plain bytes.
result<std::size_t> size_from(std::string_view key, const value& v) {
  if (v.is_number() && v.as_double() >= 0 && v.as_double() < 1e18)
    return static_cast<std::size_t>(v.as_double());
  const auto text = v.as_string();
  std::size_t digits = 0;
  while (digits < text.size() && std::isdigit(static_cast<unsigned char>(text[digits])))
    ++digits;
  auto unit = text.substr(digits);
  while (unit.starts_with(' '))
    unit.remove_prefix(1);
  static const std::map<std::string_view, std::size_t> units = {{"", 1},
                                                                {"B", 1},
                                                                {"kB", 1000},
                                                                {"MB", 1000u * 1000},
                                                                {"GB", 1000000000},
                                                                {"KiB", 1u << 10},
                                                                {"MiB", 1u << 20},
                                                                {"GiB", 1u << 30}};
  const auto known = units.find(unit);
  if (digits == 0 || digits > 12 || known == units.end())
    return error(
        errc::config,
        "limits." + std::string(key) + ": expected bytes, e.g. 67108864 or \"64MiB\", got " +
            (v.is_string() ? "\"" + std::string(text) + "\"" : std::string(v.type_name())));
  return static_cast<std::size_t>(std::stoull(std::string(text.substr(0, digits)))) * known->second;
}

/// A limit that holds trivially is fine; one that can't be held is refused.
result<agent_limits> limits_from(const child_spec& spec) {
  static const std::vector<std::string_view> known = {"memory", "mailbox", "mailbox_bytes", "busy",
                                                      "files",  "pids",    "cpu",           "wall"};
  const bool is_script = std::holds_alternative<start_script>(spec.start);
  agent_limits limits;
  for (const auto& [key, v] : spec.limits.as_map()) {
    const auto name = key.as_string();
    if (!is_script && (name == "memory" || name == "busy"))
      return error(errc::unsupported,
                   "limits." + std::string(name) + " can't be held for what is no script");
    if (name == "memory") {
      TROUPE_TRY(size, size_from(name, v));
      limits.memory = size;
    } else if (name == "mailbox_bytes") {
      TROUPE_TRY(size, size_from(name, v));
      limits.mailbox.bytes = size;
    } else if (name == "mailbox") {
      if (v.as_int(-1) < 1 || v.as_int() > 1'000'000)
        return error(errc::config, "limits.mailbox: expected 1 to 1 000 000 messages");
      limits.mailbox.messages = static_cast<std::uint32_t>(v.as_int());
    } else if (name == "busy") {
      if (!(v.as_double() > 0)) return error(errc::config, "limits.busy: expected seconds above 0");
      limits.busy = seconds(v.as_double());
    } else if (name == "files" || name == "pids") {
      // A script opens no files and starts no processes.
      if (!is_script || spec.isolate != isolation::none)
        return error(errc::unsupported, "limits." + std::string(name) +
                                            " can't be held for this agent by this version");
    } else if (name == "cpu" || name == "wall") {
      return error(errc::unsupported,
                   "limits." + std::string(name) + " can't be held by this version");
    } else {
      return error(errc::config, "limits: " + unknown_name("limit", name, known));
    }
  }
  return limits;
}

authority_ptr rights_of(const place& where, grants allowed, const child_spec& spec,
                        std::optional<error>& failed) {
  auto rights = std::make_shared<authority>();
  rights->grants = std::move(allowed);
  rights->path = where.path;
  if (where.in_pool) rights->pool = where.parent;
  if (where.rights) rights->budgets = where.rights->budgets;
  if (!spec.budget.is_nil()) {
    auto place = budget_place::from(spec.budget, where.path);
    if (!place) {
      failed = place.error();
    } else {
      place->is_temporary = spec.restart == restart_type::temporary;
      rights->budgets.insert(rights->budgets.begin(), std::move(*place));
    }
  }
  return rights;
}

/// What a model without a price costs is not known, so no budget can cap it.
result<void> check_prices(const child_spec& spec, const authority& rights,
                          const std::map<std::string, value>& models) {
  const auto* place = place_with_cost(rights);
  if (place == nullptr) return ok();
  for (const auto& [name, model] : models)
    if (rights.grants.allows("llm", name) && model.find("price") == nullptr)
      return {errc::config, spec.id + " may use model " + name +
                                ", which has no price, so the cost in " + budget_of(*place) +
                                " can't be held"};
  return ok();
}

}  // namespace

void node_launcher::add_builtin(std::string name, builtin make) {
  builtins_[std::move(name)] = std::move(make);
}

result<node_launcher::known_script> node_launcher::look_up(const child_spec& spec,
                                                           const start_script& start) {
  const auto path = start.file.starts_with('/') ? start.file : spec.base_folder + "/" + start.file;
  struct stat now {};
  if (::stat(path.c_str(), &now) != 0) now = {};
  const auto changed = now.st_mtim.tv_sec * std::int64_t{1'000'000'000} + now.st_mtim.tv_nsec;
  {
    std::lock_guard lock(mutex_);
    auto found = scripts_.find(path);
    if (found != scripts_.end() && found->second.changed == changed &&
        found->second.size == now.st_size && changed != 0)
      return found->second;
  }
  if (with_.scripts->reads) with_.scripts->reads(path);
  TROUPE_TRY(program, script::read_program(start.file, spec.base_folder));
  TROUPE_TRY(said, script::declare(*with_.scripts, program));
  known_script known{changed, now.st_size, std::move(program),
                     std::make_shared<const script::declaration>(std::move(said))};
  std::lock_guard lock(mutex_);
  scripts_[path] = known;
  return known;
}

result<std::shared_ptr<const script::declaration>> node_launcher::declaration_of(
    const child_spec& spec) {
  const auto* start = std::get_if<start_script>(&spec.start);
  if (start == nullptr) return error(errc::unsupported, spec.id + " is no script");
  auto known = look_up(spec, *start);
  if (!known) return of_child(spec, known.error());
  return known->said;
}

result<process_init> node_launcher::prepare(const child_spec& spec, const place& where) {
  if (spec.isolate == isolation::sandbox)
    return error(
        errc::unsupported,
        spec.id + ": isolate = \"sandbox\": this version has no sandbox, and will not pretend");
  auto limits = limits_from(spec);
  if (!limits) return of_child(spec, limits.error());

  // What it needs, and what it is to have: never more than whoever starts it.
  const auto above = where.rights ? where.rights->grants : grants::all();
  grants needs, optional;
  std::optional<known_script> script;
  if (const auto* start = std::get_if<start_script>(&spec.start)) {
    auto known = look_up(spec, *start);
    if (!known) return of_child(spec, known.error());
    script = std::move(*known);
    needs = script->said->needs;
    optional = script->said->optional;
  } else if (const auto* plugin = std::get_if<start_plugin>(&spec.start)) {
    auto found = with_.plugins->find(plugin->plugin);
    if (!found) return of_child(spec, found.error());
    needs = found->needs;
  }
  const bool passes_on = std::holds_alternative<supervisor_spec>(spec.start) ||
                         std::holds_alternative<start_builtin>(spec.start) || spec.pool;
  grants allowed = above;
  if (spec.grants) {
    std::string missing;
    if (!above.covers(*spec.grants, &missing))
      return error(errc::denied,
                   spec.id + " is granted " + missing + ", which its parent does not have");
    allowed = *spec.grants;
  } else if (!passes_on) {
    allowed = above.cut(needs.joined(optional));
  }
  std::string missing;
  if (!allowed.covers(needs, &missing))
    return error(errc::denied, spec.id + " needs " + missing + ", which its spec does not grant");

  process_init init;
  init.path = where.path;
  init.parent = where.parent;
  init.mailbox = limits->mailbox;
  init.base_folder = spec.base_folder;
  init.makes_children = this;
  std::optional<error> bad_budget;
  init.rights = rights_of(where, std::move(allowed), spec, bad_budget);
  if (bad_budget) return of_child(spec, *bad_budget);
  if (!passes_on && with_.models != nullptr)
    TROUPE_CHECK(check_prices(spec, *init.rights, *with_.models));

  if (const auto* name = std::get_if<start_builtin>(&spec.start)) {
    const auto found = builtins_.find(name->name);
    if (found == builtins_.end())
      return error(errc::not_found, spec.id + ": the node has no actor " + name->name);
    init.actions = found->second();
  } else if (spec.pool) {
    child_spec member = spec;
    member.grants.reset();
    member.budget = nullptr;
    init.actions = std::make_unique<pool>(member, *this, *with_.starts);
  } else if (const auto* tree = std::get_if<supervisor_spec>(&spec.start)) {
    init.actions = std::make_unique<supervisor>(
        supervisor_options{.spec = *tree, .base_folder = spec.base_folder}, *this, *with_.starts);
  } else if (spec.isolate == isolation::process) {
    if (with_.workers == nullptr)
      return error(errc::unsupported,
                   spec.id + ": isolate = \"process\": no processes are started here");
    value extra;
    extra.set("memory", limits->memory).set("busy", to_seconds(limits->busy));
    if (const auto* start = std::get_if<start_plugin>(&spec.start)) {
      auto found = with_.plugins->find(start->plugin);
      if (!found) return of_child(spec, found.error());
      extra.set("plugin_folder", found->folder);
    }
    auto made = make_worker_behaviour(*with_.workers, spec, std::move(extra));
    if (!made) return made.error();
    init.actions = std::move(*made);
  } else if (script) {
    script::lua_settings settings;
    settings.shared = with_.scripts;
    settings.script = script->program;
    settings.options = spec.options;
    settings.memory = limits->memory;
    settings.busy = limits->busy;
    settings.bodies = init.bodies;
    init.actions = std::make_unique<script::lua_behaviour>(std::move(settings));
  } else if (const auto* start = std::get_if<start_plugin>(&spec.start)) {
    auto made = with_.plugins->make_agent(start->plugin, start->kind, spec.options);
    if (!made) return of_child(spec, made.error());
    init.actions = std::move(*made);
  } else {
    return error(errc::config, spec.id + ": a program needs isolate = \"process\"");
  }
  if (script && !spec.pool && with_.running != nullptr) with_.running->prepared(init.path);
  return init;
}

result<process_init> node_launcher::implicit_supervisor(const place& owner) {
  process_init init;
  init.path = owner.path + "/~";
  init.parent = owner.parent;
  init.rights = owner.rights;
  init.makes_children = this;
  supervisor_options options;
  options.base_folder = owner.base_folder;
  options.below = owner.path;
  options.is_implicit = true;
  init.actions = std::make_unique<supervisor>(std::move(options), *this, *with_.starts);
  return init;
}

}  // namespace troupe
