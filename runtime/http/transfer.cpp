// SPDX-License-Identifier: Apache-2.0
#include "http/transfer.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "http/failure.hpp"
#include "http/rules.hpp"

namespace troupe {

namespace {

/// What is read of a redirect's body to keep its connection.
constexpr std::size_t max_redirect_body = 64u << 10;

instant now() {
  return system_clock().now();
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string in_words(duration d) {
  char text[32];
  auto end = std::to_chars(text, text + sizeof text, to_seconds(d)).ptr;
  return std::string(text, end) + " s";
}

}  // namespace

const std::string* http_head::find(std::string_view name) const {
  auto at = std::find_if(headers.begin(), headers.end(),
                         [&](const http_header& h) { return h.name == name; });
  return at != headers.end() ? &at->value : nullptr;
}

/// What curl calls, on the client's thread; `self` is the transfer.
struct transfer::callbacks {
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* to) {
    return static_cast<transfer*>(self)->open_socket(*to);
  }
  static int may_send(void* self, char* ip, char*, int port, int) {
    return static_cast<transfer*>(self)->may_send(ip, port) ? CURL_PREREQFUNC_OK
                                                            : CURL_PREREQFUNC_ABORT;
  }
  static std::size_t read(char* to, std::size_t size, std::size_t count, void* self) {
    auto& t = *static_cast<transfer*>(self);
    auto n = std::min(size * count, t.request_.body.size() - t.sent_);
    std::copy_n(t.request_.body.data() + t.sent_, n, to);
    t.sent_ += n;
    t.active_at_ = now();
    return n;
  }
  /// A kept connection turned out to be closed: the body is sent again on a new one.
  static int rewind(void* self, curl_off_t offset, int origin) {
    auto& t = *static_cast<transfer*>(self);
    if (origin != SEEK_SET || offset < 0 ||
        offset > static_cast<curl_off_t>(t.request_.body.size()))
      return CURL_SEEKFUNC_FAIL;
    t.sent_ = static_cast<std::size_t>(offset);
    return CURL_SEEKFUNC_OK;
  }
  static std::size_t header(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<transfer*>(self)->take_header({data, size * count}) ? size * count : 0;
  }
  static std::size_t write(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<transfer*>(self)->take_body(data, size * count);
  }
};

transfer::transfer(request_id id, http_request what, std::unique_ptr<http_sink> sink,
                   std::vector<request_id>& moved)
    : id_(id), request_(std::move(what)), sink_(std::move(sink)), moved_(moved) {}

result<void> transfer::open(const http_options& options, instant now) {
  ends_at_ = add(now, request_.total_timeout);
  credit_ = static_cast<std::int64_t>(std::min<std::size_t>(request_.credit, INT64_MAX));
  TROUPE_CHECK(check_request(request_));
  TROUPE_TRY(to, parse_url(request_.url));
  to_ = std::move(to);

  handle_.reset(curl().easy_init());
  CURL* h = handle_.get();
  if (h == nullptr) return {errc::internal, "curl_easy_init failed"};
  curl().easy_setopt(h, CURLOPT_PRIVATE, this);
  curl().easy_setopt(h, CURLOPT_ERRORBUFFER, reason_);
  curl().easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
  // Without it, ending a transfer waits for its name lookup.
  curl().easy_setopt(h, CURLOPT_QUICK_EXIT, 1L);
  curl().easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
  curl().easy_setopt(h, CURLOPT_HTTP09_ALLOWED, 0L);
  curl().easy_setopt(h, CURLOPT_TCP_KEEPALIVE, 1L);
  curl().easy_setopt(h, CURLOPT_USERAGENT, "troupe");
  curl().easy_setopt(h, CURLOPT_FOLLOWLOCATION, 0L);
  if (!options.proxies_from_environment || request_.filter)
    curl().easy_setopt(h, CURLOPT_PROXY, "");
  if (!options.ca_file.empty()) curl().easy_setopt(h, CURLOPT_CAINFO, options.ca_file.c_str());
  // curl's own limit shares the time out between the addresses of a host; ours counts all of it.
  auto connect_ms = std::chrono::duration_cast<std::chrono::milliseconds>(request_.connect_timeout);
  curl().easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::clamp<std::int64_t>(connect_ms.count(), 1, INT32_MAX)));

  curl().easy_setopt(h, CURLOPT_OPENSOCKETFUNCTION, &callbacks::open_socket);
  curl().easy_setopt(h, CURLOPT_OPENSOCKETDATA, this);
  curl().easy_setopt(h, CURLOPT_PREREQFUNCTION, &callbacks::may_send);
  curl().easy_setopt(h, CURLOPT_PREREQDATA, this);
  curl().easy_setopt(h, CURLOPT_READFUNCTION, &callbacks::read);
  curl().easy_setopt(h, CURLOPT_READDATA, this);
  curl().easy_setopt(h, CURLOPT_SEEKFUNCTION, &callbacks::rewind);
  curl().easy_setopt(h, CURLOPT_SEEKDATA, this);
  curl().easy_setopt(h, CURLOPT_HEADERFUNCTION, &callbacks::header);
  curl().easy_setopt(h, CURLOPT_HEADERDATA, this);
  curl().easy_setopt(h, CURLOPT_WRITEFUNCTION, &callbacks::write);
  curl().easy_setopt(h, CURLOPT_WRITEDATA, this);
  return open_hop(now);
}

result<void> transfer::open_hop(instant now) {
  TROUPE_CHECK(judge({}, to_.port));
  head_ = {};
  head_bytes_ = 0;
  head_done_ = false;
  received_ = 0;
  sent_ = 0;
  refused_.reset();
  active_at_ = now;
  enter(phase::connect);

  CURL* h = handle_.get();
  curl().easy_setopt(h, CURLOPT_URL, to_.text.c_str());
  // Waiting for a connection that may be shared pays where h2 is likely; on plain HTTP it would
  // only put requests one behind another.
  const bool secure = to_.scheme == "https";
  curl().easy_setopt(h, CURLOPT_PIPEWAIT, secure ? 1L : 0L);
  curl().easy_setopt(h, CURLOPT_HTTP_VERSION,
                     static_cast<long>(secure ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
  const auto& method = request_.method;
  if (method == "HEAD") {
    curl().easy_setopt(h, CURLOPT_NOBODY, 1L);
  } else if (!request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH") {
    curl().easy_setopt(h, CURLOPT_POST, 1L);
    curl().easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request_.body.size()));
    curl().easy_setopt(h, CURLOPT_CUSTOMREQUEST, method.c_str());
  } else {
    curl().easy_setopt(h, CURLOPT_HTTPGET, 1L);
    curl().easy_setopt(h, CURLOPT_CUSTOMREQUEST, method.c_str());
  }

  headers_.reset();
  bool has_type = false;
  auto append = [&](const std::string& line) {
    auto* longer = curl().slist_append(headers_.get(), line.c_str());
    if (longer == nullptr) return false;
    (void)headers_.release();
    headers_.reset(longer);
    return true;
  };
  bool whole = true;
  for (const auto& header : request_.headers) {
    has_type |= to_lower(header.name) == "content-type";
    // curl's way to write a header without a value is a semicolon.
    whole &= append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
  }
  // What curl would add of its own accord.
  whole &= append("Expect:");
  if (!has_type) whole &= append("Content-Type:");
  if (!whole) return {errc::internal, "out of memory for the headers of a request"};
  curl().easy_setopt(h, CURLOPT_HTTPHEADER, headers_.get());
  return {};
}

result<bool> transfer::finish_hop(CURLcode code, instant now) {
  // Reading on of a redirect's body is given up on purpose when it is long.
  if (next_ && !gave_up_) {
    if (++redirects_ > request_.max_redirects)
      return failed(errc::bad_response,
                    "redirects more than " + std::to_string(request_.max_redirects) + " times");
    const auto status = head_.status;
    auto& method = request_.method;
    if (status == 303 ? method != "HEAD" : status <= 302 && method == "POST") {
      method = "GET";
      request_.body.clear();
      std::erase_if(request_.headers,
                    [](const auto& h) { return to_lower(h.name) == "content-type"; });
    }
    if (!next_->same_origin(to_)) {
      std::erase_if(request_.headers,
                    [](const auto& h) { return !may_follow_elsewhere(to_lower(h.name)); });
    }
    to_ = std::move(*next_);
    next_.reset();
    TROUPE_CHECK(open_hop(now));
    return true;
  }
  if (gave_up_ || code != CURLE_OK) return failure(code);
  if (!head_done_) return failed(errc::bad_response, "ended without an answer");
  return false;
}

result<void> transfer::grant(std::size_t bytes, instant now) {
  const auto room = static_cast<std::uint64_t>(INT64_MAX - std::max<std::int64_t>(credit_, 0));
  credit_ += static_cast<std::int64_t>(std::min<std::uint64_t>(bytes, room));
  if (!paused_ || credit_ <= 0) return {};
  paused_ = false;
  active_at_ = now;
  moved_.push_back(id_);
  // Calls take_body with what was held back; what fails there does not show up as a message.
  auto code = curl().easy_pause(handle_.get(), CURLPAUSE_CONT);
  if (gave_up_ || code != CURLE_OK) return failure(code);
  return {};
}

instant transfer::deadline() const {
  duration limit{};
  switch (phase_) {
    case phase::connect:
      limit = request_.connect_timeout;
      break;
    case phase::answer:
      limit = request_.first_byte_timeout;
      break;
    case phase::body:
      limit = request_.idle_timeout;
      break;
  }
  return paused_ ? ends_at_ : std::min(ends_at_, add(active_at_, limit));
}

error transfer::timeout_error() const {
  if (deadline() == ends_at_)
    return failed(errc::timeout, "no whole answer within " + in_words(request_.total_timeout));
  switch (phase_) {
    case phase::connect:
      return failed(errc::timeout, "no connection within " + in_words(request_.connect_timeout));
    case phase::body:
      return failed(errc::timeout, "the answer stalled for " + in_words(request_.idle_timeout));
    default:
      return failed(errc::timeout, "no answer within " + in_words(request_.first_byte_timeout));
  }
}

void transfer::end(result<void> outcome) {
  if (outcome && !collected_.empty() && !sink_->on_data(id_, collected_))
    outcome = failed(errc::cancelled, "nobody listens to the answer any more");
  sink_->on_end(id_, outcome);
}

result<void> transfer::judge(std::string_view ip, std::uint16_t port) const {
  if (!request_.filter) return {};
  auto verdict = request_.filter(to_.host, ip, port);
  if (verdict) return {};
  error why = std::move(verdict.error());
  if (why.data.is_nil()) why.data.set("phase", "connect");
  return why;
}

void transfer::enter(phase p) {
  phase_ = p;
  moved_.push_back(id_);
}

error transfer::failed(errc code, const std::string& reason) const {
  constexpr const char* names[] = {"connect", "answer", "body"};
  error e(code, (to_.host.empty() ? std::string("a request") : to_.endpoint()) + ": " + reason);
  e.data.set("phase", names[static_cast<std::size_t>(phase_)]);
  return e;
}

void transfer::give_up(error why) {
  if (!gave_up_) gave_up_ = std::move(why);
}

error transfer::failure(CURLcode code) const {
  if (gave_up_) return *gave_up_;
  if (code == CURLE_OPERATION_TIMEDOUT) return timeout_error();
  if (code == CURLE_COULDNT_CONNECT && refused_) return *refused_;
  long number = 0;
  curl().easy_getinfo(handle_.get(), CURLINFO_OS_ERRNO, &number);
  auto why = what_happened(code, reason_, static_cast<int>(number), phase_ == phase::connect);
  auto e = failed(why.code, why.reason);
  e.retryable = e.retryable && why.may_pass;
  return e;
}

curl_socket_t transfer::open_socket(const curl_sockaddr& to) {
  char ip[INET6_ADDRSTRLEN] = "";
  if (to.family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, &to.addr, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, ip, sizeof ip);
  } else if (to.family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, &to.addr, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, ip, sizeof ip);
  } else {
    return CURL_SOCKET_BAD;
  }
  if (auto verdict = judge(ip, to_.port); !verdict) {
    refused_ = std::move(verdict.error());
    return CURL_SOCKET_BAD;
  }
  return ::socket(to.family, to.socktype | SOCK_CLOEXEC, to.protocol);
}

bool transfer::may_send(const char* ip, int port) {
  // A kept connection was judged when it was dialled, but perhaps for another sender.
  if (auto verdict = judge(ip, static_cast<std::uint16_t>(port)); !verdict) {
    give_up(std::move(verdict.error()));
    return false;
  }
  active_at_ = now();
  enter(phase::answer);
  return true;
}

bool transfer::take_header(std::string_view line) {
  if (head_done_) return true;  // a trailer
  head_bytes_ += line.size();
  if (head_bytes_ > max_head_bytes) {
    give_up(failed(errc::too_big, "the head of the answer is longer than " +
                                      std::to_string(max_head_bytes) + " bytes"));
    return false;
  }
  if (line.substr(0, 5) == "HTTP/") {  // the first line, again after a 1xx
    head_ = {};
    return true;
  }
  if (auto text = trimmed(line); !text.empty()) {
    auto colon = text.find(':');
    if (colon != text.npos)
      head_.headers.push_back(
          {to_lower(trimmed(text.substr(0, colon))), std::string(trimmed(text.substr(colon + 1)))});
    return true;
  }
  long status = 0;
  curl().easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  head_.status = static_cast<int>(status);
  if (status < 200) {
    active_at_ = now();
    return true;
  }
  return take_head();
}

bool transfer::take_head() {
  head_done_ = true;
  active_at_ = now();
  enter(phase::body);
  if (const auto* location = head_.find("location");
      location != nullptr && request_.max_redirects > 0 && is_redirect(head_.status)) {
    auto next = resolve_url(to_, *location);
    if (!next) {
      auto why = failed(errc::bad_response, "redirects to a place that can't be followed");
      why.cause = std::make_shared<error>(std::move(next.error()));
      give_up(std::move(why));
      return false;
    }
    if (to_.scheme == "https" && next->scheme == "http") {
      give_up(failed(errc::denied, "redirects from https to http"));
      return false;
    }
    next_ = std::move(*next);
    return true;
  }
  head_.url = to_.text;
  std::uint64_t length = 0;
  if (const auto* text = head_.find("content-length");
      text != nullptr && request_.method != "HEAD") {
    std::from_chars(text->data(), text->data() + text->size(), length);
    if (length > request_.max_body) {
      give_up(failed(errc::too_big,
                     "the answer is longer than " + std::to_string(request_.max_body) + " bytes"));
      return false;
    }
  }
  if (sink_->on_head(id_, head_)) return true;
  give_up(failed(errc::cancelled, "nobody listens to the answer any more"));
  return false;
}

std::size_t transfer::take_body(const char* data, std::size_t size) {
  if (next_) {
    received_ += size;
    return received_ <= max_redirect_body ? size : 0;
  }
  if (request_.stream && credit_ <= 0) {
    paused_ = true;
    return CURL_WRITEFUNC_PAUSE;
  }
  received_ += size;
  active_at_ = now();
  if (received_ > request_.max_body) {
    give_up(failed(errc::too_big,
                   "the answer is longer than " + std::to_string(request_.max_body) + " bytes"));
    return 0;
  }
  if (!request_.stream) {
    collected_.append(data, size);
    return size;
  }
  credit_ -= static_cast<std::int64_t>(size);
  if (sink_->on_data(id_, {data, size})) return size;
  give_up(failed(errc::cancelled, "nobody listens to the answer any more"));
  return 0;
}

}  // namespace troupe
