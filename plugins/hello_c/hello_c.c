// SPDX-License-Identifier: Apache-2.0
//
// The smallest plugin in C: the agent kind `greeter` with the verbs `greet` and `count`, and the
// tool `hello_c.greet`.
#include <stdio.h>
#include <stdlib.h>
#include <troupe/ext/agents.h>
#include <troupe/ext/tools.h>
#include <troupe/pack.h>

// What the node offers; the same for all agents of this plugin.
typedef struct {
  const troupe_agents_host_t* agents;
  const troupe_tools_host_t* tools;
} plugin_t;

// -- the agent ------------------------------------------------------------------------------------

typedef struct {
  const troupe_agents_host_t* api;
  char greeting[64];
  int64_t greeted;
} greeter_t;

static int32_t create(void* plugin, const troupe_agent_kind_t* kind, troupe_turn_t* turn,
                      troupe_bytes_t options, void** agent, const troupe_result_t* result) {
  greeter_t* self = calloc(1, sizeof *self);
  troupe_text_t greeting = troupe_as_text(troupe_member(options, "greeting"), troupe_text("Hello"));
  (void)kind;
  (void)turn;
  if (self == NULL) return troupe_fail(result, "failed", "greeter: out of memory");
  if (greeting.size >= sizeof self->greeting) {
    free(self);
    return troupe_fail(result, "bad_argument", "greeter: options.greeting has over 63 bytes");
  }
  self->api = ((plugin_t*)plugin)->agents;
  memcpy(self->greeting, greeting.data, (size_t)greeting.size);
  *agent = self;
  return TROUPE_OK;
}

static void refuse(greeter_t* self, troupe_turn_t* turn, uint64_t cause, const char* why) {
  troupe_error_t e;
  memset(&e, 0, sizeof e);
  e.size = sizeof e;
  e.code = troupe_text("bad_argument");
  e.message = troupe_text(why);
  self->api->fail(turn, cause, &e);
}

// Answers "<greeting>, <name>!".
static int32_t greet(greeter_t* self, troupe_turn_t* turn, const troupe_envelope_t* message) {
  troupe_text_t name = troupe_as_text(troupe_element(message->body, 0), troupe_text(""));
  char line[256];
  uint8_t body[300];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  if (name.size == 0 || name.size > 128) {
    refuse(self, turn, message->cause, "greet: expected a name of 1 to 128 bytes");
    return TROUPE_DONE;
  }
  snprintf(line, sizeof line, "%s, %.*s!", self->greeting, (int)name.size, name.data);
  troupe_pack_string(&p, line);
  self->api->reply(turn, message->cause, troupe_packed(&p));
  ++self->greeted;
  return TROUPE_DONE;
}

static int32_t count(greeter_t* self, troupe_turn_t* turn, const troupe_envelope_t* message) {
  uint8_t body[16];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  troupe_pack_int(&p, self->greeted);
  self->api->reply(turn, message->cause, troupe_packed(&p));
  return TROUPE_DONE;
}

static int32_t receive(void* agent, troupe_turn_t* turn, const troupe_envelope_t* message) {
  // Start, stop and all the rest need nothing done here.
  if (message->kind != TROUPE_KIND_CALL && message->kind != TROUPE_KIND_SEND) return TROUPE_DONE;
  if (troupe_text_is(message->verb, "greet")) return greet(agent, turn, message);
  if (troupe_text_is(message->verb, "count")) return count(agent, turn, message);
  return TROUPE_UNKNOWN;
}

static void destroy(void* agent) {
  free(agent);
}

static const troupe_agent_kind_t greeter = {
    .size = sizeof greeter,
    .name = TROUPE_LITERAL("greeter"),
    .description = TROUPE_LITERAL("Greets whoever asks."),
    .create = create,
    .receive = receive,
    .destroy = destroy,
};
static const troupe_agent_kind_t* const kinds[] = {&greeter};
static const troupe_agents_t agents = {sizeof agents, 1, kinds};

// -- the tool -------------------------------------------------------------------------------------

static int32_t greet_tool(void* plugin, const troupe_tool_t* tool, const troupe_tool_call_t* call,
                          troupe_answer_t* answer) {
  // The node has checked the arguments against the schema.
  troupe_text_t name = troupe_as_text(troupe_member(call->args, "name"), troupe_text(""));
  char line[160];
  uint8_t body[200];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  (void)tool;
  snprintf(line, sizeof line, "Hello, %.*s!", name.size > 128 ? 128 : (int)name.size, name.data);
  troupe_pack_string(&p, line);
  ((plugin_t*)plugin)->tools->finish(answer, troupe_packed(&p));
  return TROUPE_DONE;
}

static const troupe_tool_t greet_record = {
    .size = sizeof greet_record,
    .name = TROUPE_LITERAL("hello_c.greet"),
    .description = TROUPE_LITERAL("Greets somebody by name."),
    .parameters = TROUPE_LITERAL("{\"type\": \"object\", \"required\": [\"name\"],"
                                 " \"properties\": {\"name\": {\"type\": \"string\", "
                                 "\"maxLength\": 32}}}"),
    .call = greet_tool,
};
static const troupe_tool_t* const tool_records[] = {&greet_record};
static const troupe_tools_t tools = {sizeof tools, 1, tool_records};

// -- the plugin -----------------------------------------------------------------------------------

static int32_t open_plugin(const troupe_host_t* host, void** plugin,
                           const troupe_result_t* result) {
  plugin_t* self = calloc(1, sizeof *self);
  if (self == NULL) return troupe_fail(result, "failed", "hello_c: out of memory");
  self->agents = host->get_extension(host, troupe_text(TROUPE_AGENTS));
  self->tools = host->get_extension(host, troupe_text(TROUPE_TOOLS));
  if (self->agents == NULL || self->tools == NULL) {
    free(self);
    return troupe_fail(result, "unsupported", "hello_c: needs " TROUPE_AGENTS ", " TROUPE_TOOLS);
  }
  *plugin = self;
  return TROUPE_OK;
}

static void close_plugin(void* plugin) {
  free(plugin);
}

static const void* get_extension(void* plugin, troupe_text_t id) {
  (void)plugin;
  if (troupe_text_is(id, TROUPE_AGENTS)) return &agents;
  if (troupe_text_is(id, TROUPE_TOOLS)) return &tools;
  return NULL;
}

const troupe_plugin_t troupe_plugin = {
    .abi_major = TROUPE_ABI_MAJOR,
    .abi_minor = TROUPE_ABI_MINOR,
    .size = sizeof troupe_plugin,
    .name = TROUPE_LITERAL("hello_c"),
    .version = TROUPE_LITERAL("0.1.0"),
    .open = open_plugin,
    .close = close_plugin,
    .get_extension = get_extension,
};
