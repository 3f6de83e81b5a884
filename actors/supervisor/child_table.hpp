// SPDX-License-Identifier: Apache-2.0
//
// The children of one supervisor: in start order, found by id and by the monitor that watches
// them. It only keeps records; what happens to them is supervisor.hpp's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/child_spec.hpp"
#include "agent/envelope.hpp"

namespace troupe {

enum class child_state : std::uint8_t {
  stopped,     ///< not there, and nobody is about to start it
  starting,    ///< its start is not answered yet
  running,     ///< also if its end is known but not yet dealt with
  stopping,    ///< told to stop
  restarting,  ///< not there, but it will be tried again
};
std::string_view to_string(child_state s);

/// How hard a child is told to stop; each step follows when the time of the one before is over.
enum class pressure : std::uint8_t { drain, shutdown, kill };

/// One end of a child, as it is remembered.
struct child_exit {
  wall_time at;
  duration lived;
  error reason;
};

struct child_record {
  /// Grows in start order; never used again.
  std::uint64_t key = 0;
  /// The spec's; with simple_one_for_one the template's and a number.
  std::string id;
  /// Shared: one template may have a hundred thousand children.
  std::shared_ptr<const child_spec> spec;
  /// simple_one_for_one: options over those of the template. A temporary child, which is never
  /// started again, keeps none.
  value extra;
  /// What the child's own authority is cut from.
  authority_ptr rights;
  child_state state = child_state::stopped;
  /// Nobody while it is stopped or restarting.
  address at;
  /// The part of an address that the table finds it by.
  std::uint64_t placed_as = 0;
  /// Watches the incarnation at `at`.
  monitor_id watch = 0;
  call_id start_call = 0;
  bool is_first = true;  ///< it has never run
  instant began;         ///< when the incarnation at `at` was made
  /// Why its last incarnation ended.
  std::optional<error> last_exit;
  /// The last ones, newest last; at most `most_exits`, without data and causes.
  std::vector<child_exit> exits;
  static constexpr std::size_t most_exits = 10;
  /// Set when `at` has ended and this is not dealt with yet.
  bool has_ended = false;
  /// While starting: why the start failed; what remains of it is being ended.
  std::optional<error> failure;
  /// While starting: it answered "ignore" and will end by itself.
  bool is_ignored = false;
  pressure told = pressure::shutdown;  ///< while stopping
  /// While restarting: when the supervisor will try again.
  std::optional<instant> retry_at;
  /// How long the wait before its last restart was meant to be; zero: there was none lately.
  duration waited = duration::zero();
  /// Why it has to be restarted, and since when; until that has worked.
  std::optional<error> fault;
  instant since;

  bool is_supervisor() const {
    return spec->pool.has_value() || std::holds_alternative<supervisor_spec>(spec->start);
  }
  bool is_temporary() const { return spec->restart == restart_type::temporary; }
};

/// References stay good until the record is removed.
class child_table {
 public:
  /// Behind all others. The id must be new; an empty one becomes the spec's with the new key.
  child_record& add(std::string id, std::shared_ptr<const child_spec> spec, authority_ptr rights);
  void remove(child_record& c);

  child_record* find(std::uint64_t key);
  child_record* find(std::string_view id);
  const child_record* find(std::string_view id) const;
  /// By its address; one that is restarting by the last it had.
  child_record* find(const address& at);
  child_record* watched_by(monitor_id watch);
  child_record* started_by(call_id call);
  void place(child_record& c, const address& at);
  /// Notes the incarnation `c.watch` and `c.start_call`, or forgets it if both are 0.
  void note(child_record& c, monitor_id watch, call_id start_call);

  /// Gives all records new keys, so that those of `first` come first, in that order.
  void reorder(const std::vector<child_record*>& first);

  std::uint64_t last_key() const { return last_key_; }
  std::size_t size() const { return by_key_.size(); }
  /// Keys in start order, from the one with key `first` on.
  std::vector<std::uint64_t> keys(std::uint64_t first = 0) const;

  auto begin() { return by_key_.begin(); }
  auto end() { return by_key_.end(); }
  auto begin() const { return by_key_.begin(); }
  auto end() const { return by_key_.end(); }

 private:
  std::map<std::uint64_t, child_record> by_key_;
  std::unordered_map<std::string, std::uint64_t> by_id_;
  std::unordered_map<std::uint64_t, std::uint64_t> by_agent_;
  std::unordered_map<monitor_id, std::uint64_t> by_watch_;
  std::unordered_map<call_id, std::uint64_t> by_call_;
  std::uint64_t last_key_ = 0;
};

}  // namespace troupe
