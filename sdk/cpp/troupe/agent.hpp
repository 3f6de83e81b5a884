// SPDX-License-Identifier: Apache-2.0
//
// Agents of a C++ plugin: a class with verbs. Header only, C++17.
#pragma once

#include <troupe/ext/agents.h>
#include <troupe/ext/outlet.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "troupe/host.hpp"

namespace troupe::sdk {

class agent;
class turn;

/// Whom to reach: an address, or a name that is resolved at each use.
class target {
 public:
  target(const address& a) : address_(a) {}
  target(std::string name) : name_(std::move(name)) {}
  target(const char* name) : name_(name) {}

 private:
  friend class turn;
  address address_;
  std::string name_;
};

/// Names a message that is being served, so that it can be answered in a later turn.
using cause = std::uint64_t;

/// What a call came to: a value, or why there is none.
class answer {
 public:
  answer(value v) : value_(std::move(v)) {}
  answer(failure why) : failure_(std::make_shared<failure>(std::move(why))) {}

  explicit operator bool() const { return failure_ == nullptr; }
  /// The value; throws the failure if there is one.
  const value& get() const {
    if (failure_) throw *failure_;
    return value_;
  }
  /// Only where it is false.
  const failure& why() const { return *failure_; }

 private:
  value value_;
  std::shared_ptr<failure> failure_;
};

/// Takes the answer to a call in a later turn.
using then = std::function<void(turn&, const answer&)>;

struct call_options {
  double timeout = 0;  ///< seconds; 0: the default, 30
  /// Takes the parts that come before the answer; how many may come before `grant` is `credit`.
  std::function<void(turn&, const value& part)> on_part;
  std::uint32_t credit = 0;
};

/// The way into an agent from a thread of the plugin. It may outlive the agent.
class outlet {
 public:
  outlet() = default;
  outlet(const troupe_outlet_host_t* api, troupe_outlet_t* handle) : handle_(handle, api->close) {
    post_ = api->post;
  }
  /// [any thread] Makes the agent see an event. False if it has ended.
  bool post(std::string_view verb, const value& body) const {
    const auto packed = pack(body);
    return handle_ && post_(handle_.get(), to_text(verb), to_bytes(packed)) != 0;
  }

 private:
  std::shared_ptr<troupe_outlet_t> handle_;
  std::int32_t (*post_)(troupe_outlet_t*, troupe_text_t, troupe_bytes_t) = nullptr;
};

/// What an agent may ask for in its turn. Keep none beyond it.
class turn {
 public:
  // Who and when.
  address self() const {
    troupe_address_t a;
    api_->self(at_, &a);
    return from_c(a);
  }
  std::string_view path() const { return to_view(api_->path(at_)); }
  double now() const { return api_->now(at_); }    ///< seconds, monotonic
  double wall() const { return api_->wall(at_); }  ///< seconds since 1970
  std::uint64_t random() const { return api_->random(at_); }
  /// Who sent what is being handled.
  const address& from() const { return from_; }
  /// Seconds until its deadline; below zero: it has none.
  double time_left() const { return time_left_; }

  // Messages. They are sent under the message being handled: its deadline and cancel hold for them.
  void send(const target& to, std::string_view verb, const value::list& args = {}) {
    const c_target whom(to);
    const auto body = pack(args);
    api_->send(at_, cause_, whom.record(), to_text(verb), to_bytes(body));
  }
  /// `next` is called once, in a later turn. Returns an id for `cancel` and `grant`.
  std::uint64_t call(const target& to, std::string_view verb, const value::list& args, then next,
                     call_options options = {});
  /// Calls `next` after that many seconds, also while this message is open.
  std::uint64_t sleep(double seconds, then next);
  void cancel(std::uint64_t id);
  void grant(std::uint64_t id, std::uint32_t parts) { api_->grant(at_, id, parts); }

  /// Keeps the message that is being handled open; what its handler returns is dropped. Answer it
  /// with `reply` or `fail`, and free its slot with `done`.
  cause leave_open() {
    left_open_ = true;
    return cause_;
  }
  void reply(cause on, const value& v) {
    const auto body = pack(v);
    api_->reply(at_, on, to_bytes(body));
  }
  void fail(cause on, const failure& why) {
    const auto e = detail::error_record(why);
    api_->fail(at_, on, &e);
  }
  void done(cause on) { api_->done(at_, on); }
  /// Sends a piece of the answer to the call being handled. Throws failure: no_credit, too_big,
  /// not_found.
  void part(const value& v) { part(cause_, v); }
  void part(cause on, const value& v) {
    detail::answer_slot slot;
    const auto body = pack(v);
    const auto answered = api_->part(at_, on, to_bytes(body), slot.record());
    slot.take(answered);
  }

  // Agents.
  std::uint64_t spawn(const value& spec, then next);
  std::uint64_t find(std::string_view name, then next);
  std::uint64_t bind(std::string_view name, then next);
  /// Ends this agent after this turn, with `normal` or with a failure. A call that is not answered
  /// by then fails with `down`.
  void exit() {
    is_ending_ = true;
    api_->exit(at_, nullptr);
  }
  void exit(const failure& why) {
    is_ending_ = true;
    const auto e = detail::error_record(why);
    api_->exit(at_, &e);
  }
  void signal(const target& to, const failure& why) {
    const c_target whom(to);
    const auto e = detail::error_record(why);
    api_->signal(at_, whom.record(), &e);
  }
  /// `agent::on_down` sees the id when it ends.
  std::uint64_t monitor(const target& to);
  void demonitor(std::uint64_t id) { api_->demonitor(at_, id); }
  void link(const target& to) {
    const c_target whom(to);
    api_->link(at_, whom.record());
  }
  void unlink(const target& to) {
    const c_target whom(to);
    api_->unlink(at_, whom.record());
  }
  void trap_exits(bool on) { api_->trap_exits(at_, on ? 1 : 0); }

  // Time.
  /// `agent::on_timer` sees the id once, after that many seconds. The same id replaces what was
  /// set.
  void set_timer(std::uint64_t id, double seconds) { api_->set_timer(at_, id, seconds); }
  void cancel_timer(std::uint64_t id) { api_->cancel_timer(at_, id); }

  void log(level at, std::string_view message, const value& fields = value::map{}) {
    const auto packed = pack(fields);
    api_->log(at_, static_cast<std::uint32_t>(at), to_text(message), to_bytes(packed));
  }
  outlet open_outlet() {
    if (outlets_ == nullptr) throw failure("unsupported", "this node has no " TROUPE_OUTLET);
    return {outlets_, outlets_->open(at_)};
  }

 private:
  friend class agent;
  turn(agent& who, const host& node, troupe_turn_t* at);

  static address from_c(const troupe_address_t& a) {
    address out;
    std::copy(std::begin(a.wire), std::end(a.wire), out.wire.begin());
    return out;
  }

  class c_target {
   public:
    explicit c_target(const target& t) {
      std::copy(t.address_.wire.begin(), t.address_.wire.end(), address_.wire);
      record_ = {t.name_.empty() ? &address_ : nullptr, to_text(t.name_)};
    }
    c_target(const c_target&) = delete;
    const troupe_target_t* record() const { return &record_; }

   private:
    troupe_address_t address_;
    troupe_target_t record_;
  };

  agent& agent_;
  troupe_turn_t* at_;
  const troupe_agents_host_t* api_;
  const troupe_outlet_host_t* outlets_;
  cause cause_ = 0;
  address from_;
  double time_left_ = -1;
  bool left_open_ = false;
  bool is_ending_ = false;
};

/// Base of an agent kind. Its constructor takes the options (a map) and names the verbs:
///
///   explicit greeter(const value& options) {
///     on("greet", [this](turn&, const value::list& args) { return greet(args); });
///   }
///
/// A handler's failure goes to the caller; any other exception ends the agent. One message is
/// handled at a time unless the kind says otherwise.
class agent {
 public:
  virtual ~agent() = default;

 protected:
  using handler = std::function<value(turn&, const value::list& args)>;
  void on(std::string verb, handler h) { verbs_[std::move(verb)] = std::move(h); }

  virtual void on_start(turn&) {}
  /// The agent has to end: it does when this returns.
  virtual void on_stop(turn&, const value& /*reason*/) {}
  virtual void on_down(turn&, std::uint64_t /*monitor*/, const value& /*reason*/) {}
  virtual void on_exit(turn&, const address& /*who*/, const value& /*reason*/) {}
  virtual void on_timer(turn&, std::uint64_t /*id*/) {}
  /// Something from an outlet; also while messages are open.
  virtual void on_event(turn&, std::string_view /*verb*/, const value& /*body*/) {}
  /// The caller of an open call takes more parts.
  virtual void on_credit(turn&, cause, std::uint32_t /*parts*/) {}
  /// The caller of an open call went away; it is done by then.
  virtual void on_cancel(turn&, cause) {}
  virtual value inspect() const { return value::map{}; }

 private:
  friend class turn;
  friend class plugin;
  struct waiting {
    then next;
    std::function<void(turn&, const value&)> on_part;
    cause under;
  };

  std::int32_t receive(const host& node, troupe_turn_t* at, const troupe_envelope_t& e) noexcept;
  void dispatch(turn& t, const troupe_envelope_t& e, std::int32_t& result);
  void answered(turn& t, const troupe_envelope_t& e);

  std::map<std::string, handler, std::less<>> verbs_;
  std::map<std::uint64_t, waiting> waiting_;
  std::uint64_t last_id_ = 0;
};

// -- implementation -------------------------------------------------------------------------------

inline turn::turn(agent& who, const host& node, troupe_turn_t* at)
    : agent_(who),
      at_(at),
      api_(node.extension<troupe_agents_host_t>(TROUPE_AGENTS)),
      outlets_(node.extension<troupe_outlet_host_t>(TROUPE_OUTLET)) {}

inline std::uint64_t turn::call(const target& to, std::string_view verb, const value::list& args,
                                then next, call_options options) {
  const std::uint64_t id = ++agent_.last_id_;
  const c_target whom(to);
  const auto body = pack(args);
  const troupe_call_options_t given{sizeof(troupe_call_options_t), options.credit, options.timeout};
  agent_.waiting_[id] = {std::move(next), std::move(options.on_part), cause_};
  api_->call(at_, cause_, id, whom.record(), to_text(verb), to_bytes(body), &given);
  return id;
}

inline std::uint64_t turn::sleep(double seconds, then next) {
  const std::uint64_t id = ++agent_.last_id_;
  agent_.waiting_[id] = {std::move(next), nullptr, cause_};
  api_->sleep(at_, cause_, id, seconds);
  return id;
}

inline void turn::cancel(std::uint64_t id) {
  agent_.waiting_.erase(id);
  api_->cancel(at_, id);
}

inline std::uint64_t turn::spawn(const value& spec, then next) {
  const std::uint64_t id = ++agent_.last_id_;
  const auto packed = pack(spec);
  agent_.waiting_[id] = {std::move(next), nullptr, cause_};
  api_->spawn(at_, cause_, id, to_bytes(packed));
  return id;
}

inline std::uint64_t turn::find(std::string_view name, then next) {
  const std::uint64_t id = ++agent_.last_id_;
  agent_.waiting_[id] = {std::move(next), nullptr, cause_};
  api_->find(at_, id, to_text(name));
  return id;
}

inline std::uint64_t turn::bind(std::string_view name, then next) {
  const std::uint64_t id = ++agent_.last_id_;
  agent_.waiting_[id] = {std::move(next), nullptr, cause_};
  api_->bind(at_, id, to_text(name));
  return id;
}

inline std::uint64_t turn::monitor(const target& to) {
  const std::uint64_t id = ++agent_.last_id_;
  const c_target whom(to);
  api_->monitor(at_, id, whom.record());
  return id;
}

inline void agent::answered(turn& t, const troupe_envelope_t& e) {
  const auto found = waiting_.find(e.id);
  if (found == waiting_.end()) return;
  if (e.kind == TROUPE_KIND_PART) {
    t.cause_ = found->second.under;
    // A copy: the callback may cancel the call that it belongs to.
    if (const auto on_part = found->second.on_part) on_part(t, unpack(e.body));
    return;
  }
  const waiting w = std::move(found->second);
  waiting_.erase(found);
  t.cause_ = w.under;
  if (!w.next) return;
  const value body = unpack(e.body);
  if (e.kind == TROUPE_KIND_REPLY) return w.next(t, body);
  failure why(std::string(body["code"].as_string("failed")),
              std::string(body["message"].as_string()));
  why.retryable = body["retryable"].as_bool();
  why.retry_after = body["retry_after"].as_double();
  w.next(t, why);
}

inline void agent::dispatch(turn& t, const troupe_envelope_t& e, std::int32_t& result) {
  switch (e.kind) {
    case TROUPE_KIND_SEND:
    case TROUPE_KIND_CALL: {
      const auto found = verbs_.find(to_view(e.verb));
      if (found == verbs_.end()) {
        result = TROUPE_UNKNOWN;
        return;
      }
      const value args = unpack(e.body);
      try {
        const value v = found->second(t, args.as_list());
        if (!t.left_open_ && !t.is_ending_ && e.kind == TROUPE_KIND_CALL) t.reply(e.cause, v);
      } catch (const failure& why) {
        if (e.kind == TROUPE_KIND_SEND) throw;
        t.fail(e.cause, why);
        t.left_open_ = false;
      }
      return;
    }
    case TROUPE_KIND_START:
      return on_start(t);
    case TROUPE_KIND_STOP:
      return on_stop(t, unpack(e.body));
    case TROUPE_KIND_DOWN:
      return on_down(t, e.id, unpack(e.body));
    case TROUPE_KIND_EXIT:
      return on_exit(t, t.from(), unpack(e.body));
    case TROUPE_KIND_TIMER:
      return on_timer(t, e.id);
    case TROUPE_KIND_EVENT:
      return on_event(t, to_view(e.verb), unpack(e.body));
    case TROUPE_KIND_REPLY:
    case TROUPE_KIND_ERROR:
    case TROUPE_KIND_PART:
      return answered(t, e);
    case TROUPE_KIND_CREDIT:
      return on_credit(t, e.cause, e.credit);
    case TROUPE_KIND_CANCEL:
      on_cancel(t, e.cause);
      t.done(e.cause);
      return;
    default:
      return;  // from a later ABI
  }
}

inline std::int32_t agent::receive(const host& node, troupe_turn_t* at,
                                   const troupe_envelope_t& e) noexcept {
  turn t(*this, node, at);
  t.cause_ = e.kind <= TROUPE_KIND_TIMER ? e.cause : 0;
  t.from_ = turn::from_c(e.from);
  t.time_left_ = e.time_left;
  std::int32_t result = TROUPE_DONE;
  try {
    dispatch(t, e, result);
  } catch (const failure& why) {
    t.exit(why);
  } catch (const std::exception& x) {
    t.exit(failure("crash", x.what()));
  } catch (...) {
    t.exit(failure("crash", "threw something that is no std::exception"));
  }
  return t.left_open_ && e.kind <= TROUPE_KIND_TIMER ? TROUPE_OPEN : result;
}

}  // namespace troupe::sdk
