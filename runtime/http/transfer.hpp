// SPDX-License-Identifier: Apache-2.0
//
// One request on its way: its curl handle from hop to hop, what it may still do and until when. The
// loop in client.cpp moves it; everything here happens on the client's thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/client.hpp"
#include "http/curl.hpp"
#include "http/url.hpp"

namespace troupe {

class transfer {
 public:
  /// Adds its id to `moved` whenever its deadline may have come nearer.
  transfer(request_id id, http_request what, std::unique_ptr<http_sink> sink,
           std::vector<request_id>& moved);
  transfer(const transfer&) = delete;
  transfer& operator=(const transfer&) = delete;

  request_id id() const { return id_; }
  CURL* handle() const { return handle_.get(); }

  /// Makes the handle ready for the first hop. Its CURLOPT_PRIVATE is this transfer.
  result<void> open(const http_options& options, instant now);

  /// The handle came to its end. True: it is ready for the next hop and wants to be added again.
  /// False: the answer is whole. Otherwise why it failed.
  result<bool> finish_hop(CURLcode code, instant now);

  /// Lets a stream go on, from outside the handle's own callbacks. An error ends the transfer.
  result<void> grant(std::size_t bytes, instant now);

  /// When the phase it is in is over.
  instant deadline() const;
  error timeout_error() const;

  /// The sink's last call. Hands the collected body over before a success.
  void end(result<void> outcome);

 private:
  enum class phase { connect, answer, body };

  result<void> open_hop(instant now);
  result<void> judge(std::string_view ip, std::uint16_t port) const;
  void enter(phase p);
  error failure(CURLcode code) const;
  error failed(errc code, const std::string& reason) const;
  /// Remembers why a callback gives up; the handle then ends with an error of its own.
  void give_up(error why);

  curl_socket_t open_socket(const curl_sockaddr& to);
  bool may_send(const char* ip, int port);
  bool take_header(std::string_view line);
  bool take_head();
  std::size_t take_body(const char* data, std::size_t size);

  struct callbacks;

  const request_id id_;
  http_request request_;
  std::unique_ptr<http_sink> sink_;
  url to_;
  std::unique_ptr<curl_slist, curl_deleter<&curl_functions::slist_free_all>> headers_;
  char reason_[CURL_ERROR_SIZE] = "";

  http_head head_;
  std::size_t head_bytes_ = 0;
  bool head_done_ = false;
  /// Where a redirect leads that will be followed.
  std::optional<url> next_;
  std::uint32_t redirects_ = 0;

  std::size_t sent_ = 0;      ///< of the request's body
  std::size_t received_ = 0;  ///< of the answer's body
  std::string collected_;
  std::int64_t credit_ = 0;
  bool paused_ = false;

  phase phase_ = phase::connect;
  instant active_at_{};
  instant ends_at_ = never;
  std::vector<request_id>& moved_;

  std::optional<error> gave_up_;
  std::optional<error> refused_;  ///< by the filter, for an address; another one may still do
  /// Last: it points into the others.
  std::unique_ptr<CURL, curl_deleter<&curl_functions::easy_cleanup>> handle_;
};

}  // namespace troupe
