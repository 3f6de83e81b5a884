// SPDX-License-Identifier: Apache-2.0
//
// Model codecs as the broker drives them: a chat request becomes an HTTP request, response bytes
// become events. No I/O, no keys, no threads in here; what a chat request holds stands in
// sdk/include/troupe/ext/models.h. Plugins provide them (catalog.hpp); tests may write their own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/http_header.hpp"
#include "base/result.hpp"
#include "base/value.hpp"

namespace troupe {

/// What the broker does about a failed exchange.
enum class model_fault : std::uint8_t {
  transient,  ///< the provider's trouble: again, soon, or elsewhere
  limited,    ///< too fast: again after `error.retry_after`
  spent,      ///< the account has nothing left: not again with this key
  fatal,      ///< the request or the key is wrong: not again
};
std::string_view to_string(model_fault f);

/// Tokens, as the provider counts them.
struct model_usage {
  std::uint64_t input = 0;  ///< cached ones included
  std::uint64_t output = 0;
  std::uint64_t cached = 0;  ///< of `input`
};

/// One step of an answer. Nothing follows a `stop` or an `error`.
struct model_event {
  enum class what : std::uint8_t {
    text,        ///< `text`: more of the answer
    reasoning,   ///< `text`: more of what the model thinks aloud
    call_delta,  ///< a piece of tool call `index`: `id`, `name` (first piece), `text` (JSON text)
    call,        ///< a whole tool call: `index`, `id`, `name`, `text` (JSON text), `args`
    usage,       ///< `usage`, replacing what came before
    stop,        ///< `text`: stop, length, calls or filter; `name`: the model's name, if known
    error,       ///< `why`, `fault`
  };
  what what = what::text;
  std::uint32_t index = 0;
  model_fault fault = model_fault::transient;
  std::string text;
  std::string id;
  std::string name;
  /// Nil if the arguments are no JSON; then `text` shows what they are.
  value args;
  model_usage usage;
  error why;
  /// In a local answer: since the event before it.
  duration delay{};
};
using model_events = std::vector<model_event>;

struct codec_request {
  std::string method;
  std::string url;  ///< absolute
  std::vector<http_header> headers;
  std::string body;
  /// Where the key goes, e.g. `authorization` and `Bearer `; empty: nowhere.
  std::string key_header, key_prefix;
};

/// One request and its answer. Used in one actor's turns; dropping it ends it.
class model_exchange {
 public:
  virtual ~model_exchange() = default;

  /// Null for a local answer.
  virtual const codec_request* request() const = 0;
  /// The whole of a local answer, to be played with its delays. Empty over HTTP.
  virtual model_events local() = 0;

  // Over HTTP: `response` once, then `feed` any number of times with pieces cut anywhere, then
  // `finish` if the response ended as it should (not if the connection broke). After `finish` there
  // has been a `stop` or an `error`.
  virtual model_events response(std::uint32_t status, const std::vector<http_header>& headers) = 0;
  virtual model_events feed(std::string_view piece) = 0;
  virtual model_events finish() = 0;
};

/// One configured model. Used in one actor's turns.
class model_codec {
 public:
  virtual ~model_codec() = default;
  /// Fails with bad_request where the provider can't do what `chat` asks for.
  virtual result<std::unique_ptr<model_exchange>> begin(const value& chat) = 0;
};

/// Where codecs come from. Thread-safe.
class codec_source {
 public:
  virtual ~codec_source() = default;
  /// A codec of `provider` for a model's table without its key; relative paths in it start at
  /// `folder`. Fails with not_found (naming the nearest), config, or as the plugin says.
  virtual result<std::unique_ptr<model_codec>> make_codec(std::string_view provider,
                                                          const value& options,
                                                          const std::string& folder) = 0;
  virtual std::vector<std::string> providers() const = 0;
};

}  // namespace troupe
