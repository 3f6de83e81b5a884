// SPDX-License-Identifier: Apache-2.0
//
// What the runtime promises to agents, checked against what really happens. It is told of every
// event between behaviours, processes and carrier, and says which promise is broken and how. It
// knows no carrier: the same ledger is kept in the simulation and in a node.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/child_spec.hpp"
#include "agent/context.hpp"

namespace troupe::test {

enum class promise : std::uint8_t {
  order,         ///< no message overtakes another of its pair, `down` included
  one_end,       ///< each call ends, and once
  deadline,      ///< no later than its deadline; past it, it is not handled
  credit,        ///< no more parts than were asked for
  slots,         ///< a serial agent serves one message at a time
  known_child,   ///< no child runs that its supervisor does not know
  start_order,   ///< one child starts after the other, in order
  stop_order,    ///< a supervisor that ends stops its children in reverse, one by one
  name,          ///< a name has one holder, and a living one
  down,          ///< one `down` for each monitor of one that ended
  timer,         ///< one tick for each timer, never early
  stop,          ///< after `stop` comes nothing more
  nothing_left,  ///< at rest nothing is open, at the end nothing is there
};
std::string_view to_string(promise p);

struct breach {
  promise what;
  std::string how;
};

/// Thread-safe.
class ledger {
 public:
  /// `in_node`: what is told comes from several threads in real time, and the carrier tells
  /// nothing, so what needs an exact order or clock is left out.
  explicit ledger(bool in_node = false) : in_node_(in_node) {}

  // -- what the carrier tells
  void born(const address& a, const address& parent, const std::string& path);
  /// Numbers the message, in its trace context.
  void posted(envelope& e, instant now);
  void bound(std::string_view name, const address& holder, bool replace, bool done);
  /// `still_named`: a name that leads to it yet.
  void ended(const address& a, const error& reason, const std::string& still_named);
  /// Whoever ended has posted all that it had to say.
  void turn_is_over();

  // -- what is seen between a behaviour and its context
  void received(const address& self, const envelope& e, const concurrency& overlap, instant now);
  void called(const address& self, cause_id on, call_id id, duration timeout, std::uint32_t credit,
              instant now);
  void took_back(const address& self, call_id id);
  void granted(const address& self, call_id id, std::uint32_t parts);
  void answered(const address& self, cause_id on, bool well, const bytes& body);
  void done(const address& self, cause_id on);
  void monitors(const address& self, monitor_id id, const target& whom);
  void demonitors(const address& self, monitor_id id);
  void set_timer(const address& self, timer_id id, instant due);
  void cancelled_timer(const address& self, timer_id id);
  /// The behaviour is destroyed.
  void gone(const address& self);

  // -- checks at rest
  /// Nobody has anything to do now: whatever should have ended has ended.
  void check_rest(instant now);
  /// A supervisor says that these are its children.
  void check_children(const address& supervisor, const std::vector<address>& known);
  void check_that_nobody_lives(const std::vector<address>& but);

  /// Notes what was found elsewhere.
  void broken(promise what, std::string how);
  std::vector<breach> breaches() const;
  /// Those that run and are children of somebody, in the order of their birth.
  std::vector<address> living() const;
  std::string path_of(const address& a) const;
  /// Of all that was told so far, in order.
  std::uint64_t hash() const;
  std::uint64_t length() const;
  /// A supervisor at this path begins with this tree, its children standing below `below`; so do
  /// those further down.
  void knows(const std::string& path, const std::string& below, const supervisor_spec& tree);
  /// Gets each line of the story.
  std::function<void(const std::string&)> print;

 private:
  enum class phase : std::uint8_t { fresh, starting, running, stopping };
  struct open_call {
    instant deadline;
    std::uint64_t credit;
  };
  struct record {
    address self, parent;
    std::string path;
    std::uint64_t age = 0;
    phase at = phase::fresh;
    bool ended = false;
    bool is_moved_by_hand = false;  ///< perhaps its children are not in their order
    std::uint64_t position = 0;     ///< among the children of its parent
    std::unordered_map<call_id, open_call> calls;
    std::unordered_map<cause_id, instant> causes;     ///< their deadlines
    std::unordered_map<cause_id, std::string> asked;  ///< verbs of calls that it has not answered
    std::unordered_map<cause_id, bool> slots;
    std::unordered_map<monitor_id, address> monitors;
    std::unordered_map<timer_id, instant> timers;
    std::map<std::pair<std::uint64_t, int>, std::uint64_t> heard;  ///< newest of a pair and lane
    std::set<std::uint64_t> told;                                  ///< whom it told to end
    std::uint64_t being_stopped = 0;
    cause_id start = no_cause;
  };

  record* find(const address& a);
  void start_of_child(record& child, const envelope& e);
  void tells_to_end(record& parent, record& child);
  void note(const char* what, const record* who, std::uint64_t a, std::uint64_t b = 0,
            std::string_view text = {});
  void breaks(promise what, std::string how);

  mutable std::mutex mutex_;  ///< guards all
  const bool in_node_;
  std::unordered_map<std::uint64_t, record> agents_;
  std::uint64_t births_ = 0;
  std::uint64_t posts_ = 0;
  struct answer_due {
    bool over = false;
  };
  std::map<std::pair<std::uint64_t, call_id>, answer_due> calls_;
  std::map<std::string, std::set<std::uint64_t>, std::less<>> names_;  ///< their living holders
  struct place_in_order {
    std::uint64_t number = 0;
    address supervisor = {};
    bool keeps = false;  ///< the supervisor's record of it never ran, and stays
  };
  std::map<std::string, strategy> strategies_;
  std::map<std::string, std::uint64_t> in_spec_;     ///< by path: the how manieth of its supervisor
  std::map<std::string, place_in_order> positions_;  ///< by path
  std::uint64_t last_position_ = 1'000'000;
  instant now_{};
  std::uint64_t hash_ = 14695981039346656037u;
  std::uint64_t length_ = 0;
  std::vector<address> just_ended_;
  std::vector<breach> breaches_;
};

}  // namespace troupe::test
