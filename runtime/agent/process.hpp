// SPDX-License-Identifier: Apache-2.0
//
// The rules around a behaviour, written once and without any library: queue order and control lane,
// serial or concurrent, call table, deadlines, cause, cancel, credit, links, monitors, exit rules,
// timers, dead letters. It is the context that its behaviour sees. A carrier moves its messages.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/carrier.hpp"
#include "agent/context.hpp"
#include "agent/deadlines.hpp"
#include "agent/id_table.hpp"
#include "agent/message_queue.hpp"
#include "agent/tracer.hpp"
#include "agent/watchers.hpp"
#include "base/id.hpp"

namespace troupe {

/// When a turn gives way to others.
struct turn_limits {
  std::uint32_t messages = 100;
  duration time = std::chrono::milliseconds(1);
};

/// What an agent may hold in the runtime. Above it, it ends with `limit` (a name is refused).
inline constexpr std::size_t most_monitors = 250'000, most_links = 10'000, most_timers = 2'000'000,
                             most_names = 1000, longest_name = 255, longest_path = 4096;

enum class turn_end : std::uint8_t {
  asleep,  ///< nothing to do; whoever pushes next schedules it. The process must not be touched any
           ///< more: it may run on another thread already.
  more,    ///< goes to the tail of the run queue
  slow,    ///< the same; it used up its time, so others may go first
  ended,   ///< over; its mailbox is closed and drained, the carrier destroys it
};

/// Used by one thread at a time.
class process final : public context {
 public:
  /// `c` and `inbox` outlive the process.
  process(carrier& c, mailbox& inbox, const address& self, process_init init, std::uint64_t seed);
  ~process() override;

  /// Runs one turn.
  turn_end run(const turn_limits& limits);

  /// Ends it from outside its turns, at shutdown of the carrier: as a kill, with `reason`.
  void abandon(const error& reason);

  // -- context
  const address& self() const override { return self_; }
  const std::string& path() const override { return init_.path; }
  const authority_ptr& own_authority() const override { return init_.rights; }
  instant now() const override { return now_; }
  wall_time wall() const override;
  std::uint64_t random() override { return random_.next(); }
  void send(cause_id on, const target& to, std::string_view verb, bytes args) override;
  void call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
            const call_options& options) override;
  void sleep(cause_id on, call_id id, duration delay) override;
  void cancel(call_id id) override;
  void grant(call_id id, std::uint32_t parts) override;
  result<void> part(cause_id on, bytes body) override;
  void reply(cause_id on, bytes body) override;
  void fail(cause_id on, const error& why) override;
  void done(cause_id on) override;
  void spawn(cause_id on, call_id id, const value& spec) override;
  void find(call_id id, std::string_view name) override;
  void bind(call_id id, std::string_view name) override;
  void exit(error reason) override;
  void exit(const target& whom, error reason) override;
  void monitor(monitor_id id, const target& whom) override;
  void demonitor(monitor_id id) override;
  void link(const target& whom) override;
  void unlink(const target& whom) override;
  void trap_exits(bool on) override { traps_ = on; }
  void set_timer(timer_id id, duration delay) override;
  void cancel_timer(timer_id id) override;
  void log(log_level level, std::string_view message, value::map fields) override;
  outlet make_outlet() override;

 private:
  enum class phase : std::uint8_t { fresh, starting, running, stopping };

  /// A verb for people, cut off where it is long: kept for each message, so it must not allocate.
  struct label {
    label() = default;
    explicit label(std::string_view verb)
        : size(static_cast<char>(std::min(verb.size(), sizeof text))) {
      std::copy_n(verb.data(), static_cast<std::size_t>(size), text);
    }
    std::string_view view() const { return {text, static_cast<std::size_t>(size)}; }
    char text[23];
    char size = 0;
  };
  /// What a message that the process took itself asks for.
  enum class asks : std::uint8_t { nothing, inspection, whole_inspection, upgrade, other };

  /// A message that is being served, or a call whose answer is still owed. Reused; see open_.
  struct open_message {
    cause_id cause = no_cause;  ///< no_cause: free
    bool is_call = false, answered = false, takes_slot = false, served = false, cancelled = false;
    asks control = asks::nothing;
    troupe::kind kind = troupe::kind::send;
    label verb;
    std::uint32_t credit = 0;
    std::uint32_t calls = 0;  ///< open calls made under it
    address from;
    std::uint64_t id = 0;
    instant deadline = never;
    call_chain callers;   ///< those of `from`
    call_chain extended;  ///< `from` and those, made when the first call is made under it
    trace_context trace;
  };
  struct open_call {
    address callee;
    cause_id cause = no_cause;
    instant deadline = never;
    bool is_own = false;    ///< made by the process itself; the behaviour knows nothing of it
    bool is_sleep = false;  ///< nobody is asked; the deadline is the answer
    label verb;
  };

  // -- one turn (process.cpp)
  /// What has come in, but for what is left at `until` when very much has.
  void take_mail(instant until);
  void sort(envelope_ptr e);
  void expire();
  bool deliver_next();
  progress hand_over(envelope_ptr e);
  envelope_ptr next_mail();
  /// Does it hear what the runtime says although it is not running?
  bool is_attentive() const {
    return phase_ != phase::running && overlap_.slots == concurrency::unlimited;
  }
  bool wants_rest(std::uint32_t handled, instant began, const turn_limits& limits);
  void arm();
  void ready();
  void sort_waiting();
  void look_at_traces();
  void trace(const envelope& e, bool is_outgoing);
  void finish(const error& reason);

  // -- signals (signals.cpp)
  void on_exit_signal(envelope_ptr e);
  void on_stop_request(const error& reason);
  bool is_drained() const;
  void on_cancel(const envelope& e);
  void on_answer(envelope_ptr e);
  void on_credit(envelope_ptr e);
  void on_control(envelope_ptr e);
  result<void> may_control(const envelope& e) const;
  void answer_control(open_message& m, bytes body);
  void change_overlap(const value& said);
  /// The shared part of what `@inspect` answers: path, address, phase, busy (computes), suspended,
  /// mailbox and mailbox_bytes (what waits), counts of what is open, handled, late (answers that
  /// came too late), time (seconds of computing, roughly). With `whole`, lists of at most a hundred
  /// each: calls_in {kind, from, verb, left, cancelled}, calls_out {to, verb, left}, linked,
  /// monitored, monitored_by (paths). `left` is in seconds.
  value inspection(bool whole);
  std::string name_of(const address& a) const;

  // -- serving and calling (messages.cpp)
  open_message& open(const envelope& e, bool takes_slot);
  open_message* find_open(cause_id id);
  open_message* find_open_call(const address& caller, call_id id);
  void close(open_message& m);
  static std::uint64_t key_of(const address& caller, call_id id);
  void answer(open_message& m, kind k, bytes body);
  void cancel_open(open_message& m);
  void drop_calls_of(cause_id cause);
  void take_back(call_id id, const open_call& call);
  bool forget_call(call_id id);
  void watch(call_id id, const open_call& call);
  bool is_live(const deadlines::entry& e);
  void drop_tick(timer_id id);
  /// `verb` is what it is wanted for: a grant may name a verb. Empty: for anything.
  result<address> resolve(const target& to, std::string_view verb = {}) const;
  result<void> may_find(std::string_view name, std::string_view verb) const;
  result<void> fits(const bytes& body) const;
  envelope_ptr make(kind k, const address& to, open_message* under);
  void fail_locally(call_id id, const error& why);
  bool has_free_slot(std::string_view verb) const;
  bool overlaps(std::string_view verb) const;
  std::string deadlock_path(const envelope& e) const;
  result<void> ensure_children();
  bool may_hold(std::size_t held, std::size_t most, std::string_view what);

  carrier& carrier_;
  mailbox& inbox_;
  const address self_;
  process_init init_;
  random_source random_;
  instant now_;
  instant armed_ = never;  ///< the wake-up asked of the carrier

  phase phase_ = phase::fresh;
  bool traps_ = false;
  bool busy_ = false;  ///< the behaviour was preempted
  bool suspended_ = false;
  std::optional<error> exit_;
  /// Told to stop as soon as nothing is left to do, and to take nothing new; why.
  std::optional<error> drains_;

  message_queue taken_;        ///< out of the inbox, not sorted yet
  message_queue start_;        ///< the start message, until it is delivered
  message_queue urgent_;       ///< out of turn
  message_queue mail_;         ///< in order of arrival
  message_queue overlapping_;  ///< the same, for verbs that take no slot
  std::uint64_t arrivals_ = 0;

  concurrency overlap_;
  std::uint32_t slots_used_ = 0;
  /// Indexed by the low bits of a cause.
  std::vector<open_message> open_;
  /// Where a call lies in open_, by caller and id. A hint, kept where open_ may grow long.
  id_table<std::uint32_t> open_calls_;
  std::vector<std::uint32_t> free_open_;
  std::uint64_t last_cause_ = 0;

  id_table<open_call> calls_;
  id_table<address> monitors_;
  id_table<instant> timers_;
  id_table<bool> ticks_;  ///< timers whose tick waits in a queue
  deadlines deadlines_;
  watcher_list watchers_;
  std::vector<address> links_;
  id_table<address> started_;  ///< those whose parent this is: they end with it

  /// Registered by it; they are freed at its end only.
  std::uint32_t names_ = 0;
  address children_;  ///< the implicit supervisor of what this agent spawns
  std::uint64_t last_own_id_ = 0;
  tracer* const tracer_;
  std::uint32_t traces_seen_ = 0;
  std::uint32_t traced_ = 0;  ///< by these

  std::uint64_t handled_ = 0;
  std::uint32_t naps_ = 0;  ///< turns that ended asleep
  duration time_used_{};    ///< of short turns, one in 16 stands for all
  std::uint64_t late_ = 0;
};

}  // namespace troupe
