// SPDX-License-Identifier: Apache-2.0
//
// The children of one supervisor: in start order, found by id and by the monitor that watches
// them. It only keeps records; what happens to them is supervisor.hpp's.
#pragma once

#include <cstdint>
#include <map>
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

struct child_record {
  /// Grows in start order; never used again.
  std::uint64_t key = 0;
  child_spec spec;
  /// What the child's own authority is cut from.
  authority_ptr rights;
  child_state state = child_state::stopped;
  /// Nobody while it is stopped or restarting.
  address at;
  /// Watches the incarnation at `at`.
  monitor_id watch = 0;
  call_id start_call = 0;
  bool is_first = true;  ///< it has never run
  /// Why its last incarnation ended.
  std::optional<error> last_exit;
  /// Set when `at` has ended and this is not dealt with yet.
  bool has_ended = false;
  /// While starting: why the start failed; what remains of it is being ended.
  std::optional<error> failure;
  /// While starting: it answered "ignore" and will end by itself.
  bool is_ignored = false;
  /// While restarting: the supervisor has put itself in mind of another attempt.
  bool retry_is_due = false;
  /// Why it has to be restarted, and since when; until that has worked.
  std::optional<error> fault;
  instant since;

  bool is_supervisor() const {
    return spec.pool.has_value() || std::holds_alternative<supervisor_spec>(spec.start);
  }
};

/// References stay good until the record is removed.
class child_table {
 public:
  /// Behind all others. The id must be new.
  child_record& add(child_spec spec, authority_ptr rights);
  void remove(child_record& c);

  child_record* find(std::uint64_t key);
  child_record* find(std::string_view id);
  const child_record* find(std::string_view id) const;
  child_record* watched_by(monitor_id watch);
  child_record* started_by(call_id call);
  /// Notes the incarnation `c.watch` and `c.start_call`, or forgets it if both are 0.
  void note(child_record& c, monitor_id watch, call_id start_call);

  std::uint64_t last_key() const { return last_key_; }
  std::size_t size() const { return by_key_.size(); }
  /// Keys in start order, from the one with key `first` on.
  std::vector<std::uint64_t> keys(std::uint64_t first = 0) const;

  auto begin() const { return by_key_.begin(); }
  auto end() const { return by_key_.end(); }

 private:
  std::map<std::uint64_t, child_record> by_key_;
  std::unordered_map<std::string, std::uint64_t> by_id_;
  std::unordered_map<monitor_id, std::uint64_t> by_watch_;
  std::unordered_map<call_id, std::uint64_t> by_call_;
  std::uint64_t last_key_ = 0;
};

}  // namespace troupe
