// SPDX-License-Identifier: Apache-2.0
#include "http/failure.hpp"

#include <cstring>

namespace troupe {

http_failure what_happened(CURLcode code, std::string_view detail, int number, bool connecting) {
  const std::string said(detail.empty() ? curl().easy_strerror(code) : detail);
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return {errc::unreachable, "the name can't be resolved"};
    case CURLE_COULDNT_CONNECT:
      return {errc::unreachable,
              number != 0 ? "can't connect: " + std::string(strerror(number)) : said};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return {errc::unreachable, "no trusted connection: " + said, false};
    case CURLE_GOT_NOTHING:
      return {errc::unavailable, "closed the connection without an answer"};
    case CURLE_PARTIAL_FILE:
      return {errc::unavailable, "closed the connection in the middle of the answer"};
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
      return {errc::unavailable, "the connection broke: " + said};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_BAD_CONTENT_ENCODING:
      return {errc::bad_response, "the answer is not valid HTTP: " + said};
    case CURLE_OUT_OF_MEMORY:
      return {errc::internal, said};
    default:
      return {connecting ? errc::unreachable : errc::unavailable, said};
  }
}

}  // namespace troupe
