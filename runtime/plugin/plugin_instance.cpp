// SPDX-License-Identifier: Apache-2.0
#include "plugin/plugin_instance.hpp"

#include <algorithm>

#include "plugin/elf_record.hpp"
#include "plugin/foreign.hpp"
#include "plugin/library.hpp"

namespace troupe {
namespace {

/// More entries than any plugin has: beyond it a count is garbage.
constexpr std::uint32_t max_entries = 10'000;

template <class Record>
const Record* find_named(const std::vector<const Record*>& all, std::string_view name) {
  for (const Record* r : all)
    if (text_of(r->name) == name) return r;
  return nullptr;
}

bool is_complete(const troupe_agent_kind_t& k) {
  return k.create != nullptr && k.receive != nullptr && k.destroy != nullptr &&
         (k.overlapping_count == 0 ||
          (k.overlapping != nullptr && k.overlapping_count <= max_entries));
}
bool is_complete(const troupe_tool_t& t) {
  return t.call != nullptr && text_of(t.parameters).has_value();
}
bool is_complete(const troupe_model_provider_t& p) {
  return p.create != nullptr && p.destroy != nullptr && p.begin != nullptr &&
         p.response != nullptr && p.feed != nullptr && p.finish != nullptr && p.end != nullptr;
}

/// The records of one extension, as long as they are what the manifest promises; else what is
/// wrong.
template <class List, class Record>
std::string collect_records(const List* list, const Record* const* List::*entries,
                            const std::vector<std::string>& promised, const std::string& noun,
                            std::vector<const Record*>& out) {
  const auto about = [&](const char* who, const std::string& name, const char* what) {
    return who + noun + " " + name + what;
  };
  if (list == nullptr)
    return promised.empty() ? "" : "its plugin.json names " + noun + "s, its library offers none";
  if (!is_record(list) || list->count > max_entries ||
      (list->count > 0 && list->*entries == nullptr))
    return "its list of " + noun + "s is garbage";
  for (std::uint32_t i = 0; i < list->count; ++i) {
    const Record* r = (list->*entries)[i];
    if (!is_record(r) || !text_of(r->name) || !text_of(r->description) || !is_complete(*r))
      return "its " + noun + " " + std::to_string(i + 1) + " is garbage";
    const std::string name(*text_of(r->name));
    if (std::find(promised.begin(), promised.end(), name) == promised.end())
      return about("its library offers ", name, ", which its plugin.json does not name");
    if (find_named(out, name) != nullptr) return about("its library offers ", name, " twice");
    out.push_back(r);
  }
  for (const std::string& name : promised)
    if (find_named(out, name) == nullptr)
      return about("its plugin.json names ", name, ", which its library does not offer");
  return "";
}

}  // namespace

result<std::shared_ptr<plugin_instance>> plugin_instance::load(const manifest& about, logger& log,
                                                               const std::string& node_version,
                                                               bool copy) {
  TROUPE_TRY(needed, read_abi(about.name, about.library));
  TROUPE_CHECK(check_abi(about.name, needed));
  auto loaded = call_foreign("plugin " + about.name, [&] {
    return copy ? library::open_copy(about.name, about.library)
                : library::open(about.name, about.library);
  });
  if (!loaded) return std::move(loaded.error());
  if (!*loaded) return std::move(loaded->error());
  std::shared_ptr<plugin_instance> instance(new plugin_instance(about, log, node_version));
  TROUPE_CHECK(
      instance->open(static_cast<const troupe_plugin_t*>((*loaded)->symbol("troupe_plugin"))));
  if (auto collected = instance->collect(); !collected) {
    instance->close();
    return std::move(collected.error());
  }
  return instance;
}

error plugin_instance::wrong(const std::string& why) const {
  return {errc::abi, "plugin " + about_.name + ": " + why};
}

result<void> plugin_instance::open(const troupe_plugin_t* record) {
  if (record == nullptr) return wrong("exports no troupe_plugin");
  // The file may have changed since it was checked.
  TROUPE_CHECK(check_abi(about_.name, {record->abi_major, record->abi_minor}));
  if (!is_record(record) || record->get_extension == nullptr || !text_of(record->name) ||
      !text_of(record->version))
    return wrong("its troupe_plugin record is garbage");
  if (*text_of(record->name) != about_.name)
    return wrong("its library calls itself " + sentence_of(record->name));
  if (*text_of(record->version) != about_.version)
    return wrong("its plugin.json says version " + about_.version + ", its library says " +
                 sentence_of(record->version));
  if (record->open != nullptr) {
    const std::string who = "plugin " + about_.name + ": open";
    result_slot why(who);
    auto answered =
        call_foreign(who, [&] { return record->open(host_.record(), &self_, why.record()); });
    if (!answered) return std::move(answered.error());
    if (*answered != TROUPE_OK) return why.failure(*answered);
  }
  record_ = record;
  return ok();
}

result<void> plugin_instance::collect() {
  const void* offered[3] = {};
  auto asked = call_foreign("plugin " + about_.name + ": get_extension", [&] {
    offered[0] = record_->get_extension(self_, troupe_text(TROUPE_AGENTS));
    offered[1] = record_->get_extension(self_, troupe_text(TROUPE_TOOLS));
    offered[2] = record_->get_extension(self_, troupe_text(TROUPE_MODELS));
  });
  TROUPE_CHECK(asked);
  std::string fault =
      collect_records(static_cast<const troupe_agents_t*>(offered[0]), &troupe_agents_t::kinds,
                      about_.agents, "agent kind", agents_);
  if (fault.empty())
    fault = collect_records(static_cast<const troupe_tools_t*>(offered[1]), &troupe_tools_t::tools,
                            about_.tools, "tool", tools_);
  if (fault.empty())
    fault =
        collect_records(static_cast<const troupe_models_t*>(offered[2]),
                        &troupe_models_t::providers, about_.models, "model provider", providers_);
  if (!fault.empty()) return wrong(fault);
  return ok();
}

void plugin_instance::close() {
  if (record_ == nullptr || record_->close == nullptr) return;
  auto closed = call_foreign("plugin " + about_.name + ": close", [&] { record_->close(self_); });
  if (!closed) host_.write(TROUPE_LOG_ERROR, closed.error().message, {});
  record_ = nullptr;
}

const troupe_agent_kind_t* plugin_instance::agent(std::string_view name) const {
  return find_named(agents_, name);
}
const troupe_tool_t* plugin_instance::tool(std::string_view name) const {
  return find_named(tools_, name);
}
const troupe_model_provider_t* plugin_instance::provider(std::string_view name) const {
  return find_named(providers_, name);
}

}  // namespace troupe
