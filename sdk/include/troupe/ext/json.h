// SPDX-License-Identifier: Apache-2.0
//
// Extension of the node, troupe.json/1: JSON text to MessagePack and back, so that a plugin needs
// no JSON library. The page on values says what becomes of what.
#pragma once

#include "../plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_JSON "troupe.json/1"

typedef struct troupe_json_host {
  uint32_t size;
  uint32_t reserved;
  /// [any] `result` gets the value as MessagePack. Fails with syntax or too_big.
  int32_t (*parse)(const troupe_host_t* host, troupe_text_t json, const troupe_result_t* result);
  /// [any] `result` gets JSON text on one line. Fails with bad_body.
  int32_t (*print)(const troupe_host_t* host, troupe_bytes_t value, const troupe_result_t* result);
} troupe_json_host_t;

#ifdef __cplusplus
}
#endif
