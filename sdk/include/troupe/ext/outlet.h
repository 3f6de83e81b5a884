// SPDX-License-Identifier: Apache-2.0
//
// Extension of the node, troupe.outlet/1: the one way into an agent from the plugin's own threads.
#pragma once

#include "agents.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_OUTLET "troupe.outlet/1"

/// Leads to one agent. It may outlive the agent; what is posted then is dropped.
typedef struct troupe_outlet troupe_outlet_t;

typedef struct troupe_outlet_host {
  uint32_t size;
  uint32_t reserved;
  /// [turn] An outlet to the agent whose turn it is; null outside of one. Close it in the end.
  troupe_outlet_t* (*open)(troupe_turn_t* turn);
  /// [any] Delivers an EVENT with this verb and body (one MessagePack value, or empty for nil). 1:
  /// it is on its way; 0: the agent has ended, or the body is no MessagePack.
  int32_t (*post)(troupe_outlet_t* outlet, troupe_text_t verb, troupe_bytes_t body);
  /// [any] Gives the outlet back, after all posts to it.
  void (*close)(troupe_outlet_t* outlet);
} troupe_outlet_host_t;

#ifdef __cplusplus
}
#endif
