// @name@: an agent that counts, and a tool that adds.
#include <stdlib.h>
#include <troupe/ext/agents.h>
#include <troupe/ext/tools.h>
#include <troupe/pack.h>

typedef struct {
  const troupe_agents_host_t* agents;
  const troupe_tools_host_t* tools;
} plugin_t;

// -- the agent: one counter_t for each; its functions are called one at a time and must not block -----

typedef struct {
  const troupe_agents_host_t* api;
  int64_t total;
} counter_t;

static int32_t create(void* plugin, const troupe_agent_kind_t* kind, troupe_turn_t* turn,
                      troupe_bytes_t options, void** agent, const troupe_result_t* result) {
  counter_t* self = malloc(sizeof *self);
  (void)kind;
  (void)turn;
  if (self == NULL) return troupe_fail(result, "failed", "@name@: out of memory");
  self->api = ((plugin_t*)plugin)->agents;
  self->total = troupe_as_int(troupe_member(options, "from"), 0);
  *agent = self;
  return TROUPE_OK;
}

static void reply_total(counter_t* self, troupe_turn_t* turn, uint64_t cause) {
  uint8_t body[16];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  troupe_pack_int(&p, self->total);
  self->api->reply(turn, cause, troupe_packed(&p));
}

static void refuse(counter_t* self, troupe_turn_t* turn, uint64_t cause) {
  troupe_error_t e;
  memset(&e, 0, sizeof e);
  e.size = sizeof e;
  e.code = troupe_text("bad_argument");
  e.message = troupe_text("add: expected an integer");
  self->api->fail(turn, cause, &e);
}

static int32_t receive(void* agent, troupe_turn_t* turn, const troupe_envelope_t* message) {
  counter_t* self = agent;
  if (message->kind != TROUPE_KIND_CALL && message->kind != TROUPE_KIND_SEND) return TROUPE_DONE;
  if (troupe_text_is(message->verb, "add")) {
    troupe_unpacker_t u = troupe_unpacker(troupe_element(message->body, 0));
    troupe_item_t number;
    if (!troupe_unpack(&u, &number) || number.type != TROUPE_TYPE_INT) {
      refuse(self, turn, message->cause);
      return TROUPE_DONE;
    }
    self->total += number.integer;
  } else if (!troupe_text_is(message->verb, "total")) {
    return TROUPE_UNKNOWN;
  }
  reply_total(self, turn, message->cause);
  return TROUPE_DONE;
}

static void destroy(void* agent) {
  free(agent);
}

static const troupe_agent_kind_t counter = {
    .size = sizeof counter,
    .name = TROUPE_LITERAL("counter"),
    .description = TROUPE_LITERAL("Counts."),
    .create = create,
    .receive = receive,
    .destroy = destroy,
};
static const troupe_agent_kind_t* const kinds[] = {&counter};
static const troupe_agents_t agents = {sizeof agents, 1, kinds};

// -- the tool ----------------------------------------------------------------------------------------

static int32_t add(void* plugin, const troupe_tool_t* tool, const troupe_tool_call_t* call,
                   troupe_answer_t* answer) {
  // The node has checked the arguments against the schema.
  double a = troupe_as_double(troupe_member(call->args, "a"), 0);
  double b = troupe_as_double(troupe_member(call->args, "b"), 0);
  uint8_t body[16];
  troupe_packer_t p = troupe_packer(body, sizeof body);
  (void)tool;
  troupe_pack_double(&p, a + b);
  ((plugin_t*)plugin)->tools->finish(answer, troupe_packed(&p));
  return TROUPE_DONE;
}

static const troupe_tool_t add_record = {
    .size = sizeof add_record,
    .name = TROUPE_LITERAL("@name@.add"),
    .description = TROUPE_LITERAL("Adds two numbers."),
    .parameters = TROUPE_LITERAL("{\"type\": \"object\", \"required\": [\"a\", \"b\"], \"properties\":"
                                 " {\"a\": {\"type\": \"number\"}, \"b\": {\"type\": \"number\"}}}"),
    .call = add,
};
static const troupe_tool_t* const tool_records[] = {&add_record};
static const troupe_tools_t tools = {sizeof tools, 1, tool_records};

// -- the plugin --------------------------------------------------------------------------------------

static int32_t open_plugin(const troupe_host_t* host, void** plugin, const troupe_result_t* result) {
  plugin_t* self = malloc(sizeof *self);
  if (self == NULL) return troupe_fail(result, "failed", "@name@: out of memory");
  self->agents = host->get_extension(host, troupe_text(TROUPE_AGENTS));
  self->tools = host->get_extension(host, troupe_text(TROUPE_TOOLS));
  if (self->agents == NULL || self->tools == NULL) {
    free(self);
    return troupe_fail(result, "unsupported", "@name@: needs " TROUPE_AGENTS ", " TROUPE_TOOLS);
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
    .name = TROUPE_LITERAL("@name@"),
    .version = TROUPE_LITERAL("0.1.0"),
    .open = open_plugin,
    .close = close_plugin,
    .get_extension = get_extension,
};
