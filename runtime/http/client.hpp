// SPDX-License-Identifier: Apache-2.0
//
// HTTP out: one thread with one event loop carries all requests of a node, streaming, with
// connections kept and shared. It knows nothing of agents; outlet_events.hpp is the bridge to them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/http_header.hpp"
#include "base/result.hpp"

namespace troupe {

/// Names a request; unique in a client's life, never 0.
using request_id = std::uint64_t;

/// Judges where a request may go; any error refuses it (`denied` is the fitting one). Asked twice
/// for every hop, redirects included: with an empty `ip` before the name is looked up, then with
/// the address that is really dialled or, on a kept connection, was dialled. A host has the
/// spelling of url::host. Called on the client's thread: must not block, captures values.
using dial_filter =
    std::function<result<void>(std::string_view host, std::string_view ip, std::uint16_t port)>;

/// A request, and all its bounds. `duration::max()` is no bound.
struct http_request {
  std::string method = "GET";
  std::string url;
  /// Headers that frame a message or name its host (Host, Content-Length, Transfer-Encoding,
  /// Connection, Upgrade, ...) belong to the client and are refused. Only Accept, Accept-Language,
  /// Content-Type and User-Agent follow a redirect to another origin. None is ever logged or put
  /// into an error.
  std::vector<http_header> headers;
  std::string body;

  /// Until there is a connection to send on: a free slot, name, TCP and TLS; for each hop.
  duration connect_timeout = std::chrono::seconds(10);
  /// From the last piece of the request that was sent to the head of the answer.
  duration first_byte_timeout = std::chrono::seconds(120);
  /// Between two pieces of the answer, except while the receiver gives no credit.
  duration idle_timeout = std::chrono::seconds(60);
  duration total_timeout = std::chrono::minutes(10);

  /// Bytes of the answer's body: more is too_big.
  std::size_t max_body = 8u << 20;
  /// 0 hands a redirect over as the answer that it is.
  std::uint32_t max_redirects = 0;

  /// True: the body comes as it arrives. False: it is collected and comes in one piece.
  bool stream = false;
  /// Back-pressure of a stream: bytes that may be handed over before the receiver grants more, and
  /// one piece (16 KiB) above that. When used up, reading from the socket stops.
  std::size_t credit = 256u << 10;

  dial_filter filter;
};

struct http_head {
  int status = 0;
  /// In the order they came; names in lower case.
  std::vector<http_header> headers;
  /// Where the answer came from, after redirects.
  std::string url;

  /// The first header of that name (lower case), or null.
  const std::string* find(std::string_view name) const;
};

/// What becomes of one request. All functions are called on the client's thread and must not block;
/// they may call the client. `false` from a function means that nobody listens any more: the
/// request is cancelled.
class http_sink {
 public:
  virtual ~http_sink() = default;
  /// At most once: the final answer, whatever its status.
  virtual bool on_head(request_id id, const http_head& head) = 0;
  /// After on_head. `data` lives until the call returns.
  virtual bool on_data(request_id id, std::string_view data) = 0;
  /// Exactly once for every request, as the last call, even if it could not begin. Errors:
  /// bad_argument (the request itself), denied (scheme or filter), overloaded, unreachable,
  /// timeout, too_big, unavailable (broken off), bad_response (not HTTP, too many redirects),
  /// cancelled. A status such as 500 is no error. The sentence names host and port and the reason;
  /// `data.phase` is how far it came: connect, send, answer or body.
  virtual void on_end(request_id id, const result<void>& outcome) = 0;
};

struct http_options {
  /// Requests at a time; more are refused with overloaded.
  std::size_t max_requests = 8192;
  /// Open connections, in all and to one host and port; requests above it wait within their
  /// connect_timeout.
  std::uint32_t max_connections = 1024;
  std::uint32_t max_connections_per_host = 256;
  /// A PEM file of authorities to trust; empty: the system's. Certificates are always checked.
  std::string ca_file;
  /// Obey http_proxy, https_proxy and no_proxy. A request with a filter never takes a proxy.
  bool proxies_from_environment = false;
};

/// Functions may be called from any thread.
class http_client {
 public:
  /// Starts the thread. Fails with io.
  static result<std::unique_ptr<http_client>> open(http_options options = {});
  /// Ends all requests with `cancelled`, then the thread. Not to be called from a sink.
  ~http_client();
  http_client(const http_client&) = delete;
  http_client& operator=(const http_client&) = delete;

  /// Returns at once; everything else comes to `sink`, which is destroyed after its on_end.
  request_id start(http_request request, std::unique_ptr<http_sink> sink);

  /// Closes the connection of that request (or its h2 stream) at once; its sink gets on_end with
  /// `cancelled` unless it has had one. Of no effect on a request that is over.
  void cancel(request_id id);

  /// Lets a stream go on for that many bytes more, e.g. as many as have been worked off. Of no
  /// effect on a request that is over.
  void grant(request_id id, std::size_t bytes);

  /// Requests whose on_end has not returned.
  std::size_t open_requests() const;

 private:
  struct loop;
  explicit http_client(std::unique_ptr<loop> l);
  std::unique_ptr<loop> loop_;
};

}  // namespace troupe
