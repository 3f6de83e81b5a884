// SPDX-License-Identifier: Apache-2.0
#include "channel/remote_behaviour.hpp"

#include <sys/epoll.h>

#include <algorithm>
#include <string>
#include <utility>

#include "agent/answers.hpp"
#include "agent/control.hpp"
#include "channel/message_frame.hpp"

namespace troupe {

namespace {

/// The socket is ready.
constexpr std::string_view ready_verb = "channel.ready";
constexpr std::string_view far_verbs = "far.";

/// What is read in one go. Tiny frames of that many bytes are a few milliseconds of work; the rest
/// of a large one costs no more than its copy.
constexpr std::size_t read_chunk = 16u << 10;
constexpr std::size_t large_read_chunk = 256u << 10;
/// A socket holds no more than this when its far end is gone.
constexpr std::size_t last_words = 1u << 20;
/// For its part of an inspection.
constexpr duration inspection_time = std::chrono::seconds(1);
/// A killed process takes longer than this only in a broken kernel or file system.
constexpr duration kill_time = std::chrono::seconds(10);

error limit_of_channel(std::string message) {
  error why(errc::limit, std::move(message));
  why.data.set("what", "channel");
  return why;
}

error does_not_read(std::size_t waiting) {
  return limit_of_channel("the worker does not read: " + std::to_string(waiting) +
                          " bytes wait for it");
}

error broken(const error& why) {
  if (why.is(errc::limit) || why.is(errc::abi)) return why;
  return why.wrapped(errc::crash, "the worker broke the protocol: " + why.message);
}

bool is_served(kind k) {
  switch (k) {
    case kind::send:
    case kind::call:
    case kind::start:
    case kind::stop:
    case kind::down:
    case kind::exit:
    case kind::timer:
      return true;
    default:
      return false;
  }
}

}  // namespace

remote_behaviour::remote_behaviour(std::unique_ptr<far_end> far, poller& io, greeting hello,
                                   const remote_limits& limits)
    : far_(std::move(far)),
      io_(io),
      hello_(std::move(hello)),
      limits_(limits),
      in_(hello_.limits.frame()),
      gate_(limits.open_requests) {}

remote_behaviour::~remote_behaviour() {
  disconnect();
}

progress remote_behaviour::receive(context& ctx, envelope_ptr message) {
  auto& e = *message;
  if (e.kind == kind::event) {
    on_event(ctx, e);
  } else if ((e.kind == kind::reply || e.kind == kind::error) && e.id > first_node_id) {
    on_alarm(ctx, e.id);
  } else if (!ending_) {  // what comes later ends with the agent
    if (e.kind == kind::start) begin(ctx);
    deliver(ctx, e);
  }
  return progress::idle;
}

value remote_behaviour::inspect() const {
  value v = far_->inspect();
  v.set("connected", static_cast<bool>(fd_));
  v.set("frames_in", in_.count());
  v.set("bytes_waiting", static_cast<std::int64_t>(out_.size()));
  if (!gate_.inside().is_nil()) v.set("agent", gate_.inside());
  return v;
}

progress remote_behaviour::control(context& ctx, envelope_ptr request) {
  const bool inspects = request->verb == inspect_verb;
  if (!gate_.takes_control() || ending_ || (inspects && !wants_whole(*request)))
    return behaviour::control(ctx, std::move(request));
  if (inspects) inspections_[set_alarm(ctx, inspection_time)] = request->cause;
  deliver(ctx, *request);
  return progress::idle;
}

/// With what the far end has shown of itself, now or earlier.
void remote_behaviour::answer_inspection(context& ctx, cause_id cause) {
  answer(ctx, cause, inspect());
}

// -- to the far end

void remote_behaviour::begin(context& ctx) {
  hello_.self = ctx.self();
  hello_.path = ctx.path();
  hello_.rights = ctx.own_authority();
  events_ = ctx.make_outlet();
  auto first = encode(to_frame(hello_), hello_.limits);
  if (!first) return end(ctx, first.error(), true);
  out_.put(*first);
  far_runs_ = true;
  far_->start(ctx, events_);
}

void remote_behaviour::deliver(context& ctx, const envelope& e) {
  if (ending_) return;
  auto encoded = encode(to_frame(e, ctx.now()), hello_.limits);
  if (!encoded) {  // a body at its limit with a verb of many kilobytes
    if (e.kind == kind::call) ctx.fail(e.cause, encoded.error());
    if (is_served(e.kind)) ctx.done(e.cause);
    return;
  }
  gate_.note(e);
  const bool was_empty = out_.empty();
  out_.put(*encoded);
  if (fd_ && was_empty) write(ctx);
  watch_waiting(ctx);
}

/// Ends a far end that lets too much wait.
void remote_behaviour::watch_waiting(context& ctx) {
  if (ending_ || out_.size() <= limits_.waiting) return;
  if (out_.size() > limits_.waiting_at_most) return end(ctx, does_not_read(out_.size()), true);
  if (stall_alarm_ != 0) return;
  stall_mark_ = out_.written();
  stall_alarm_ = set_alarm(ctx, limits_.stall);
}

void remote_behaviour::write(context& ctx) {
  switch (out_.write_to(fd_.get())) {
    case io_state::more:
      break;
    case io_state::blocked:
      io_.rearm(watch_, fd_.get(), EPOLLIN | EPOLLOUT);
      break;
    case io_state::closed:
      // What it said last is still to be read; that finds the end as well.
      read(ctx);
      break;
  }
}

// -- from the far end

void remote_behaviour::on_event(context& ctx, const envelope& e) {
  if (e.verb == ready_verb) {
    if (!fd_) return;
    if (!out_.empty()) write(ctx);
    if (fd_) read(ctx);
    if (fd_) io_.rearm(watch_, fd_.get(), EPOLLIN | (out_.empty() ? 0u : EPOLLOUT));
    return;
  }
  if (!e.verb.starts_with(far_verbs)) return;
  switch (far_->handle(ctx, e.verb, e.body)) {
    case far_end::news::none:
      break;
    case far_end::news::connected:
      connect(ctx);
      break;
    case far_end::news::ended:
      on_far_ended(ctx);
      break;
  }
}

void remote_behaviour::connect(context& ctx) {
  auto fd = far_->take_channel();
  if (ending_) return;
  auto watch = io_.watch(fd.get(), EPOLLIN,
                         [to = events_](std::uint32_t) { return to.post(ready_verb, {}); });
  if (!watch) return end(ctx, watch.error(), true);
  fd_ = std::move(fd);
  watch_ = *watch;
  write(ctx);
}

void remote_behaviour::read(context& ctx) {
  const auto most = std::clamp(in_.missing(), read_chunk, large_read_chunk);
  const auto state = in_.read_from(fd_.get(), most);
  if (!handle_frames(ctx)) return;
  if (state != io_state::closed) return watch_partial_frame(ctx);
  // Its process ends as well, as a rule, and tells more.
  disconnect();
  if (!ending_) grace_alarm_ = set_alarm(ctx, limits_.grace);
}

bool remote_behaviour::handle_frames(context& ctx) {
  while (!ending_) {
    auto payload = in_.next();
    if (!payload) {
      end(ctx, broken(payload.error()), true);
      break;
    }
    if (!*payload) return true;
    auto f = decode(**payload, hello_.limits);
    if (!f) {
      end(ctx, broken(f.error()), true);
      break;
    }
    if (auto applied = gate_.apply(ctx, *f); !applied) {
      end(ctx, broken(applied.error()), true);
      break;
    }
    for (const auto cause : gate_.take_inspected()) {
      const auto open = std::find_if(inspections_.begin(), inspections_.end(),
                                     [&](const auto& i) { return i.second == cause; });
      if (open == inspections_.end()) continue;
      ctx.cancel(open->first);
      inspections_.erase(open);
      answer_inspection(ctx, cause);
    }
    if (const auto& reason = gate_.exit_reason()) end(ctx, *reason, false);
  }
  return false;
}

void remote_behaviour::watch_partial_frame(context& ctx) {
  if (!in_.is_partial() || partial_alarm_ != 0) return;
  partial_frame_ = in_.count();
  partial_alarm_ = set_alarm(ctx, limits_.partial_frame);
}

void remote_behaviour::disconnect() {
  if (!fd_) return;
  io_.forget(watch_, fd_.get());
  fd_.reset();
}

// -- the end

void remote_behaviour::end(context& ctx, error reason, bool at_once) {
  if (ending_) return;
  ending_ = std::move(reason);
  disconnect();
  if (!far_runs_) return leave(ctx);
  if (at_once) {
    far_->kill();
    kill_alarm_ = set_alarm(ctx, kill_time);
  } else {
    grace_alarm_ = set_alarm(ctx, limits_.grace);
  }
}

void remote_behaviour::on_far_ended(context& ctx) {
  // Its last frames may still be in the socket: why it ended, as a rule.
  for (std::size_t left = last_words; fd_ && left > 0;) {
    const auto most = std::min(left, large_read_chunk);
    const auto state = in_.read_from(fd_.get(), most);
    if (!handle_frames(ctx) || state != io_state::more) break;
    left -= most;
  }
  disconnect();
  far_runs_ = false;
  if (!ending_) {
    auto why = far_->reason();
    const auto open = gate_.open_messages();
    if (is_normal_exit(why) && !gate_.is_started())
      why = error(errc::crash, why.message + " before it was ready");
    else if (is_normal_exit(why) && open > 0)
      why = error(errc::crash, why.message + " while it served " + std::to_string(open) +
                                   (open == 1 ? " message" : " messages"));
    ending_ = std::move(why);
  }
  leave(ctx);
}

void remote_behaviour::leave(context& ctx) {
  if (gate_.start() != no_cause) ctx.fail(gate_.start(), *ending_);
  ctx.exit(*ending_);
}

std::uint64_t remote_behaviour::set_alarm(context& ctx, duration after) {
  const auto id = ++last_id_;
  ctx.sleep(no_cause, id, after);
  return id;
}

void remote_behaviour::on_alarm(context& ctx, std::uint64_t id) {
  if (const auto open = inspections_.find(id); open != inspections_.end()) {
    const auto cause = open->second;
    inspections_.erase(open);
    answer_inspection(ctx, cause);
  } else if (id == partial_alarm_) {
    partial_alarm_ = 0;
    if (ending_ || !in_.is_partial()) return;
    if (in_.count() != partial_frame_) return watch_partial_frame(ctx);
    end(ctx, limit_of_channel("the worker began a frame and did not complete it"), true);
  } else if (id == stall_alarm_) {
    stall_alarm_ = 0;
    // A socket is said to be ready only when it is three quarters empty, but takes bytes sooner.
    if (fd_) write(ctx);
    if (ending_ || out_.size() <= limits_.waiting) return;
    if (out_.written() != stall_mark_) return watch_waiting(ctx);
    end(ctx, does_not_read(out_.size()), true);
  } else if (id == grace_alarm_) {
    if (!ending_) return end(ctx, {errc::crash, "the worker closed its channel and went on"}, true);
    far_->kill();
    kill_alarm_ = set_alarm(ctx, kill_time);
  } else if (id == kill_alarm_) {
    ctx.log(log_level::error, "a killed worker does not end", far_->inspect().as_map());
    leave(ctx);
  }
}

}  // namespace troupe
