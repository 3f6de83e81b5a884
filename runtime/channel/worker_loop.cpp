// SPDX-License-Identifier: Apache-2.0
#include "channel/worker_loop.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "agent/control.hpp"
#include "agent/mailbox.hpp"
#include "channel/frame_stream.hpp"
#include "channel/message_frame.hpp"
#include "channel/remote_context.hpp"

namespace troupe {

namespace {

constexpr std::size_t read_chunk = 64u << 10;
/// The node may be trusted with lengths; its greeting says what a message may have.
constexpr std::size_t largest_frame = 0xffffffff;
/// Frames are written together at the end of a turn, or sooner when they are many or the turn long.
constexpr std::size_t write_above = 64u << 10;
constexpr duration write_after = std::chrono::milliseconds(2);

/// Where outlets of this worker put their events; any thread.
class event_box final : public outlet::sink {
 public:
  event_box() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)), mail_(mailbox_limits{}) {}

  bool post(std::string_view verb, bytes body) override {
    auto e = std::make_unique<envelope>();
    e->kind = kind::event;
    e->verb = verb;
    e->body = std::move(body);
    switch (mail_.push(e)) {
      case mailbox::pushed::schedule: {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto n = ::write(wake_.get(), &one, sizeof one);
        return true;
      }
      case mailbox::pushed::queued:
        return true;
      default:
        return false;
    }
  }

  int fd() const { return wake_.get(); }

  /// All that came, into `to`.
  void take(std::deque<envelope_ptr>& to) {
    std::uint64_t count;
    [[maybe_unused]] const auto n = ::read(wake_.get(), &count, sizeof count);
    auto* first = mail_.take_all();
    if (first != nullptr) asleep_ = false;
    append(to, first);
  }
  /// True if `fd` will tell of the next event.
  bool try_sleep() {
    if (!asleep_) asleep_ = mail_.try_sleep();
    return asleep_;
  }
  void close() {
    std::deque<envelope_ptr> left;
    append(left, mail_.close());
  }

 private:
  static void append(std::deque<envelope_ptr>& to, envelope* first) {
    while (first != nullptr) {
      envelope_ptr one(first);
      first = std::exchange(one->next, nullptr);
      to.push_back(std::move(one));
    }
  }

  unique_fd wake_;
  mailbox mail_;
  bool asleep_ = true;  ///< the loop's alone
};

class loop {
 public:
  loop(unique_fd channel, const clock& time, watchdog* slices)
      : fd_(std::move(channel)), time_(time), slices_(slices), in_(largest_frame) {}

  result<void> run(const agent_maker& make) {
    TROUPE_TRY(hello, greet());
    limits_ = hello.limits;
    remote_context ctx(hello, time_, outlet(events_), [this](const bytes& f) { write(f); });
    auto made = make(hello);
    if (!made) {
      ctx.send_exit(made.error());
      out_.write_to(fd_.get(), true);
      return ok();
    }
    agent_ = std::move(*made);
    ctx_ = &ctx;
    auto served = talk();
    events_->close();
    agent_.reset();
    return served;
  }

 private:
  /// Waits for the greeting.
  result<greeting> greet() {
    while (true) {
      TROUPE_TRY(payload, in_.next());
      if (payload) {
        TROUPE_TRY(f, decode(*payload, {}));
        return greeting_from(f);
      }
      if (in_.read_from(fd_.get(), read_chunk, true) == io_state::closed)
        return {errc::io, "the channel ended before there was a greeting"};
    }
  }

  /// Until the agent or the channel ends.
  result<void> talk() {
    while (true) {
      TROUPE_TRY(open, take_frames());
      if (!open) return ok();
      events_->take(inbox_);
      if (!step()) {
        ctx_->send_exit(*ctx_->exit_reason());
        out_.write_to(fd_.get(), true);
        return ok();
      }
      if (out_.write_to(fd_.get(), true) == io_state::closed) return ok();
      wait();
    }
  }

  /// What the runtime asks is answered at once, also while the agent computes or stands still.
  void control(envelope_ptr e) {
    ctx_->admit(*e);
    if (e->verb == suspend_verb) suspended_ = true;
    if (e->verb == resume_verb) suspended_ = false;
    const bool was_busy = busy_;
    turn([&] { return agent_->control(*ctx_, std::move(e)); });
    busy_ = busy_ || was_busy;
  }

  /// Runs the agent on what is there, or its next slice. False if it has ended.
  bool step() {
    if (suspended_) return !ctx_->exit_reason();
    if (busy_) turn([&] { return agent_->resume(*ctx_); });
    while (!busy_ && !ctx_->exit_reason()) {
      auto e = ctx_->take_local();
      if (!e && !inbox_.empty()) {
        e = std::move(inbox_.front());
        inbox_.pop_front();
        if (!ctx_->admit(*e)) continue;
      }
      if (!e) return true;
      // An agent that takes any number of messages at once ends what it was not asked to answer
      // when it returns; the process in the node does so for its own.
      const auto closes = e->kind == kind::call || e->kind == kind::start || e->kind == kind::stop
                              ? no_cause
                              : e->cause;
      turn([&] { return agent_->receive(*ctx_, std::move(e)); });
      if (closes != no_cause && !busy_ && agent_->overlap().slots == concurrency::unlimited)
        ctx_->done(closes);
    }
    return !ctx_->exit_reason();
  }

  template <class F>
  void turn(F f) {
    began_ = time_.now();
    ctx_->begin_turn();
    if (slices_ != nullptr) slices_->begin_turn();
    busy_ = f() == progress::preempted;
    if (slices_ != nullptr) slices_->end_turn();
    ctx_->end_turn(*agent_);
  }

  /// Everything that has arrived. False if the node is gone.
  result<bool> take_frames() {
    while (true) {
      while (true) {
        TROUPE_TRY(payload, in_.next());
        if (!payload) break;
        TROUPE_TRY(f, decode(*payload, limits_));
        if (f.name != "deliver") continue;  // of a newer node; it does without
        TROUPE_TRY(e, message_from(f, time_.now()));
        if (is_control(*e)) {
          control(std::move(e));
          continue;
        }
        if (e->kind == kind::stop) suspended_ = false;
        inbox_.push_back(std::move(e));
      }
      switch (in_.read_from(fd_.get(), read_chunk)) {
        case io_state::more:
          break;
        case io_state::blocked:
          return true;
        case io_state::closed:
          return false;
      }
    }
  }

  /// Until there is something to do.
  void wait() {
    if (busy_ && !suspended_) return;
    if (!suspended_ && !events_->try_sleep()) return;
    std::array<pollfd, 2> fds{{{fd_.get(), POLLIN, 0}, {events_->fd(), POLLIN, 0}}};
    while (::poll(fds.data(), suspended_ ? 1 : 2, -1) < 0 && errno == EINTR) {
    }
  }

  void write(const bytes& f) {
    out_.put(f);
    if (out_.size() > write_above || time_.now() - began_ > write_after)
      out_.write_to(fd_.get(), true);  // a lost node is found when the turn is over
  }

  unique_fd fd_;
  const clock& time_;
  watchdog* const slices_;
  frame_limits limits_;
  frame_reader in_;
  frame_writer out_;
  const std::shared_ptr<event_box> events_ = std::make_shared<event_box>();  ///< shared: outlets
  std::deque<envelope_ptr> inbox_;
  remote_context* ctx_ = nullptr;  ///< lives in run, like all else
  std::unique_ptr<behaviour> agent_;
  bool busy_ = false;
  bool suspended_ = false;
  instant began_;
};

}  // namespace

result<void> serve(unique_fd channel, const agent_maker& make, const clock& time,
                   watchdog* slices) {
  return loop(std::move(channel), time, slices).run(make);
}

}  // namespace troupe
