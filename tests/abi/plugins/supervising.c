// SPDX-License-Identifier: Apache-2.0
//
// An agent in C that asks a supervisor whatever it is told to: `ask` with a verb of the supervisor,
// and an id, an address or a map for it. It answers as the supervisor does.
#include <stdlib.h>
#include <troupe/ext/supervisor.h>

static const troupe_agents_host_t* host_api;

// By the id of its call: the message that waits for it.
typedef struct {
  uint64_t open[16];
} asker_t;

static int32_t create(void* plugin, const troupe_agent_kind_t* kind, troupe_turn_t* turn,
                      troupe_bytes_t options, void** agent, const troupe_result_t* result) {
  (void)plugin, (void)kind, (void)turn, (void)options;
  *agent = calloc(1, sizeof(asker_t));
  return *agent != NULL ? TROUPE_OK : troupe_fail(result, "failed", "asker: out of memory");
}

static int32_t ask(asker_t* self, troupe_turn_t* turn, const troupe_envelope_t* message) {
  const troupe_target_t top = troupe_to_name("top");
  const troupe_text_t verb = troupe_as_text(troupe_element(message->body, 0), troupe_text(""));
  const troupe_bytes_t about = troupe_element(message->body, 1);
  const troupe_text_t child = troupe_as_text(about, troupe_text(""));
  troupe_address_t at;
  char name[32] = {0};
  uint8_t args[512];
  uint64_t id = 1;
  troupe_packer_t p = troupe_packer(args, sizeof args);
  while (self->open[id] != 0)
    ++id;
  self->open[id] = message->cause;
  memcpy(name, verb.data, (size_t)verb.size);
  if (child.size > 0) {
    troupe_ask_child(host_api, turn, message->cause, id, &top, name, child);
  } else if (about.size == 3 + sizeof at.wire) {  // an address: type 1 of 32 bytes
    memcpy(at.wire, (const uint8_t*)about.data + 3, sizeof at.wire);
    troupe_ask_child_at(host_api, turn, message->cause, id, &top, name, &at);
  } else if (about.size > 0) {
    troupe_pack_list(&p, 1);
    troupe_pack_raw(&p, about.data, about.size);
    troupe_ask_supervisor(host_api, turn, message->cause, id, &top, name, troupe_packed(&p));
  } else {
    troupe_ask_supervisor(host_api, turn, message->cause, id, &top, name, troupe_bytes(NULL, 0));
  }
  return TROUPE_OPEN;
}

static int32_t receive(void* agent, troupe_turn_t* turn, const troupe_envelope_t* message) {
  asker_t* self = agent;
  uint64_t cause;
  troupe_error_t e;
  if (message->kind == TROUPE_KIND_CALL) return ask(self, turn, message);
  if (message->kind != TROUPE_KIND_REPLY && message->kind != TROUPE_KIND_ERROR) return TROUPE_DONE;
  cause = self->open[message->id];
  self->open[message->id] = 0;
  if (message->kind == TROUPE_KIND_REPLY) {
    host_api->reply(turn, cause, message->body);
  } else {
    memset(&e, 0, sizeof e);
    e.size = sizeof e;
    e.code = troupe_as_text(troupe_member(message->body, "code"), troupe_text(""));
    e.message = troupe_as_text(troupe_member(message->body, "message"), troupe_text(""));
    host_api->fail(turn, cause, &e);
  }
  host_api->done(turn, cause);
  return TROUPE_DONE;
}

static const troupe_agent_kind_t asker = {
    .size = sizeof asker,
    .slots = TROUPE_ANY_SLOTS,
    .name = TROUPE_LITERAL("asker"),
    .create = create,
    .receive = receive,
    .destroy = free,
};
static const troupe_agent_kind_t* const kinds[] = {&asker};
static const troupe_agents_t agents = {sizeof agents, 1, kinds};

static int32_t open_plugin(const troupe_host_t* host, void** plugin,
                           const troupe_result_t* result) {
  host_api = host->get_extension(host, troupe_text(TROUPE_AGENTS));
  *plugin = NULL;
  return host_api != NULL ? TROUPE_OK
                          : troupe_fail(result, "unsupported", "supervising: needs " TROUPE_AGENTS);
}

static const void* get_extension(void* plugin, troupe_text_t id) {
  (void)plugin;
  return troupe_text_is(id, TROUPE_AGENTS) ? &agents : NULL;
}

const troupe_plugin_t troupe_plugin = {TROUPE_ABI_MAJOR,
                                       TROUPE_ABI_MINOR,
                                       sizeof(troupe_plugin_t),
                                       0,
                                       TROUPE_LITERAL("supervising"),
                                       TROUPE_LITERAL("1.0.0"),
                                       open_plugin,
                                       NULL,
                                       get_extension};
