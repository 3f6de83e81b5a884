// SPDX-License-Identifier: Apache-2.0
//
// A small HTTP/1.1 server for tests: scripted answers on a port of its own, with all the ways in
// which an answer can go wrong. It records what it was asked. Nothing in it waits for a fixed time:
// a stall lasts until the test opens its gate, or the client goes away.
//
//   http_server server;
//   auto more = std::make_shared<gate>();
//   server.on("/v1/x", http_answer().chunk("data: a\n\n").stall(more).chunk("data: b\n\n"));
//   ... use server.url("/v1/x") ...
//   more->open();
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "base/unique_fd.hpp"

namespace troupe::test {

/// Holds a server back until the test opens it, and tells the test when the server has come there.
class gate {
 public:
  gate() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  /// From now on nothing waits here.
  void open() { eventfd_write(fd_.get(), 1); }
  /// Blocks the test until the server waits here, or has done so.
  void wait_for_server() {
    std::unique_lock lock(mutex_);
    reached_.wait(lock, [&] { return arrived_; });
  }

  int fd() const { return fd_.get(); }
  void arrive() {
    std::lock_guard lock(mutex_);
    arrived_ = true;
    reached_.notify_all();
  }

 private:
  unique_fd fd_;
  std::mutex mutex_;
  std::condition_variable reached_;
  bool arrived_ = false;
};
using gate_ptr = std::shared_ptr<gate>;  ///< shared: the test opens what the server waits at

/// What came in.
struct http_recorded {
  std::string method;
  std::string target;  ///< path and query
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::size_t connection = 0;  ///< which connection it came on, counted from 0

  /// A header, whatever the case of its name; empty if it was not there.
  std::string header(std::string_view name) const {
    for (const auto& [known, text] : headers)
      if (known.size() == name.size() && strncasecmp(known.data(), name.data(), name.size()) == 0)
        return text;
    return {};
  }
};

/// One answer, as the steps in which it is sent. Without chunks it has a Content-Length.
class http_answer {
 public:
  explicit http_answer(int status = 200) : status_(status) {}
  /// A whole answer: status 200 and this body.
  static http_answer text(std::string body) { return http_answer().send(std::move(body)); }
  /// Exactly these bytes and no head: for answers that are not HTTP.
  static http_answer garbage(std::string all) {
    http_answer a;
    a.headless_ = true;
    a.send(std::move(all));
    return a.cut();
  }
  static http_answer redirect(const std::string& to, int status = 302) {
    return http_answer(status).header("Location", to);
  }

  http_answer& header(std::string name, std::string text) {
    headers_.emplace_back(std::move(name), std::move(text));
    return *this;
  }
  /// Waits before the head is sent.
  http_answer& stall_head(gate_ptr g) {
    before_head_ = std::move(g);
    return *this;
  }
  /// Bytes of the body as they are.
  http_answer& send(std::string data) { return repeat(std::move(data), 1); }
  /// One chunk; the first one makes the answer a chunked one, which ends by itself unless it is
  /// cut.
  http_answer& chunk(const std::string& data) {
    chunked_ = true;
    char size[20];
    snprintf(size, sizeof size, "%zx\r\n", data.size());
    return send(size + data + "\r\n");
  }
  /// `data`, that many times: for bodies that nobody wants to hold.
  http_answer& repeat(std::string data, std::size_t times) {
    auto& s = steps_.emplace_back();
    s.data = std::move(data);
    s.times = times;
    return *this;
  }
  http_answer& stall(gate_ptr g) {
    steps_.emplace_back().gate = std::move(g);
    return *this;
  }
  /// Closes the connection here; with `reset`, as if the machine had gone.
  http_answer& cut(bool reset = false) {
    auto& s = steps_.emplace_back();
    s.close = true;
    s.reset = reset;
    return *this;
  }
  /// A Content-Length other than the true one.
  http_answer& claim(std::uint64_t length) {
    claimed_ = length;
    return *this;
  }

 private:
  friend class http_server;
  /// One of: bytes, a stall, an end.
  struct step {
    std::string data;
    std::size_t times = 0;
    gate_ptr gate;
    bool close = false;
    bool reset = false;
  };

  std::string head() const {
    std::string text = "HTTP/1.1 " + std::to_string(status_) + " Scripted\r\n";
    for (const auto& [name, value] : headers_)
      text += name + ": " + value + "\r\n";
    if (chunked_) return text + "Transfer-Encoding: chunked\r\n\r\n";
    std::uint64_t length = 0;
    for (const auto& s : steps_)
      length += s.data.size() * s.times;
    return text + "Content-Length: " + std::to_string(claimed_ != 0 ? claimed_ : length) +
           "\r\n\r\n";
  }

  int status_;
  bool headless_ = false;
  bool chunked_ = false;
  std::uint64_t claimed_ = 0;
  std::vector<std::pair<std::string, std::string>> headers_;
  gate_ptr before_head_;
  std::vector<step> steps_;
};

/// Listens on 127.0.0.1 from construction on; a thread per connection. Its destructor ends all of
/// them, waiting ones included.
class http_server {
 public:
  using handler = std::function<http_answer(const http_recorded&)>;

  http_server()
      : stop_(eventfd(0, EFD_CLOEXEC)),
        listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (!stop_ || bind(listener_.get(), reinterpret_cast<sockaddr*>(&at), size) != 0 ||
        listen(listener_.get(), 512) != 0 ||
        getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&at), &size) != 0) {
      perror("http_server");
      abort();
    }
    port_ = ntohs(at.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~http_server() {
    eventfd_write(stop_.get(), 1);
    acceptor_.join();
    for (auto& t : connections_)
      t.join();
  }
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  std::uint16_t port() const { return port_; }
  std::string endpoint() const { return "127.0.0.1:" + std::to_string(port_); }
  std::string url(const std::string& path = "/") const { return "http://" + endpoint() + path; }

  /// Adds an answer for a path (without query). Each request takes the next one; the last one
  /// stays.
  void on(const std::string& path, http_answer answer) {
    on(path, [a = std::move(answer)](const http_recorded&) { return a; });
  }
  void on(const std::string& path, handler h) {
    std::lock_guard lock(mutex_);
    handlers_[path].push_back(std::move(h));
  }

  /// All requests that have come in whole.
  std::vector<http_recorded> requests() const {
    std::lock_guard lock(mutex_);
    return requests_;
  }
  /// Connections that were opened, and those of them that the client has closed.
  std::size_t connections() const {
    std::lock_guard lock(mutex_);
    return connections_.size();
  }

  void wait_for_requests(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= n; });
  }
  /// Blocks until `n` connections in all have been closed by their client.
  void wait_for_hangups(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return hangups_ >= n; });
  }

 private:
  enum class woken { ready, hung_up, stopped };

  /// Waits until `fd` has something; watches the client unless `fd` is its own socket.
  woken wait(int fd, int client) {
    pollfd watched[] = {
        {stop_.get(), POLLIN, 0}, {fd, POLLIN, 0}, {fd == client ? -1 : client, POLLRDHUP, 0}};
    while (poll(watched, 3, -1) < 0) {
    }
    if (watched[0].revents != 0) return woken::stopped;
    if (watched[2].revents != 0) return woken::hung_up;
    return woken::ready;
  }

  void accept_all() {
    while (wait(listener_.get(), listener_.get()) == woken::ready) {
      unique_fd client(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!client) continue;
      std::lock_guard lock(mutex_);
      connections_.emplace_back([this, number = connections_.size(), c = std::move(client)] {
        if (!serve(c.get(), number)) return;
        std::lock_guard inner(mutex_);
        ++hangups_;
        changed_.notify_all();
      });
    }
  }

  /// True if it was the client who ended the connection.
  bool serve(int client, std::size_t number) {
    std::string input;
    for (;;) {
      http_recorded request;
      request.connection = number;
      if (auto w = read_request(client, input, request); w != woken::ready)
        return w == woken::hung_up;
      handler h = record(request);
      auto answer = h ? h(request) : http_answer(404).send("nothing here\n");
      if (auto w = send_answer(client, answer, request.method == "HEAD"); w != woken::ready)
        return w == woken::hung_up;
      if (ends_connection(answer)) return false;
    }
  }

  handler record(const http_recorded& request) {
    std::lock_guard lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
    auto known = handlers_.find(request.target.substr(0, request.target.find('?')));
    if (known == handlers_.end()) return {};
    auto next = known->second.front();
    if (known->second.size() > 1) known->second.pop_front();
    return next;
  }

  woken read_more(int client, std::string& input) {
    if (wait(client, client) == woken::stopped) return woken::stopped;
    char data[16384];
    auto n = recv(client, data, sizeof data, 0);
    if (n <= 0) return woken::hung_up;
    input.append(data, static_cast<std::size_t>(n));
    return woken::ready;
  }

  woken read_request(int client, std::string& input, http_recorded& request) {
    std::size_t end;
    while ((end = input.find("\r\n\r\n")) == input.npos)
      if (auto w = read_more(client, input); w != woken::ready)
        return w;
      else if (input[0] < 'A' || input[0] > 'Z')
        return woken::stopped;  // no HTTP: TLS, say
    auto head = input.substr(0, end + 2);
    input.erase(0, end + 4);
    auto line = head.substr(0, head.find("\r\n"));
    request.method = line.substr(0, line.find(' '));
    request.target = line.substr(request.method.size() + 1);
    request.target.erase(request.target.rfind(' '));
    for (auto at = line.size() + 2; at < head.size();) {
      auto stop = head.find("\r\n", at);
      auto colon = head.find(':', at);
      auto text = head.find_first_not_of(' ', colon + 1);
      request.headers.emplace_back(head.substr(at, colon - at), head.substr(text, stop - text));
      at = stop + 2;
    }
    auto length = strtoull(request.header("Content-Length").c_str(), nullptr, 10);
    while (input.size() < length)
      if (auto w = read_more(client, input); w != woken::ready) return w;
    request.body = input.substr(0, length);
    input.erase(0, length);
    return woken::ready;
  }

  woken write_all(int client, std::string_view data) {
    while (!data.empty()) {
      auto n = ::send(client, data.data(), data.size(), MSG_NOSIGNAL);
      if (n > 0) {
        data.remove_prefix(static_cast<std::size_t>(n));
        continue;
      }
      if (n < 0 && errno != EAGAIN) return woken::hung_up;
      pollfd watched[] = {{stop_.get(), POLLIN, 0}, {client, POLLOUT, 0}};
      while (poll(watched, 2, -1) < 0) {
      }
      if (watched[0].revents != 0) return woken::stopped;
    }
    return woken::ready;
  }

  woken stall(int client, gate& g) {
    g.arrive();
    return wait(g.fd(), client);
  }

  woken send_answer(int client, const http_answer& answer, bool head_only) {
    if (answer.before_head_)
      if (auto w = stall(client, *answer.before_head_); w != woken::ready) return w;
    if (!answer.headless_)
      if (auto w = write_all(client, answer.head()); w != woken::ready) return w;
    if (head_only) return woken::ready;
    for (const auto& step : answer.steps_) {
      auto w = woken::ready;
      for (std::size_t i = 0; i < step.times && w == woken::ready; ++i)
        w = write_all(client, step.data);
      if (step.gate) w = stall(client, *step.gate);
      if (step.reset) {
        linger at_once{1, 0};
        setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      if (w != woken::ready) return w;
    }
    bool open_end = answer.chunked_ && !ends_connection(answer);
    return open_end ? write_all(client, "0\r\n\r\n") : woken::ready;
  }

  static bool ends_connection(const http_answer& answer) {
    return std::any_of(answer.steps_.begin(), answer.steps_.end(),
                       [](const auto& step) { return step.close; });
  }

  unique_fd stop_, listener_;
  std::uint16_t port_ = 0;
  std::thread acceptor_;

  mutable std::mutex mutex_;  ///< guards the rest
  std::condition_variable changed_;
  std::map<std::string, std::deque<handler>> handlers_;
  std::vector<http_recorded> requests_;
  std::list<std::thread> connections_;
  std::size_t hangups_ = 0;
};

}  // namespace troupe::test
