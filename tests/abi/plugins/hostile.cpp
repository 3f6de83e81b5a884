// SPDX-License-Identifier: Apache-2.0
//
// A plugin that loads and then does everything wrong that can be contained: it throws, answers
// garbage, keeps handles for too long and posts from its own threads whenever it likes.
#include <troupe/ext/agents.h>
#include <troupe/ext/models.h>
#include <troupe/ext/outlet.h>
#include <troupe/ext/tools.h>
#include <troupe/pack.h>

#include <atomic>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

struct plugin_state {
  const troupe_agents_host_t* agents;
  const troupe_outlet_host_t* outlets;
  const troupe_tools_host_t* tools;
};
plugin_state node;

/// Until then whoever hangs does not come back.
std::atomic<bool> is_released{false};
void hang() {
  is_released = false;
  is_released.wait(false);
}

const troupe_bytes_t garbage = troupe_bytes("\xc1\xc1\xc1", 3);
const char not_text[] = "\xff\xfe";

bool is(const troupe_envelope_t* m, const char* verb) {
  return troupe_text_is(m->verb, verb);
}

// -- an agent kind: each verb is one misdeed ------------------------------------------------------

struct villain {
  troupe_turn_t* kept = nullptr;
  std::uint64_t open = 0;
};

std::int32_t create(void*, const troupe_agent_kind_t*, troupe_turn_t*, troupe_bytes_t options,
                    void** agent, const troupe_result_t* result) {
  const std::string how(troupe_as_text(troupe_member(options, "create"), troupe_text("")).data
                            ? troupe_as_text(troupe_member(options, "create"), troupe_text("")).data
                            : "",
                        troupe_as_text(troupe_member(options, "create"), troupe_text("")).size);
  if (how == "throws") throw std::runtime_error("create threw");
  if (how == "fails") return troupe_fail(result, "denied", "the villain stays at home");
  if (how == "garbage") return -1000;
  *agent = new villain;
  return TROUPE_OK;
}

void reply_text(troupe_turn_t* turn, std::uint64_t cause, const char* text) {
  std::uint8_t body[64];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  troupe_pack_string(&p, text);
  node.agents->reply(turn, cause, troupe_packed(&p));
}

std::int32_t receive(void* self, troupe_turn_t* turn, const troupe_envelope_t* m) {
  auto* v = static_cast<villain*>(self);
  const auto* api = node.agents;
  const troupe_target_t nobody = troupe_to_name("nobody");
  if (m->kind == TROUPE_KIND_EVENT && is(m, "ring")) {
    node.agents->reply(turn, v->open, m->body);
    node.agents->done(turn, v->open);
    return TROUPE_DONE;
  }
  if (m->kind != TROUPE_KIND_CALL) return TROUPE_DONE;
  if (is(m, "throw")) throw std::runtime_error("not my day");
  if (is(m, "throw_int")) throw 42;
  if (is(m, "garbage")) return 77;
  if (is(m, "unknown")) return TROUPE_UNKNOWN;
  if (is(m, "silent")) return TROUPE_DONE;
  if (is(m, "bad_reply")) api->reply(turn, m->cause, garbage);
  if (is(m, "bad_bytes")) api->reply(turn, m->cause, {nullptr, 10});
  if (is(m, "bad_verb")) api->send(turn, 0, &nobody, {not_text, 2}, {nullptr, 0});
  if (is(m, "bad_args")) api->send(turn, 0, &nobody, troupe_text("x"), troupe_bytes("\x01", 1));
  if (is(m, "bad_target")) api->send(turn, 0, nullptr, troupe_text("x"), {nullptr, 0});
  if (is(m, "bad_call_id")) api->call(turn, 0, 0, &nobody, troupe_text("x"), {nullptr, 0}, nullptr);
  if (is(m, "high_call_id"))
    api->call(turn, 0, uint64_t{1} << 63, &nobody, troupe_text("x"), {nullptr, 0}, nullptr);
  if (is(m, "bad_options")) {
    const troupe_call_options_t o{2, 0, 1};
    api->call(turn, 0, 1, &nobody, troupe_text("x"), {nullptr, 0}, &o);
  }
  if (is(m, "fail_null")) api->fail(turn, m->cause, nullptr);
  if (is(m, "exit_badly")) {
    troupe_error_t e{};
    e.size = sizeof e;
    e.code = troupe_text("broken");
    e.message = {not_text, 2};
    api->exit(turn, &e);
  }
  if (is(m, "keep_turn")) v->kept = turn;
  if (is(m, "use_on_thread")) {
    std::thread([turn, m] { reply_text(turn, m->cause, "from the wrong thread"); }).join();
    reply_text(turn, m->cause, "from the right thread");
  }
  if (is(m, "ring_later")) {
    v->open = m->cause;
    auto* outlet = node.outlets->open(turn);
    std::thread([outlet] {
      const std::uint8_t body[] = {0xa4, 'r', 'i', 'n', 'g'};
      node.outlets->post(outlet, troupe_text("ring"), troupe_bytes(body, sizeof body));
      node.outlets->close(outlet);
    }).join();
    return TROUPE_OPEN;
  }
  if (is(m, "hang")) hang();
  if (is(m, "release")) {
    is_released = true;
    is_released.notify_all();
  }
  if (is(m, "bad_posts")) {
    auto* outlet = node.outlets->open(turn);
    const bool accepted = node.outlets->post(outlet, troupe_text("x"), garbage) != 0 ||
                          node.outlets->post(outlet, {not_text, 2}, {nullptr, 0}) != 0 ||
                          node.outlets->post(nullptr, troupe_text("x"), {nullptr, 0}) != 0;
    node.outlets->close(outlet);
    reply_text(turn, m->cause, accepted ? "accepted" : "refused");
  }
  return TROUPE_DONE;
}

void destroy(void* self) {
  auto* v = static_cast<villain*>(self);
  // The handle leads nowhere by now, and must not lead to a crash.
  if (v->kept != nullptr) reply_text(v->kept, 1, "from beyond");
  delete v;
  throw std::runtime_error("destroy threw");
}

void inspect(void*, const troupe_result_t* result) {
  result->value(result->context, garbage);
  throw std::runtime_error("inspect threw");
}

// Takes an outlet in its only turn; a thread outlives the agent and posts into the void.
std::thread ghost_thread;
troupe_outlet_t* ghost_outlet;

std::int32_t create_ghost(void*, const troupe_agent_kind_t*, troupe_turn_t* turn, troupe_bytes_t,
                          void** agent, const troupe_result_t*) {
  ghost_outlet = node.outlets->open(turn);
  *agent = nullptr;
  return TROUPE_OK;
}
std::int32_t receive_ghost(void*, troupe_turn_t* turn, const troupe_envelope_t* m) {
  if (m->kind == TROUPE_KIND_CALL) node.agents->exit(turn, nullptr);
  return TROUPE_DONE;
}
void destroy_ghost(void*) {}

// -- tools ----------------------------------------------------------------------------------------

std::thread slow_thread;
troupe_answer_t* slow_answer;
std::uint64_t last_cancelled;

std::int32_t call(void*, const troupe_tool_t* tool, const troupe_tool_call_t* c,
                  troupe_answer_t* answer) {
  const auto name = tool->name;
  const troupe_bytes_t nil = troupe_bytes("\xc0", 1);
  if (troupe_text_is(name, "hostile.throw")) throw std::runtime_error("tool threw");
  if (troupe_text_is(name, "hostile.garbage")) node.tools->finish(answer, garbage);
  if (troupe_text_is(name, "hostile.twice")) {
    node.tools->finish(answer, troupe_bytes("\x01", 1));
    node.tools->finish(answer, troupe_bytes("\x02", 1));
  }
  if (troupe_text_is(name, "hostile.fail_null")) node.tools->fail(answer, nullptr);
  if (troupe_text_is(name, "hostile.number")) return 77;
  if (troupe_text_is(name, "hostile.big")) {
    const std::string big(static_cast<std::size_t>(c->max_result) + 1, 'x');
    std::string body(big.size() + 9, '\0');
    troupe_packer_t p = troupe_packer(&body[0], body.size());
    troupe_pack_text(&p, {big.data(), big.size()});
    node.tools->finish(answer, troupe_packed(&p));
  }
  if (troupe_text_is(name, "hostile.slow")) {
    std::thread([answer, nil] { node.tools->finish(answer, nil); }).join();
    return TROUPE_OPEN;
  }
  if (troupe_text_is(name, "hostile.hang")) {
    slow_answer = answer;
    return TROUPE_OPEN;
  }
  if (troupe_text_is(name, "hostile.block")) hang();
  if (troupe_text_is(name, "hostile.throw_open")) {
    node.tools->finish(answer, nil);
    throw std::runtime_error("threw after its answer");
  }
  return TROUPE_DONE;  // for hostile.silent and hostile.block: without an answer
}

void cancel(void*, const troupe_tool_t* tool, std::uint64_t id) {
  last_cancelled = id;
  if (slow_answer != nullptr && troupe_text_is(tool->name, "hostile.hang")) {
    node.tools->finish(slow_answer, troupe_bytes("\xc0", 1));
    slow_answer = nullptr;
  }
  throw std::runtime_error("cancel threw");
}

#define TOOL(name)                                                                           \
  {                                                                                          \
    sizeof(troupe_tool_t), 0, TROUPE_LITERAL(name), {}, TROUPE_LITERAL("{}"), nullptr, call, \
        cancel                                                                               \
  }
const troupe_tool_t tool_records[] = {
    TOOL("hostile.throw"),      TOOL("hostile.garbage"), TOOL("hostile.twice"),
    TOOL("hostile.fail_null"),  TOOL("hostile.number"),  TOOL("hostile.big"),
    TOOL("hostile.slow"),       TOOL("hostile.hang"),    TOOL("hostile.silent"),
    TOOL("hostile.throw_open"), TOOL("hostile.block")};
const troupe_tool_t* const tools[] = {&tool_records[0], &tool_records[1], &tool_records[2],
                                      &tool_records[3], &tool_records[4], &tool_records[5],
                                      &tool_records[6], &tool_records[7], &tool_records[8],
                                      &tool_records[9], &tool_records[10]};

// -- a model provider: the option `how` says what goes wrong --------------------------------------

std::int32_t create_codec(void*, const troupe_model_provider_t*, troupe_bytes_t options,
                          troupe_text_t, void** codec, const troupe_result_t* result) {
  const auto how = troupe_as_text(troupe_member(options, "how"), troupe_text(""));
  if (how.size == 0) return troupe_fail(result, "config", "hostile: how is missing");
  *codec = new std::string(how.data, how.size);
  return TROUPE_OK;
}
void destroy_codec(void* codec) {
  delete static_cast<std::string*>(codec);
}

void put(const troupe_model_events_t* events, std::uint32_t type, const char* text,
         std::uint32_t fault = 0) {
  troupe_model_event_t e{};
  e.size = sizeof e;
  e.type = type;
  e.fault = fault;
  e.text = troupe_text(text);
  events->put(events->context, &e);
}

std::int32_t begin(void* codec, troupe_bytes_t, const troupe_model_request_t* request,
                   const troupe_model_events_t* events, void** exchange, const troupe_result_t*) {
  const auto& how = *static_cast<std::string*>(codec);
  *exchange = codec;
  if (how == "begin throws") throw std::runtime_error("begin threw");
  if (how == "begin garbage") return 77;
  if (how == "neither") return TROUPE_OK;
  if (how == "local without end") {
    put(events, TROUPE_EVENT_TEXT, "and then");
    request->local(request->context);
    return TROUPE_OK;
  }
  troupe_header_t header = {troupe_text("x"), troupe_text("y")};
  troupe_http_request_t r{};
  r.size = sizeof r;
  r.method = troupe_text("POST");
  r.url = troupe_text("http://127.0.0.1/");
  r.headers = &header;
  r.header_count = 1;
  if (how == "url") r.url = troupe_text("file:///etc/passwd");
  if (how == "header") header.value = troupe_text("a\r\nx-evil: b");
  if (how == "headers null") r.headers = nullptr;
  if (how == "body null") r.body = {nullptr, 5};
  if (how == "http null")
    request->http(request->context, nullptr);
  else
    request->http(request->context, &r);
  if (how == "both") request->local(request->context);
  return TROUPE_OK;
}
void response(void*, std::uint32_t, const troupe_header_t*, std::uint32_t,
              const troupe_model_events_t*) {}
void feed(void* exchange, troupe_bytes_t, const troupe_model_events_t* events) {
  const auto& how = *static_cast<std::string*>(exchange);
  if (how == "feed throws") throw std::runtime_error("feed threw");
  if (how == "event null") events->put(events->context, nullptr);
  if (how == "event type") put(events, 1000, "");
  if (how == "event text") put(events, TROUPE_EVENT_TEXT, not_text);
  if (how == "event fault") put(events, TROUPE_EVENT_ERROR, "", 9);
  if (how == "goes on after the end") {
    put(events, TROUPE_EVENT_STOP, "stop");
    put(events, TROUPE_EVENT_TEXT, "one more thing");
  }
}
void finish(void*, const troupe_model_events_t*) {}
void end(void* exchange) {
  if (*static_cast<std::string*>(exchange) == "feed throws") throw 42;
}

// -- the plugin -----------------------------------------------------------------------------------

const troupe_agent_kind_t villain_kind = {sizeof(troupe_agent_kind_t),
                                          0,
                                          TROUPE_LITERAL("villain"),
                                          {},
                                          nullptr,
                                          0,
                                          0,
                                          nullptr,
                                          create,
                                          receive,
                                          destroy,
                                          inspect};
const troupe_agent_kind_t ghost_kind = {sizeof(troupe_agent_kind_t),
                                        0,
                                        TROUPE_LITERAL("ghost"),
                                        {},
                                        nullptr,
                                        0,
                                        0,
                                        nullptr,
                                        create_ghost,
                                        receive_ghost,
                                        destroy_ghost,
                                        nullptr};
const troupe_agent_kind_t* const kinds[] = {&villain_kind, &ghost_kind};
const troupe_agents_t agents = {sizeof agents, 2, kinds};
const troupe_tools_t tool_list = {sizeof tool_list, 11, tools};
const troupe_model_provider_t provider = {sizeof(troupe_model_provider_t),
                                          0,
                                          TROUPE_LITERAL("hostile"),
                                          {},
                                          nullptr,
                                          create_codec,
                                          destroy_codec,
                                          begin,
                                          response,
                                          feed,
                                          finish,
                                          end};
const troupe_model_provider_t* const providers[] = {&provider};
const troupe_models_t models = {sizeof models, 1, providers};

std::int32_t open_plugin(const troupe_host_t* host, void**, const troupe_result_t*) {
  const auto get = [&](const char* id) { return host->get_extension(host, troupe_text(id)); };
  node.agents = static_cast<const troupe_agents_host_t*>(get(TROUPE_AGENTS));
  node.outlets = static_cast<const troupe_outlet_host_t*>(get(TROUPE_OUTLET));
  node.tools = static_cast<const troupe_tools_host_t*>(get(TROUPE_TOOLS));
  // An id that nobody knows, and one that is no text: both are just not there.
  if (get("troupe.nonsense/1") != nullptr) return TROUPE_FAILED;
  if (host->get_extension(host, {not_text, 2}) != nullptr) return TROUPE_FAILED;
  return TROUPE_OK;
}

// By now the ghost's agent is long gone: its thread rings all the same.
void close_plugin(void*) {
  if (ghost_outlet != nullptr) {
    std::thread([] {
      if (node.outlets->post(ghost_outlet, troupe_text("boo"), {nullptr, 0}) != 0) std::abort();
      node.outlets->close(ghost_outlet);
    }).join();
    ghost_outlet = nullptr;
  }
  throw std::runtime_error("close threw");
}

const void* get_extension(void*, troupe_text_t id) {
  if (troupe_text_is(id, TROUPE_AGENTS)) return &agents;
  if (troupe_text_is(id, TROUPE_TOOLS)) return &tool_list;
  if (troupe_text_is(id, TROUPE_MODELS)) return &models;
  return nullptr;
}

}  // namespace

const troupe_plugin_t troupe_plugin = {TROUPE_ABI_MAJOR,
                                       TROUPE_ABI_MINOR,
                                       sizeof(troupe_plugin_t),
                                       0,
                                       TROUPE_LITERAL("hostile"),
                                       TROUPE_LITERAL("1.0.0"),
                                       open_plugin,
                                       close_plugin,
                                       get_extension};
