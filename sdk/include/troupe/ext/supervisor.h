// SPDX-License-Identifier: Apache-2.0
//
// How an agent of a plugin asks a supervisor about its children: OTP's administration as calls over
// troupe.agents/1. No extension of its own and no part of the ABI; header only. Who may ask: the
// supervisor's parent, and who is granted `call` of its path or of `<path>.<verb>`.
#pragma once

#include "../pack.h"
#include "agents.h"

#ifdef __cplusplus
extern "C" {
#endif

// Verbs of a supervisor. They fail with not_found, running, exists (it is there, but stopped),
// restarting, config, denied, and as a start fails.
//
// With one argument that is a map:
#define TROUPE_START_CHILD \
  "start_child"  ///< a child spec; with a template: options over its own.
                 ///< REPLY: address, nil, or a map { address, info }
#define TROUPE_UPGRADE \
  "upgrade"  ///< a tree to merge. REPLY: a map { added, changed, kept } of paths
// With none:
#define TROUPE_WHICH_CHILDREN \
  "which_children"  ///< REPLY: a list of maps { id, state, type, address }
#define TROUPE_COUNT_CHILDREN "count_children"  ///< { specs, active, supervisors, workers }
#define TROUPE_RELOAD "reload"                  ///< as upgrade, with what the app's file holds now
// About one child, named by its id, or by its address where it was made from a template:
#define TROUPE_RESTART_CHILD "restart_child"  ///< starts one that is stopped. REPLY: as start_child
#define TROUPE_TERMINATE_CHILD "terminate_child"  ///< REPLY: true, also if it was stopped already
#define TROUPE_DELETE_CHILD "delete_child"        ///< forgets one that is stopped. REPLY: true
#define TROUPE_WHICH_CHILD "which_child"          ///< a map as above, with its last `exits`
#define TROUPE_GET_CHILDSPEC "get_childspec"      ///< REPLY: the spec, a map

/// [turn] Calls a verb of a supervisor; answered, in any case, by one REPLY or ERROR with `id`. It
/// waits as long as the spec lets a start or stop take, or as the deadline of `cause` allows.
/// `args`: a packed list, or nothing.
static inline void troupe_ask_supervisor(const troupe_agents_host_t* host, troupe_turn_t* turn,
                                         uint64_t cause, uint64_t id,
                                         const troupe_target_t* supervisor, const char* verb,
                                         troupe_bytes_t args) {
  troupe_call_options_t options;
  memset(&options, 0, sizeof options);
  options.size = sizeof options;
  options.timeout = 1e10;  // without a limit
  host->call(turn, cause, id, supervisor, troupe_text(verb), args, &options);
}

/// [turn] The same with one child's id as the argument: at most 100 bytes, as ids are; a longer one
/// names no child and fails with bad_argument.
static inline void troupe_ask_child(const troupe_agents_host_t* host, troupe_turn_t* turn,
                                    uint64_t cause, uint64_t id, const troupe_target_t* supervisor,
                                    const char* verb, troupe_text_t child) {
  uint8_t buffer[104];
  troupe_packer_t p = troupe_packer(buffer, sizeof buffer);
  troupe_pack_list(&p, 1);
  troupe_pack_text(&p, child);
  troupe_ask_supervisor(host, turn, cause, id, supervisor, verb, troupe_packed(&p));
}

/// [turn] The same with the address of a child that was made from a template.
static inline void troupe_ask_child_at(const troupe_agents_host_t* host, troupe_turn_t* turn,
                                       uint64_t cause, uint64_t id,
                                       const troupe_target_t* supervisor, const char* verb,
                                       const troupe_address_t* child) {
  uint8_t buffer[40];
  troupe_packer_t p = troupe_packer(buffer, sizeof buffer);
  troupe_pack_list(&p, 1);
  troupe_pack_address(&p, child);
  troupe_ask_supervisor(host, turn, cause, id, supervisor, verb, troupe_packed(&p));
}

#ifdef __cplusplus
}
#endif
