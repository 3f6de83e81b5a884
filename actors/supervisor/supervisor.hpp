// SPDX-License-Identifier: Apache-2.0
//
// Starts children in order, restarts them as their strategy says, stops them in reverse: OTP's
// supervisor on the seam. What it answers is in api.hpp.
//
// OTP's supervisor blocks while a child starts or stops. This one runs one operation at a time and
// queues the rest, so that it still hears `down`, time-outs and its own stop meanwhile.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "actors/supervisor/child_table.hpp"
#include "agent/behaviour.hpp"
#include "agent/carrier.hpp"
#include "agent/context.hpp"
#include "agent/launcher.hpp"

namespace troupe {

struct supervisor_options {
  supervisor_spec spec;
  /// Where relative paths of the specs start from that come with start_child.
  std::string base_folder = {};
  /// Children stand below this path instead of the supervisor's own.
  std::optional<std::string> below = {};
  /// Holds what one agent spawns, its parent: specs that come need no id and are temporary unless
  /// they say otherwise, and there are at most as many children as `spawn` grants.
  bool is_implicit = false;
  /// Its children are the members of a pool.
  bool is_pool = false;
  /// Reads the spec anew, for `reload`; empty: it has no file to be read from.
  std::function<result<supervisor_spec>()> reads = {};
};

class supervisor : public behaviour {
 public:
  /// `makes` and `starts` outlive it. A spec with two children of one id fails the start.
  supervisor(supervisor_options options, launcher& makes, starter& starts);

  progress receive(context& ctx, envelope_ptr e) override;
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  value inspect() const override;

 protected:
  /// A child has answered its start.
  virtual void on_ready(context&, const child_record&) {}
  /// A child that was ready has ended or is told to.
  virtual void on_gone(context&, const child_record&) {}
  /// A child that was gone will not come back by itself.
  virtual void on_settled(context&) {}
  /// From now on all children are stopped; then this ends.
  virtual void on_leave(context&) {}

  const child_table& children() const { return children_; }
  /// Fails with denied unless the sender may ask for a change of the children.
  result<void> may_ask(const context& ctx, const envelope& e) const;
  /// For calls, monitors and timers alike; never one of the supervisor's own again.
  std::uint64_t new_id() { return ++last_id_; }

 private:
  /// What is going on: first all `stops`, one by one, then all `starts`.
  struct operation {
    enum class goal : std::uint8_t { boot, start, restart, terminate, heal, leave };
    goal what;
    cause_id cause = no_cause;  ///< whom to answer; starts are made under it
    std::uint64_t child = 0;    ///< what the answer is about
    std::deque<std::uint64_t> stops = {}, starts = {};
    error reason = {};  ///< leave: why
    value info = {};    ///< what the child said with its start, for who asked for it
    /// All stops together, under one timer.
    bool at_once = false;
    bool is_told = false;                 ///< at_once: all have been told to
    pressure told = pressure::shutdown;   ///< at_once: how
    std::map<std::string, int> odd = {};  ///< at_once: ends that were not as told, and how many
  };
  /// What has to wait until nothing else is going on: a verb, or a child that is to be healed.
  struct request {
    envelope_ptr call;
    std::uint64_t child = 0;
  };
  /// A call of the supervisor's own that is no start.
  struct question {
    cause_id cause;     ///< whom to answer, if anybody waits
    std::string child;  ///< what it is about
  };

  void boot(context& ctx, const envelope& e);
  void take_call(context& ctx, envelope_ptr e);
  void on_answer(context& ctx, const envelope& e);
  void on_down(context& ctx, const envelope& e);
  void on_timer(context& ctx, timer_id id);
  void on_cancel(context& ctx, cause_id cause);

  // -- operations
  void advance(context& ctx);
  bool stop_next(context& ctx);
  void stop(context& ctx, child_record& c);
  void stop_all_at_once(context& ctx);
  void press(context& ctx, const child_record& c, pressure how);
  bool start_next(context& ctx);
  void finish(context& ctx);
  result<void> launch(context& ctx, child_record& c);
  void start_failed(context& ctx, child_record& c, const error& why);
  void leave(context& ctx, error reason);
  void forget_incarnation(child_record& c);
  void drop_if_done(child_record& c);
  child_spec spec_of(const child_record& c) const;
  std::deque<std::uint64_t> live_from(std::uint64_t first) const;
  /// Timers beside those of children, which have the id of their monitor.
  static constexpr timer_id retry_timer = 1, stop_timer = 2, last_own_timer = stop_timer;
  bool is_simple() const { return options_.spec.strategy == strategy::simple_one_for_one; }

  // -- restarts (restarts.cpp)
  void heal(context& ctx, child_record& c);
  void restart(context& ctx, child_record& c, bool has_run);
  void begin_restart(child_record& c);
  void take_due_retries(context& ctx);
  duration next_wait(context& ctx, child_record& c, bool has_run) const;
  bool is_alone() const;
  std::uint64_t first_of_team(const child_record& c) const;
  bool ends_the_supervisor(const child_record& c) const;
  bool count_restart(instant now);
  void remember_exit(context& ctx, child_record& c);
  void report(context& ctx, log_level level, std::string_view what, std::string_view when,
              std::string_view child, const error& why, const value::map& more = {}) const;

  // -- verbs (verbs.cpp)
  void serve(context& ctx, const envelope& e);
  void serve_for_child(context& ctx, const envelope& e, const value& which);
  result<void> start_child(context& ctx, const envelope& e, const value& given);
  result<child_spec> new_spec(context& ctx, value given) const;
  result<void> restart_child(child_record& c, cause_id cause);
  result<void> delete_child(child_record& c);
  void ask_if_alive(context& ctx, cause_id cause, const address& who);
  void on_answer_to_question(context& ctx, const question& q, const envelope& e);
  value which_children() const;
  value which_child(const child_record& c) const;
  value count_children() const;
  std::string free_id(const value& start) const;

  // -- change of specs (upgrade.cpp)
  result<value> upgrade(context& ctx, const envelope& e, const value& tree);
  result<value> reload(context& ctx, const envelope& e);
  result<value> merge(context& ctx, supervisor_spec next);
  void tell(context& ctx, const child_record& c, std::string_view verb, const value& what);

  std::string path_of(const context& ctx, const child_record& c) const;
  std::string path_of(const context& ctx, const std::string& id) const;

  supervisor_options options_;
  launcher& makes_;
  starter& starts_;
  child_table children_;
  /// simple_one_for_one: what its children are made from.
  std::shared_ptr<const child_spec> template_;  ///< shared: with its children
  address parent_;
  cause_id boot_cause_ = no_cause;  ///< while it starts
  bool has_left_ = false;

  std::optional<operation> current_;
  std::deque<request> requests_;
  /// When it restarted something, within the period.
  std::deque<instant> restarts_;
  /// When which child is to be tried again; one that does not agree with its record is void.
  std::set<std::pair<instant, std::uint64_t>> retries_;
  std::unordered_map<call_id, question> questions_;
  std::uint64_t last_id_;
};

}  // namespace troupe
