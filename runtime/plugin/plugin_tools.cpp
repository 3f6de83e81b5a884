// SPDX-License-Identifier: Apache-2.0
#include "plugin/plugin_tools.hpp"

#include <atomic>
#include <memory>
#include <utility>

#include "base/json.hpp"
#include "base/msgpack.hpp"
#include "plugin/foreign.hpp"

/// The answer to one call: held by the plugin until it uses it, and by call_tool while it runs.
struct troupe_answer {
  troupe_answer(std::uint64_t call, std::string name, std::size_t max, troupe::outlet to)
      : id(call), who(std::move(name)), max_result(max), later(std::move(to)) {}

  const std::uint64_t id;
  const std::string who;
  const std::size_t max_result;
  const troupe::outlet later;
  std::atomic<bool> used{false};
  std::atomic<int> holders{2};
  /// Set if the answer came inside the call, on its thread.
  std::optional<troupe::result<troupe::bytes>> at_once;

  void drop() {
    if (holders.fetch_sub(1, std::memory_order_acq_rel) == 1)
      std::unique_ptr<troupe_answer>(this).reset();
  }
};

namespace troupe {
namespace {

/// The call that runs on this thread.
thread_local troupe_answer* running_call = nullptr;

void settle(troupe_answer* answer, result<bytes> outcome) {
  // Used twice within its call: the first one counts. (Used twice later is beyond help.)
  if (answer == nullptr || answer->used.exchange(true)) return;
  if (outcome && outcome->size() > answer->max_result)
    outcome =
        error(errc::too_big, answer->who + " answered " + std::to_string(outcome->size()) +
                                 " bytes, " + std::to_string(answer->max_result) + " are allowed");
  if (running_call == answer)
    answer->at_once = std::move(outcome);
  else
    answer->later.post(tool_answer_verb, pack_tool_answer(answer->id, outcome));
  answer->drop();
}

void finish(troupe_answer_t* answer, troupe_bytes_t value) noexcept {
  if (answer == nullptr) return;
  auto body = body_of(value);
  if (!body)
    body = error(errc::bad_body, answer->who + " answered garbage: " + body.error().message);
  settle(answer, std::move(body));
}

void fail(troupe_answer_t* answer, const troupe_error_t* why) noexcept {
  if (answer != nullptr) settle(answer, error_of(why, answer->who));
}

std::string name_of(const plugin_instance& plugin, const troupe_tool_t& tool) {
  return "tool " + sentence_of(tool.name) + " of plugin " + plugin.about().name;
}

}  // namespace

const troupe_tools_host_t tools_host_table{sizeof(troupe_tools_host_t), 0, finish, fail};

bytes pack_tool_answer(std::uint64_t id, const result<bytes>& outcome) {
  value v;
  v.set("id", id);
  if (outcome)
    v.set("value", value::binary{std::string(outcome->view())});
  else
    v.set("error", to_value(outcome.error()));
  auto packed = pack(v);
  if (packed) return std::move(*packed);
  v = value();
  v.set("id", id);
  v.set("error", to_value(packed.error()));
  return std::move(*pack(v));
}

result<tool_answer> unpack_tool_answer(const bytes& body) {
  TROUPE_TRY(v, unpack(body.view()));
  if (!v["id"].is_int()) return error(errc::bad_body, "a tool's answer without the call's id");
  tool_answer answer;
  answer.id = static_cast<std::uint64_t>(v["id"].as_int());
  if (const value* why = v.find("error"))
    answer.failure = error_from(*why);
  else
    answer.value = bytes(v["value"].as_string());
  return answer;
}

result<tool_info> describe_tool(const plugin_instance& plugin, const troupe_tool_t& tool) {
  tool_info info;
  info.name = sentence_of(tool.name);
  info.description = sentence_of(tool.description);
  info.origin = plugin.about().name;
  auto schema = parse_json(sentence_of(tool.parameters));
  if (!schema || !schema->is_map())
    return error(errc::config, name_of(plugin, tool) + ": its schema is no JSON object" +
                                   (schema ? "" : ": " + schema.error().message));
  info.parameters = std::move(*schema);
  return info;
}

std::optional<result<bytes>> call_tool(const plugin_instance& plugin, const troupe_tool_t& tool,
                                       const tool_request& request, const outlet& later) {
  const std::string who = name_of(plugin, tool);
  auto grants = pack(request.rights ? request.rights->grants.to_value() : value(value::map{}));
  if (!grants) return grants.error();

  troupe_tool_call_t call{};
  call.size = sizeof call;
  call.id = request.id;
  call.args = to_bytes(request.args.view());
  call.caller = to_text(request.caller);
  call.grants = to_bytes(grants->view());
  call.folder = to_text(request.folder);
  call.time_left = request.time_left == duration::max() ? -1 : to_seconds(request.time_left);
  call.max_result = request.max_result;

  auto* answer =
      std::make_unique<troupe_answer>(request.id, who, request.max_result, later).release();
  troupe_answer* outer = std::exchange(running_call, answer);
  auto answered = call_foreign(who, [&] { return tool.call(plugin.self(), &tool, &call, answer); });
  running_call = outer;

  std::optional<result<bytes>> outcome = std::move(answer->at_once);
  const bool promised = answered && *answered == TROUPE_OPEN;
  if (!promised && !answer->used.exchange(true)) {
    // By contract the plugin has let go of it.
    answer->drop();
    if (!answered)
      outcome = answered.error();
    else if (*answered == TROUPE_DONE)
      outcome = error(errc::bad_response, who + " returned without an answer");
    else
      outcome = error(errc::bad_response,
                      who + " returned " + std::to_string(*answered) + ", which means nothing");
  }
  answer->drop();
  return outcome;
}

void cancel_tool(const plugin_instance& plugin, const troupe_tool_t& tool, std::uint64_t id) {
  if (tool.cancel == nullptr) return;
  // A throw here changes nothing for anybody: the call is over.
  (void)call_foreign(name_of(plugin, tool), [&] { tool.cancel(plugin.self(), &tool, id); });
}

}  // namespace troupe
