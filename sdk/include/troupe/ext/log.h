// SPDX-License-Identifier: Apache-2.0
//
// Extension of the node, troupe.log/1: the log, under the name of the plugin.
#pragma once

#include "../plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_LOG "troupe.log/1"

#define TROUPE_LOG_DEBUG 0u
#define TROUPE_LOG_INFO 1u
#define TROUPE_LOG_WARNING 2u
#define TROUPE_LOG_ERROR 3u

typedef struct troupe_log_host {
  uint32_t size;
  uint32_t reserved;
  /// [any] `message` is a fixed sentence, what varies stands in `fields`: a map, or empty.
  void (*write)(const troupe_host_t* host, uint32_t level, troupe_text_t message,
                troupe_bytes_t fields);
} troupe_log_host_t;

#ifdef __cplusplus
}
#endif
