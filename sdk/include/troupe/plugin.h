// SPDX-License-Identifier: Apache-2.0
//
// The C ABI between a Troupe node and a plugin: a shared library that exports one constant record,
// `troupe_plugin`. What a plugin offers (agent kinds, tools, model codecs) and what the node offers
// it (JSON, log, outlets) are extensions, asked for by string id; their records stand in ext/*.h.
// Written for C99 and every later C, and C++11 and every later C++.
//
// Conventions. They hold for every record and function of this folder.
//
//  1. A record starts with its `size` in bytes as its author's compiler saw it (`troupe_plugin`
//     with the ABI version before that). It only ever grows at its end. Read a field that came
//     after ABI 1.0 only where TROUPE_HAS says that it is there. The small values below (text,
//     bytes, address, target) never change and carry no size.
//  2. A plugin fits a node that has the same ABI major and at least its minor. Compile against the
//     lowest minor that has what you need.
//  3. An extension is found by id, e.g. "troupe.tools/1". The number belongs to the id: a new
//     number is another extension, and both sides may offer both. Null means: not offered.
//  4. Text is UTF-8, counted, not terminated by a zero. Bodies and options are MessagePack: one
//     value each, maps with text keys; an agent's address is extension type 1 of 32 bytes. What
//     they may hold stands in the page on values.
//  5. What a function gets is borrowed: it is valid until the function returns, in both directions;
//     whoever wants it longer copies it. Nobody frees what another allocated: results are handed to
//     a `troupe_result_t`, whose owner copies them.
//  6. Nothing throws, longjmps, exits, forks, changes the locale or installs a signal handler
//  across
//     this line. A plugin that does it anyway ends the agent at best and the node at worst.
//  7. Integers have fixed widths; there is no enum, bool, bit field or variadic. A yes or no is an
//     int32_t, 0 or 1. Times are seconds in a double.
//  8. Every callback comes with a `void*` of its owner's choice.
//  9. Threads. [once]: called once, before or after all others. [turn]: called in the turn of one
//     agent or codec, or of the plugin's tools: one call at a time, but not always on the same
//     thread, and must not block; different agents take turns on different threads at once. [any]:
//     called from any thread at any time. Functions of the node marked [turn] work in the turn they
//     were given for, and do nothing elsewhere.
// 10. A plugin is never unloaded while the node lives, so its threads, functions and constants stay
//     valid. Reloading loads a second copy beside the first.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

// The version of this ABI: what a plugin compiled with this header needs.
#define TROUPE_ABI_MAJOR 1
#define TROUPE_ABI_MINOR 0

#if defined(_WIN32)
#define TROUPE_EXPORT __declspec(dllexport)
#else
#define TROUPE_EXPORT __attribute__((visibility("default")))
#endif

// True if the record behind `pointer`, of type `type`, is long enough to hold `field`.
#define TROUPE_HAS(type, pointer, field) \
  ((pointer)->size >= offsetof(type, field) + sizeof((pointer)->field))

// -- small values (they never change) -------------------------------------------------------------

/// Counted UTF-8. `data` may be null where `size` is 0.
typedef struct troupe_text {
  const char* data;
  uint64_t size;
} troupe_text_t;

/// Counted bytes, mostly one MessagePack value.
typedef struct troupe_bytes {
  const void* data;
  uint64_t size;
} troupe_bytes_t;

/// An agent, as in a body's extension type 1. All zero: nobody.
typedef struct troupe_address {
  uint8_t wire[32];
} troupe_address_t;

/// Whom to reach: `*address`, or where that is null, the holder of a name: a path from the app's
/// root (`desk/writer`), a sibling (`./writer`) or a registered name.
typedef struct troupe_target {
  const troupe_address_t* address;
  troupe_text_t name;
} troupe_target_t;

/// Initialiser of a troupe_text_t from a string literal.
#define TROUPE_LITERAL(text) \
  { text, sizeof(text) - 1 }

static inline troupe_text_t troupe_text(const char* terminated) {
  troupe_text_t t;
  t.data = terminated;
  t.size = terminated ? (uint64_t)strlen(terminated) : 0;
  return t;
}

static inline int32_t troupe_text_is(troupe_text_t t, const char* terminated) {
  size_t n = strlen(terminated);
  return t.size == n && (n == 0 || memcmp(t.data, terminated, n) == 0);
}

static inline troupe_bytes_t troupe_bytes(const void* data, size_t size) {
  troupe_bytes_t b;
  b.data = data;
  b.size = size;
  return b;
}

static inline troupe_target_t troupe_to_name(const char* name) {
  troupe_target_t t;
  t.address = NULL;
  t.name = troupe_text(name);
  return t;
}

static inline troupe_target_t troupe_to_address(const troupe_address_t* address) {
  troupe_target_t t;
  t.address = address;
  t.name = troupe_text(NULL);
  return t;
}

// -- what functions answer ------------------------------------------------------------------------

#define TROUPE_OK 0       ///< it worked
#define TROUPE_FAILED -1  ///< it did not; why was handed to troupe_result_t.error

#define TROUPE_DONE 0     ///< of a handler: this message or call is dealt with
#define TROUPE_OPEN 1     ///< of a handler: its end comes later
#define TROUPE_UNKNOWN 2  ///< of a handler: no such verb here

#define TROUPE_RETRYABLE 1u  ///< flag of an error: the same request may succeed later

/// Why something failed. Its codes are those of scripts: `failed` where no other fits, `not_found`,
/// `bad_argument`, `denied`, `io`, `too_big` ...
typedef struct troupe_error {
  uint32_t size;
  uint32_t flags;
  troupe_text_t code;     ///< empty: failed
  troupe_text_t message;  ///< one sentence that names the thing and the reason
  troupe_bytes_t data;    ///< MessagePack, or empty
  double retry_after;     ///< seconds; 0: unknown
} troupe_error_t;

/// Where a function leaves its result or its error; each copies what it gets at once. The function
/// that fills it calls one of the two at most once.
typedef struct troupe_result {
  uint32_t size;
  uint32_t reserved;
  void* context;
  void (*value)(void* context, troupe_bytes_t value);
  void (*error)(void* context, const troupe_error_t* error);
} troupe_result_t;

/// Hands `result` an error and returns TROUPE_FAILED.
static inline int32_t troupe_fail(const troupe_result_t* result, const char* code,
                                  const char* message) {
  troupe_error_t e;
  memset(&e, 0, sizeof e);
  e.size = sizeof e;
  e.code = troupe_text(code);
  e.message = troupe_text(message);
  result->error(result->context, &e);
  return TROUPE_FAILED;
}

// -- the node and the plugin ----------------------------------------------------------------------

/// The node, as one plugin sees it. Valid until `close` of that plugin returns.
typedef struct troupe_host {
  uint32_t size;
  uint32_t abi_major;
  uint32_t abi_minor;
  uint32_t reserved;
  troupe_text_t version;  ///< of the node, for people
  /// [any] The node's record behind an id, or null.
  const void* (*get_extension)(const struct troupe_host* host, troupe_text_t id);
} troupe_host_t;

/// What a plugin exports. Its first two fields are read from the file before any code of it runs.
typedef struct troupe_plugin {
  uint32_t abi_major;  ///< TROUPE_ABI_MAJOR
  uint32_t abi_minor;  ///< TROUPE_ABI_MINOR
  uint32_t size;       ///< sizeof(troupe_plugin_t)
  uint32_t reserved;
  troupe_text_t name;     ///< as in plugin.json
  troupe_text_t version;  ///< as in plugin.json
  /// [once] Makes the plugin ready and leaves what it wants handed to its functions in `*plugin`.
  /// May fail. May be null.
  int32_t (*open)(const troupe_host_t* host, void** plugin, const troupe_result_t* result);
  /// [once] The node stops: all agents, calls and exchanges are gone. Ends the plugin's threads.
  /// May be null.
  void (*close)(void* plugin);
  /// [any] The plugin's record behind an id, or null. What is returned does not change any more.
  const void* (*get_extension)(void* plugin, troupe_text_t id);
} troupe_plugin_t;

/// The one symbol of a plugin.
TROUPE_EXPORT extern const troupe_plugin_t troupe_plugin;

#ifdef __cplusplus
}
#endif
