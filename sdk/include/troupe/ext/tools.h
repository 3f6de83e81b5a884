// SPDX-License-Identifier: Apache-2.0
//
// Extension troupe.tools/1: functions with a JSON Schema that models and agents may use. The
// plugin's record lists them; the node's record of the same id takes answers. Grants, schema and
// time limit are checked by the node before a call arrives here.
#pragma once

#include "../plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_TOOLS "troupe.tools/1"

/// Takes the answer to one call.
typedef struct troupe_answer troupe_answer_t;

typedef struct troupe_tool_call {
  uint32_t size;
  uint32_t reserved;
  uint64_t id;           ///< names the call for `cancel`; unique in the life of the node
  troupe_bytes_t args;   ///< a map that fits the schema
  troupe_text_t caller;  ///< path of the agent that asks
  /// What the caller may do: a map { read = { globs }, write = ..., net = ... }, or the text "all".
  troupe_bytes_t grants;
  troupe_text_t folder;  ///< absolute; where relative paths in `args` start
  double time_left;      ///< seconds; below zero: no limit
  uint64_t max_result;   ///< bytes that an answer may have
} troupe_tool_call_t;

typedef struct troupe_tool {
  uint32_t size;
  uint32_t reserved;
  troupe_text_t name;         ///< as models see it, e.g. "file.read"
  troupe_text_t description;  ///< one or two sentences for the model
  troupe_text_t parameters;   ///< JSON Schema of the arguments, as text; type object
  void* data;                 ///< the plugin's own

  /// [turn] Works on one call. TROUPE_DONE: `answer` has been used. TROUPE_OPEN: it will be used
  /// exactly once, later, from any thread, also after `cancel`. All calls and cancels of one
  /// plugin come one at a time. What takes longer than about a millisecond belongs on a thread of
  /// the plugin: while a call does not return, those of all its tools wait.
  int32_t (*call)(void* plugin, const struct troupe_tool* tool, const troupe_tool_call_t* call,
                  troupe_answer_t* answer);
  /// [turn] Nobody waits for this open call any more; what it answers is dropped. May be null.
  void (*cancel)(void* plugin, const struct troupe_tool* tool, uint64_t id);
} troupe_tool_t;

typedef struct troupe_tools {
  uint32_t size;
  uint32_t count;
  const troupe_tool_t* const* tools;
} troupe_tools_t;

/// The node's side. Each answer is used once, by one of the two; then its handle is gone.
typedef struct troupe_tools_host {
  uint32_t size;
  uint32_t reserved;
  void (*finish)(troupe_answer_t* answer, troupe_bytes_t value);       ///< [any]
  void (*fail)(troupe_answer_t* answer, const troupe_error_t* error);  ///< [any]
} troupe_tools_host_t;

#ifdef __cplusplus
}
#endif
