// SPDX-License-Identifier: Apache-2.0
//
// A node for tests of channels: real processes of the simulation whose far ends are real sockets.
// One thread does both, so nothing here needs a lock; virtual time moves only when a test says so.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "channel/remote_behaviour.hpp"
#include "channel/worker_loop.hpp"
#include "support/simulation.hpp"

namespace troupe::test {

inline std::pair<unique_fd, unique_fd> socket_pair() {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) std::abort();
  return {unique_fd(ends[0]), unique_fd(ends[1])};
}

/// What a test sees of a far end.
struct far_log {
  int kills = 0;
  bool destroyed = false;
  outlet to;
  /// The worker's end of the socket, for a test that plays the worker.
  unique_fd theirs;
  /// What `reason` says.
  error reason{errc::normal, "worker ended with exit code 0"};
};

/// A far end that only hands out sockets: the test says when it ends.
class played_far_end : public far_end {
 public:
  explicit played_far_end(std::shared_ptr<far_log> log) : log_(std::move(log)) {}
  ~played_far_end() override { log_->destroyed = true; }
  void start(context&, const outlet& to) override {
    auto [ours, theirs] = socket_pair();
    ours_ = std::move(ours);
    log_->theirs = std::move(theirs);
    log_->to = to;
    to.post("far.up", {});
  }
  news handle(context&, std::string_view verb, const bytes&) override {
    return verb == "far.up" ? news::connected : news::ended;
  }
  unique_fd take_channel() override { return std::move(ours_); }
  const error& reason() const override { return log_->reason; }
  void kill() override { ++log_->kills; }
  value inspect() const override { return value::map{{"pid", 1}}; }

 protected:
  std::shared_ptr<far_log> log_;
  unique_fd ours_;
};

/// A far end that serves an agent on a thread.
class thread_far_end final : public played_far_end {
 public:
  thread_far_end(std::shared_ptr<far_log> log, poller& io, agent_maker make)
      : played_far_end(std::move(log)), io_(io), make_(std::move(make)) {}
  ~thread_far_end() override {
    if (thread_.joinable()) thread_.join();  // its channel is closed already
  }
  void start(context& ctx, const outlet& to) override {
    played_far_end::start(ctx, to);
    thread_ = std::thread([this, to, fd = std::move(log_->theirs)]() mutable {
      static_cast<void>(serve(std::move(fd), make_, system_clock()));
      io_.run([to] { to.post("far.over", {}); });
    });
  }

 private:
  poller& io_;
  agent_maker make_;
  std::thread thread_;
};

class world : public testing::Test {
 protected:
  struct answer {
    bool over = false;
    result<value> got = value();
    std::vector<value> parts;
    /// The answer, or a text that says why there is none.
    value data() const { return got ? *got : value(got.error().describe()); }
  };

  world() : io(std::move(*poller::open_manual())), sim(std::make_unique<simulation>()) {
    auto made = sim->add("probe",
                         [this](context& ctx, envelope& e) {
                           switch (e.kind) {
                             case kind::event:
                               probe_does_(ctx);
                               break;
                             case kind::part:
                               answers_[e.id].parts.push_back(*unpack(e.body.view()));
                               ctx.grant(e.id, 1);
                               break;
                             case kind::reply:
                               answers_[e.id].got =
                                   e.body.empty() ? result<value>(value()) : unpack(e.body.view());
                               answers_[e.id].over = true;
                               break;
                             case kind::error:
                               answers_[e.id].got = unpack_error(e.body);
                               answers_[e.id].over = true;
                               break;
                             default:
                               break;
                           }
                         },
                         {.slots = concurrency::unlimited});
    probe_ = *made;
  }

  /// Runs both sides until `is_so`; fails the test if that takes half a minute.
  void until(const std::function<bool()>& is_so) {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (true) {
      sim->settle();
      if (is_so()) return;
      ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it never came";
      io->step(20);
    }
  }

  void as_probe(std::function<void(context&)> f) {
    probe_does_ = std::move(f);
    sim->outlet_to(probe_).post("do", {});
    sim->settle();
  }

  /// Makes a call and hands out its id: see answer_to.
  call_id begin_call(const target& to, std::string verb, value::array args = {},
                     call_options options = {.timeout = std::chrono::hours(1)}) {
    const auto id = ++last_call_;
    as_probe([&](context& ctx) {
      ctx.call(no_cause, id, to, verb, *pack(value(std::move(args))), options);
    });
    return id;
  }
  answer& answer_to(call_id id) {
    until([&] { return answers_[id].over; });
    return answers_[id];
  }
  result<value> call(const target& to, std::string verb, value::array args = {},
                     call_options options = {.timeout = std::chrono::hours(1)}) {
    return answer_to(begin_call(to, std::move(verb), std::move(args), options)).got;
  }
  value ask(const target& to, std::string verb, value::array args = {}) {
    return answer_to(begin_call(to, std::move(verb), std::move(args))).data();
  }

  /// Makes an agent and its start call, without waiting for that.
  address begin_start(std::string path, std::unique_ptr<far_end> far, remote_limits limits = {}) {
    process_init init;
    init.path = std::move(path);
    init.parent = probe_;
    init.actions = std::make_unique<remote_behaviour>(std::move(far), *io, greeting(), limits);
    auto made = sim->start(std::move(init));
    start_ = begin_call(*made, std::string(start_verb));
    return *made;
  }

  /// Starts an agent whose behaviour `make` makes at the far end.
  address start(std::string path, agent_maker make, remote_limits limits = {}) {
    auto made = begin_start(std::move(path),
                            std::make_unique<thread_far_end>(log, *io, std::move(make)), limits);
    auto& answer = answer_to(start_);
    EXPECT_TRUE(answer.got) << answer.data().as_string();
    return made;
  }
  address start(std::string path, std::function<void(context&, envelope&)> f, concurrency c = {}) {
    return start(std::move(path), [f = std::move(f), c](const greeting&) {
      return std::unique_ptr<behaviour>(std::make_unique<lambda_behaviour>(f, c));
    });
  }

  const error& reason_of(const address& a) {
    until([&] { return sim->reason_of(a) != nullptr; });
    return *sim->reason_of(a);
  }

  std::unique_ptr<poller> io;
  std::unique_ptr<simulation> sim;
  std::shared_ptr<far_log> log = std::make_shared<far_log>();
  address probe_;
  call_id start_ = 0;

 private:
  std::function<void(context&)> probe_does_;
  std::map<call_id, answer> answers_;
  call_id last_call_ = 0;
};

}  // namespace troupe::test
