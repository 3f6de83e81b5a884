// SPDX-License-Identifier: Apache-2.0
//
// Extension troupe.models/1: codecs for model providers. A codec turns a chat request of ours into
// an HTTP request, and the response, in whatever pieces it arrives, into events. It does no network
// I/O, starts no thread, waits for nothing and never sees a key: the node's HTTP loop does the
// transfer, and the broker its retries, budgets and cancelling. A codec that needs no server
// answers itself.
//
// The chat request, a map in MessagePack; what is missing is left to the provider:
//   model         text: the provider's name of the model
//   messages      list of maps
//                   role     "system" "user" "assistant" "tool"
//                   content  text, or a list of parts: { type = "text", text },
//                            { type = "image", url } or { type = "image", mime, data (bytes) }
//                   calls    of an assistant: list of { id, name, args (a map) }
//                   call_id  of a tool: the id of the call that it answers
//   tools         list of { name, description, parameters (a JSON Schema) }
//   tool_choice   "auto" "none" "required", or { name }
//   schema        JSON Schema that the answer has to fit;   schema_name  text
//   max_tokens    integer;  temperature, top_p  numbers;  stop  list of texts;  seed  integer
//   stream        boolean, default true: text is wanted as it comes
//   extra         map: further fields for the provider, as they are
#pragma once

#include "../plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define TROUPE_MODELS "troupe.models/1"

// -- events ---------------------------------------------------------------------------------------

// STOP or ERROR is the last event of an exchange.
#define TROUPE_EVENT_TEXT 1u       ///< text: more of the answer
#define TROUPE_EVENT_REASONING 2u  ///< text: more of what the model thinks aloud
/// A piece of a tool call; index: which one; id and name: in its first piece; text: more of the
/// JSON text of its arguments. For those who show progress; CALL repeats all of it.
#define TROUPE_EVENT_CALL_DELTA 3u
/// A complete tool call; index, id, name; text: its arguments as JSON text; data: the same as
/// MessagePack, empty if the text is no JSON.
#define TROUPE_EVENT_CALL 4u
#define TROUPE_EVENT_USAGE \
  5u  ///< input, output, cached tokens; a later one replaces an earlier one
#define TROUPE_EVENT_STOP \
  6u  ///< text: one of "stop" "length" "calls" "filter"; name: the model's name
/// The exchange failed; text: the sentence; name: the code (unauthorized, rate_limited,
/// bad_request, bad_response, unavailable ...); fault, retry_after.
#define TROUPE_EVENT_ERROR 7u

// Classes of faults: what the broker does about them.
#define TROUPE_FAULT_TRANSIENT 1u  ///< the provider's trouble: again, soon, or elsewhere
#define TROUPE_FAULT_LIMITED 2u    ///< too fast: again after retry_after
#define TROUPE_FAULT_SPENT 3u      ///< the account has nothing left: not again with this key
#define TROUPE_FAULT_FATAL 4u      ///< the request or the key is wrong: not again

typedef struct troupe_model_event {
  uint32_t size;
  uint32_t type;
  uint32_t index;
  uint32_t fault;
  troupe_text_t text;
  troupe_text_t id;
  troupe_text_t name;
  troupe_bytes_t data;
  uint64_t input;      ///< tokens of the request, cached ones included
  uint64_t output;     ///< tokens of the answer
  uint64_t cached;     ///< tokens of the request that the provider had cached
  double retry_after;  ///< seconds; 0: unknown
  double delay;        ///< seconds since the event before it; only in a local answer
} troupe_model_event_t;

/// Where a codec puts its events; each is copied at once.
typedef struct troupe_model_events {
  uint32_t size;
  uint32_t reserved;
  void* context;
  void (*put)(void* context, const troupe_model_event_t* event);
} troupe_model_events_t;

// -- HTTP -----------------------------------------------------------------------------------------

typedef struct troupe_header {
  troupe_text_t name;  ///< any case
  troupe_text_t value;
} troupe_header_t;

typedef struct troupe_http_request {
  uint32_t size;
  uint32_t header_count;
  troupe_text_t method;
  troupe_text_t url;  ///< absolute
  const troupe_header_t* headers;
  troupe_bytes_t body;
  /// Header in which the node puts the key, and what stands before it ("authorization", "Bearer ").
  /// Without a configured key the header is left out.
  troupe_text_t key_header;
  troupe_text_t key_prefix;
} troupe_http_request_t;

/// Takes the request of an exchange; used once by `begin`. Instead of `http`, `local` says that the
/// events put during `begin` are the whole answer; the broker plays them with their delays.
typedef struct troupe_model_request {
  uint32_t size;
  uint32_t reserved;
  void* context;
  void (*http)(void* context, const troupe_http_request_t* request);
  void (*local)(void* context);
} troupe_model_request_t;

// -- the plugin's side ----------------------------------------------------------------------------

typedef struct troupe_model_provider {
  uint32_t size;
  uint32_t reserved;
  troupe_text_t name;  ///< as in an app's `provider = "openai"`
  troupe_text_t description;
  void* data;  ///< the plugin's own

  /// [turn] Makes a codec for one configured model. `options`: the model's table in the app file,
  /// without its key; `folder`: absolute, where relative paths in it start. May read its own small
  /// configuration files.
  int32_t (*create)(void* plugin, const struct troupe_model_provider* provider,
                    troupe_bytes_t options, troupe_text_t folder, void** codec,
                    const troupe_result_t* result);
  void (*destroy)(void* codec);  ///< [turn] all its exchanges have ended

  /// [turn] Begins an exchange with one chat request. Many may be open at once.
  int32_t (*begin)(void* codec, troupe_bytes_t chat, const troupe_model_request_t* request,
                   const troupe_model_events_t* events, void** exchange,
                   const troupe_result_t* result);
  // Then, of an exchange over HTTP: `response` once, `feed` any number of times, `finish` once when
  // the response ended as it should. Events may be put in each, STOP or ERROR in `finish` at
  // the latest. `end` comes at any time, and last.
  void (*response)(void* exchange, uint32_t status, const troupe_header_t* headers, uint32_t count,
                   const troupe_model_events_t* events);  ///< [turn]
  void (*feed)(void* exchange, troupe_bytes_t piece,
               const troupe_model_events_t* events);                    ///< [turn]
  void (*finish)(void* exchange, const troupe_model_events_t* events);  ///< [turn]
  void (*end)(void* exchange);                                          ///< [turn]
} troupe_model_provider_t;

typedef struct troupe_models {
  uint32_t size;
  uint32_t count;
  const troupe_model_provider_t* const* providers;
} troupe_models_t;

#ifdef __cplusplus
}
#endif
