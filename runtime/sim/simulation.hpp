// SPDX-License-Identifier: Apache-2.0
//
// The second carrier: real processes on virtual time, in an order that a seed decides. One thread,
// no library; the same seed gives the same run, step by step. `troupe test` runs agents on it, and
// so do the tests of everything that is a behaviour.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/launcher.hpp"
#include "agent/message_queue.hpp"
#include "agent/name_table.hpp"
#include "agent/process.hpp"

namespace troupe {

/// Used by one thread; only what an outlet posts may come from others.
class simulation : public carrier {
 public:
  explicit simulation(std::uint64_t seed = 1);
  ~simulation() override;

  // -- what a test does
  /// Makes an agent at `path`, starts it and lets everything settle. Fails as its start fails.
  result<address> add(std::string path, std::unique_ptr<behaviour> b);
  result<address> add(process_init init);
  /// Calls from outside, runs until the answer is there (moving time if nothing else is left to
  /// do).
  result<value> call(const target& to, std::string_view verb, value::array args = {},
                     call_options options = {});
  /// The same without running anything: for who decides on each step what comes next.
  result<call_id> begin_call(const target& to, std::string_view verb, value::array args,
                             call_options options = {});
  /// Null while the call is open.
  const result<value>* answer_of(call_id id) const;
  /// The same, with the parts that came before the answer; grants credit as they are read.
  result<value> call_streaming(const target& to, std::string_view verb, value::array args,
                               std::vector<value>& parts);
  void send(const target& to, std::string_view verb, value::array args = {});
  void exit(const target& whom, errc reason);
  /// Runs one turn of one agent, or moves time to the next wake-up no later than `limit`.
  /// False if there is nothing to do.
  bool step(instant limit);
  /// Blocks until a thread outside has posted something, at most so long in real time.
  void wait_outside(duration limit);
  /// Runs until nothing is left to do now.
  void settle();
  /// Settles, moves time on, settles at each wake-up on the way.
  void advance(duration d);
  bool alive(const address& a) const;
  /// Why it ended; null if it lives or never did.
  const error* reason_of(const address& a) const;
  std::size_t population() const { return agents_.size(); }

  /// Everything reported, oldest first.
  std::vector<runtime_event> events;
  std::vector<std::string> log_lines;
  /// What new agents get; null: they can't spawn.
  launcher* makes_children = nullptr;
  turn_limits turns{.messages = 1, .time = std::chrono::hours(1)};
  mailbox_limits mailboxes;
  /// Messages travel: a later step delivers them, and those of different pairs overtake each other.
  /// Otherwise they are in the mailbox at once, as in a node.
  bool messages_travel = false;
  /// Says whether threads outside still work for the agents, e.g. a client with open requests: then
  /// `call` waits for what comes through their outlets instead of moving time on.
  std::function<bool()> works_outside;
  /// Every message posted, in order: for invariants.
  std::function<void(const envelope&)> on_post;
  /// What agents made from now on show their messages to.
  tracer* tracing = nullptr;

  // -- carrier
  void post(envelope_ptr e) override;
  instant now() const override { return now_; }
  wall_time wall() const override;
  void wake_at(process& p, instant t) override;
  result<address> start(process_init init) override;
  bool bind(std::string_view name, const address& holder, bool replace) override;
  void unbind(const address& holder) override;
  address lookup(std::string_view name) const override;
  bool was_held(std::string_view name) const override;
  std::string path_of(const address& a) const override;
  void report(const runtime_event& event) override;
  void log(log_level level, std::string_view component, std::string_view message,
           value::map fields) override;
  outlet outlet_to(const address& a) override;
  tracer* traces() override { return tracing; }

 private:
  struct agent;
  /// From one agent to another.
  struct way {
    way(std::uint64_t sender, std::uint64_t receiver) : from(sender), to(receiver) {}
    std::uint64_t from, to;
    message_queue mail;
  };
  instant add_time(duration d) const { return troupe::add(now_, d); }
  void make_runnable(agent& a);
  void take_outside_mail();
  void deliver(envelope_ptr e);
  void deliver_from(std::size_t way);
  void run(agent& a);

  random_source random_;
  instant now_;
  std::unordered_map<std::uint64_t, std::unique_ptr<agent>> agents_;
  std::vector<agent*> runnable_;
  std::vector<std::unique_ptr<way>> ways_;  ///< those on which something travels
  std::multimap<instant, std::uint64_t> wakes_;
  name_table names_;
  std::unordered_multimap<std::uint64_t, std::string> names_of_;
  std::unordered_map<std::uint64_t, std::string> paths_;
  std::unordered_map<std::uint64_t, error> reasons_;
  struct outside_mail;
  /// Shared with outlets, which may outlive the simulation.
  std::shared_ptr<outside_mail> mail_;
  friend class simulated_outlet;
  address outside_;
  struct outside_answers;
  std::shared_ptr<outside_answers> answers_;  ///< shared with the agent that stands for the test
};

}  // namespace troupe
