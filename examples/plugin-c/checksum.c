// SPDX-License-Identifier: Apache-2.0
//
// A plugin in C: the agent kind `crc32`, which sums what it is given piece by piece (`add`, `sum`),
// and the tool `checksum.crc32`, which does it at once.
#include <stdlib.h>
#include <troupe/ext/agents.h>
#include <troupe/ext/tools.h>
#include <troupe/pack.h>

// What the node offers; the same for all agents of this plugin.
typedef struct {
  const troupe_agents_host_t* agents;
  const troupe_tools_host_t* tools;
} plugin_t;

// CRC-32 as in zlib: the reflected polynomial 0xEDB88320. `sum` of nothing is 0.
static uint32_t crc32_of(uint32_t sum, troupe_text_t text) {
  uint64_t i;
  int bit;
  sum = ~sum;
  for (i = 0; i < text.size; ++i) {
    sum ^= (uint8_t)text.data[i];
    for (bit = 0; bit < 8; ++bit)
      sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xEDB88320u : 0);
  }
  return ~sum;
}

// -- the agent: its functions are called one at a time and must not block

typedef struct {
  const troupe_agents_host_t* api;
  uint32_t sum;
} crc32_t;

static int32_t create(void* plugin, const troupe_agent_kind_t* kind, troupe_turn_t* turn,
                      troupe_bytes_t options, void** agent, const troupe_result_t* result) {
  crc32_t* self = calloc(1, sizeof *self);
  (void)kind;
  (void)turn;
  (void)options;
  if (self == NULL) return troupe_fail(result, "failed", "crc32: out of memory");
  self->api = ((plugin_t*)plugin)->agents;
  *agent = self;
  return TROUPE_OK;
}

static void refuse(crc32_t* self, troupe_turn_t* turn, uint64_t cause) {
  troupe_error_t e;
  memset(&e, 0, sizeof e);
  e.size = sizeof e;
  e.code = troupe_text("bad_argument");
  e.message = troupe_text("add: expected text");
  self->api->fail(turn, cause, &e);
}

static int32_t receive(void* agent, troupe_turn_t* turn, const troupe_envelope_t* message) {
  crc32_t* self = agent;
  uint8_t body[16];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  // Start, stop and all the rest need nothing done here.
  if (message->kind != TROUPE_KIND_CALL && message->kind != TROUPE_KIND_SEND) return TROUPE_DONE;
  if (troupe_text_is(message->verb, "add")) {
    troupe_unpacker_t u = troupe_unpacker(troupe_element(message->body, 0));
    troupe_item_t piece;
    if (!troupe_unpack(&u, &piece) || piece.type != TROUPE_TYPE_TEXT) {
      refuse(self, turn, message->cause);
      return TROUPE_DONE;
    }
    self->sum = crc32_of(self->sum, piece.text);
  } else if (!troupe_text_is(message->verb, "sum")) {
    return TROUPE_UNKNOWN;
  }
  troupe_pack_int(&p, self->sum);
  self->api->reply(turn, message->cause, troupe_packed(&p));
  return TROUPE_DONE;
}

static void destroy(void* agent) {
  free(agent);
}

static const troupe_agent_kind_t crc32_kind = {
    .size = sizeof crc32_kind,
    .name = TROUPE_LITERAL("crc32"),
    .description = TROUPE_LITERAL("Sums text piece by piece."),
    .create = create,
    .receive = receive,
    .destroy = destroy,
};
static const troupe_agent_kind_t* const kinds[] = {&crc32_kind};
static const troupe_agents_t agents = {sizeof agents, 1, kinds};

// -- the tool

static int32_t crc32_tool(void* plugin, const troupe_tool_t* tool, const troupe_tool_call_t* call,
                          troupe_answer_t* answer) {
  // The node has checked the arguments against the schema.
  troupe_text_t text = troupe_as_text(troupe_member(call->args, "text"), troupe_text(""));
  uint8_t body[16];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  (void)tool;
  troupe_pack_int(&p, crc32_of(0, text));
  ((plugin_t*)plugin)->tools->finish(answer, troupe_packed(&p));
  return TROUPE_DONE;
}

static const troupe_tool_t crc32_record = {
    .size = sizeof crc32_record,
    .name = TROUPE_LITERAL("checksum.crc32"),
    .description = TROUPE_LITERAL("The CRC-32 of a text."),
    .parameters = TROUPE_LITERAL("{\"type\": \"object\", \"required\": [\"text\"],"
                                 " \"properties\": {\"text\": {\"type\": \"string\"}}}"),
    .call = crc32_tool,
};
static const troupe_tool_t* const tool_records[] = {&crc32_record};
static const troupe_tools_t tools = {sizeof tools, 1, tool_records};

// -- the plugin

static int32_t open_plugin(const troupe_host_t* host, void** plugin,
                           const troupe_result_t* result) {
  plugin_t* self = calloc(1, sizeof *self);
  if (self == NULL) return troupe_fail(result, "failed", "checksum: out of memory");
  self->agents = host->get_extension(host, troupe_text(TROUPE_AGENTS));
  self->tools = host->get_extension(host, troupe_text(TROUPE_TOOLS));
  if (self->agents == NULL || self->tools == NULL) {
    free(self);
    return troupe_fail(result, "unsupported", "checksum: needs " TROUPE_AGENTS ", " TROUPE_TOOLS);
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
    .name = TROUPE_LITERAL("checksum"),
    .version = TROUPE_LITERAL("0.1.0"),
    .open = open_plugin,
    .close = close_plugin,
    .get_extension = get_extension,
};
