// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>
#include <variant>

#include "base/unique_fd.hpp"
#include "http/curl.hpp"
#include "http/transfer.hpp"

namespace troupe {

namespace {

/// Connections kept for later requests when nobody uses them.
constexpr long max_idle_connections = 64;

struct start_command {
  request_id id;
  http_request request;
  std::unique_ptr<http_sink> sink;
  bool refused;
};
struct cancel_command {
  request_id id;
};
struct grant_command {
  request_id id;
  std::size_t bytes;
};
using command = std::variant<start_command, cancel_command, grant_command>;

}  // namespace

/// Everything behind the client. `submit` and `open` are for all threads, the rest for its own.
struct http_client::loop {
  explicit loop(http_options o) : options(std::move(o)) {}

  result<void> begin();
  result<void> make_multi();
  void stop();
  void submit(command c);

  struct entry {
    std::unique_ptr<transfer> what;
    instant due = never;  ///< its place in `deadlines`
  };
  void arm(entry& e);

  void run();
  int wait_ms() const;
  void take_commands();
  void apply(start_command& c);
  void apply(cancel_command& c);
  void apply(grant_command& c);
  void reap();
  void expire();
  void end(request_id id, result<void> outcome);

  static int on_socket(CURL*, curl_socket_t fd, int what, void* self, void*);
  static int on_timer(CURLM*, long ms, void* self);

  const http_options options;
  std::atomic<request_id> last_id{0};
  std::atomic<std::size_t> open{0};

  std::mutex mutex;  ///< guards the two below
  std::vector<command> commands;
  bool stopping = false;

  unique_fd wake, poll;
  std::thread thread;

  system_clock time;
  std::unordered_map<request_id, entry> transfers;
  std::set<std::pair<instant, request_id>> deadlines;
  std::vector<request_id> moved;  ///< to be armed again
  instant curl_due = never;
  /// Last, so that it goes first: cleaning up calls on_socket.
  std::unique_ptr<CURLM, curl_deleter<&curl_functions::multi_cleanup>> multi;
};

/// Before the first request.
result<void> http_client::loop::make_multi() {
  TROUPE_CHECK(load_curl());
  multi.reset(curl().multi_init());
  if (!multi) return {errc::io, "http: libcurl has no memory"};
  curl().multi_setopt(multi.get(), CURLMOPT_SOCKETFUNCTION, &loop::on_socket);
  curl().multi_setopt(multi.get(), CURLMOPT_SOCKETDATA, this);
  curl().multi_setopt(multi.get(), CURLMOPT_TIMERFUNCTION, &loop::on_timer);
  curl().multi_setopt(multi.get(), CURLMOPT_TIMERDATA, this);
  curl().multi_setopt(multi.get(), CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_MULTIPLEX));
  curl().multi_setopt(multi.get(), CURLMOPT_MAXCONNECTS, max_idle_connections);
  curl().multi_setopt(multi.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS,
                      static_cast<long>(options.max_connections));
  curl().multi_setopt(multi.get(), CURLMOPT_MAX_HOST_CONNECTIONS,
                      static_cast<long>(options.max_connections_per_host));
  return ok();
}

result<void> http_client::loop::begin() {
  wake = unique_fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  poll = unique_fd(epoll_create1(EPOLL_CLOEXEC));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake.get();
  if (!wake || !poll || epoll_ctl(poll.get(), EPOLL_CTL_ADD, wake.get(), &event) != 0)
    return {errc::io, std::string("http: no event loop: ") + strerror(errno)};
  // The thread, and those that curl starts for name lookups, leave all signals to others.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  thread = std::thread([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "troupe-http");
  return {};
}

void http_client::loop::stop() {
  {
    std::lock_guard lock(mutex);
    stopping = true;
  }
  eventfd_write(wake.get(), 1);
  if (thread.joinable()) thread.join();
}

void http_client::loop::submit(command c) {
  bool first;
  {
    std::lock_guard lock(mutex);
    first = commands.empty();
    commands.push_back(std::move(c));
  }
  if (first) eventfd_write(wake.get(), 1);
}

void http_client::loop::run() {
  for (bool last = false; !last;) {
    epoll_event events[128];
    int n = epoll_wait(poll.get(), events, 128, wait_ms());
    {
      std::lock_guard lock(mutex);
      last = stopping;
    }
    // Commands first: what is cancelled sees no more data.
    take_commands();
    int running = 0;
    for (int i = 0; i < n; ++i) {
      if (events[i].data.fd == wake.get()) continue;
      auto what = events[i].events;
      int flags = (what & EPOLLIN ? CURL_CSELECT_IN : 0) |
                  (what & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
                  (what & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
      curl().multi_socket_action(multi.get(), events[i].data.fd, flags, &running);
    }
    if (curl_due <= time.now()) {
      curl_due = never;
      curl().multi_socket_action(multi.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    }
    reap();
    expire();
  }
  // A sink's last call may have started another request: it ends the same way.
  for (; open != 0; take_commands())
    while (!transfers.empty())
      end(transfers.begin()->first, {errc::cancelled, "the http client is closing"});
}

int http_client::loop::wait_ms() const {
  auto due = curl_due;
  if (!deadlines.empty()) due = std::min(due, deadlines.begin()->first);
  if (due == never) return -1;
  auto left = due - time.now();
  if (left <= duration::zero()) return 0;
  // Rounded up: waking early would only mean to wait again.
  auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<std::int64_t>(ms, 60'000));
}

void http_client::loop::take_commands() {
  std::vector<command> batch;
  {
    std::lock_guard lock(mutex);
    eventfd_t ignored;
    eventfd_read(wake.get(), &ignored);
    batch.swap(commands);
  }
  for (auto& c : batch)
    std::visit([this](auto& known) { apply(known); }, c);
}

void http_client::loop::apply(start_command& c) {
  auto t = std::make_unique<transfer>(c.id, std::move(c.request), std::move(c.sink), moved);
  auto& known = *t;
  transfers[c.id].what = std::move(t);
  if (c.refused)
    return end(c.id, {errc::overloaded, "http: " + std::to_string(options.max_requests) +
                                            " requests are open already"});
  if (!multi)
    if (auto made = make_multi(); !made) return end(c.id, made.error());
  if (auto opened = known.open(options, time.now()); !opened) return end(c.id, opened.error());
  if (auto code = curl().multi_add_handle(multi.get(), known.handle()); code != CURLM_OK)
    return end(c.id, {errc::internal, std::string("http: ") + curl().multi_strerror(code)});
}

void http_client::loop::apply(cancel_command& c) {
  if (transfers.count(c.id) != 0) end(c.id, {errc::cancelled, "the request was taken back"});
}

void http_client::loop::apply(grant_command& c) {
  auto at = transfers.find(c.id);
  if (at == transfers.end()) return;
  if (auto granted = at->second.what->grant(c.bytes, time.now()); !granted)
    end(c.id, std::move(granted.error()));
}

/// Ends or sends on what curl is through with.
void http_client::loop::reap() {
  int left = 0;
  if (!multi) return;
  while (auto* message = curl().multi_info_read(multi.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    auto* handle = message->easy_handle;
    auto code = message->data.result;
    void* owner = nullptr;
    curl().easy_getinfo(handle, CURLINFO_PRIVATE, &owner);
    auto& t = *static_cast<transfer*>(owner);
    curl().multi_remove_handle(multi.get(), handle);  // `message` is gone with it
    auto again = t.finish_hop(code, time.now());
    if (!again)
      end(t.id(), std::move(again.error()));
    else if (!*again)
      end(t.id(), {});
    else if (auto added = curl().multi_add_handle(multi.get(), handle); added != CURLM_OK)
      end(t.id(), {errc::internal, std::string("http: ") + curl().multi_strerror(added)});
  }
}

void http_client::loop::expire() {
  for (auto id : moved)
    if (auto at = transfers.find(id); at != transfers.end()) arm(at->second);
  moved.clear();
  const auto now = time.now();
  while (!deadlines.empty() && deadlines.begin()->first <= now) {
    auto id = deadlines.begin()->second;
    deadlines.erase(deadlines.begin());
    auto& e = transfers.at(id);
    e.due = never;
    // It may have moved on since it was armed: data only pushes a deadline out.
    if (e.what->deadline() <= now)
      end(id, e.what->timeout_error());
    else
      arm(e);
  }
}

void http_client::loop::arm(entry& e) {
  auto due = e.what->deadline();
  deadlines.erase({e.due, e.what->id()});
  e.due = due;
  if (due != never) deadlines.insert({due, e.what->id()});
}

void http_client::loop::end(request_id id, result<void> outcome) {
  auto at = transfers.find(id);
  auto t = std::move(at->second.what);
  deadlines.erase({at->second.due, id});
  transfers.erase(at);
  // Of no effect if it was never added.
  if (t->handle() != nullptr) curl().multi_remove_handle(multi.get(), t->handle());
  t->end(std::move(outcome));
  --open;
}

int http_client::loop::on_socket(CURL*, curl_socket_t fd, int what, void* self, void*) {
  auto& l = *static_cast<loop*>(self);
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(l.poll.get(), EPOLL_CTL_DEL, fd, nullptr);
    return 0;
  }
  epoll_event event{};
  event.events = (what & CURL_POLL_IN ? EPOLLIN : 0u) | (what & CURL_POLL_OUT ? EPOLLOUT : 0u);
  event.data.fd = fd;
  // If neither works, the request ends by its timeout; reporting it here would end all others too.
  if (epoll_ctl(l.poll.get(), EPOLL_CTL_MOD, fd, &event) != 0)
    epoll_ctl(l.poll.get(), EPOLL_CTL_ADD, fd, &event);
  return 0;
}

int http_client::loop::on_timer(CURLM*, long ms, void* self) {
  auto& l = *static_cast<loop*>(self);
  l.curl_due = ms < 0 ? never : add(l.time.now(), std::chrono::milliseconds(ms));
  return 0;
}

http_client::http_client(std::unique_ptr<loop> l) : loop_(std::move(l)) {}

result<std::unique_ptr<http_client>> http_client::open(http_options options) {
  auto l = std::make_unique<loop>(std::move(options));
  TROUPE_CHECK(l->begin());
  return std::unique_ptr<http_client>(new http_client(std::move(l)));
}

http_client::~http_client() {
  loop_->stop();
}

request_id http_client::start(http_request request, std::unique_ptr<http_sink> sink) {
  auto& l = *loop_;
  auto id = ++l.last_id;
  bool refused = l.open++ >= l.options.max_requests;
  // What is refused only waits for its on_end; it must not hold memory meanwhile.
  if (refused) request = {};
  l.submit(start_command{id, std::move(request), std::move(sink), refused});
  return id;
}

void http_client::cancel(request_id id) {
  loop_->submit(cancel_command{id});
}

void http_client::grant(request_id id, std::size_t bytes) {
  loop_->submit(grant_command{id, bytes});
}

std::size_t http_client::open_requests() const {
  return loop_->open.load();
}

}  // namespace troupe
