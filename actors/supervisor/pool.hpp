// SPDX-License-Identifier: Apache-2.0
//
// A supervisor of equal members that hands on to them what is sent to it: a call to a member that
// has no call of the pool's open, or to the one that the first argument picks. Members are children
// `1` to `n`; the pool itself answers only which_children, which_child, count_children and
// resize_pool (api.hpp).
//
// What a call is made of passes through: parts, credit, cancel, deadline, chain. A call that was at
// a member when that ended fails with `down`, since nobody but its caller knows whether it may be
// done twice; one that still waited goes to another member.
#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "actors/supervisor/supervisor.hpp"

namespace troupe {

class pool final : public supervisor {
 public:
  /// `spec.pool` is set. `makes` and `starts` outlive it.
  pool(const child_spec& spec, launcher& makes, starter& starts);

  progress receive(context& ctx, envelope_ptr e) override;
  value inspect() const override;

 protected:
  void on_ready(context& ctx, const child_record& c) override;
  void on_gone(context& ctx, const child_record& c) override;
  void on_settled(context& ctx) override;
  void on_leave(context& ctx) override;

 private:
  using line = std::list<envelope_ptr>;
  struct member {
    address at;               ///< nobody while it is not ready
    std::uint32_t open = 0;   ///< calls of the pool that it has not answered
    bool is_offered = false;  ///< stands in free_
    /// A call failed with `down`: by its own end, which is announced a moment later, or by that of
    /// somebody whom it asked. It gets nothing until that is known.
    bool is_suspect = false;

    bool is_coming = false;  ///< by a resize; not there yet
    bool is_ending = false;  ///< by a resize

    bool is_free() const { return at && open == 0 && !is_suspect && !is_ending; }
  };
  struct relay {
    cause_id cause;
    std::uint32_t member;
    address at;
  };
  struct place_in_line {
    std::uint32_t line;
    pool::line::iterator at;
  };

  void resize(context& ctx, const envelope& e);
  /// Gives what waits for members by key to those who have the keys now.
  void sort_lines(context& ctx);
  /// Ends a member that is too many, once it has nothing to do.
  void retire_if_idle(context& ctx, std::uint32_t index);
  /// For a member, of the supervisor that this is.
  void ask_itself(context& ctx, std::uint32_t index, std::string_view verb, const value& argument);
  bool hear_itself(context& ctx, const envelope& e);
  bool relay_answer(context& ctx, const envelope& e);
  void probe(context& ctx, std::uint32_t index);
  void take(context& ctx, envelope_ptr e);
  void hand_over(context& ctx, envelope_ptr e, std::uint32_t to);
  void offer(std::uint32_t index);
  void serve_waiting(context& ctx, std::uint32_t index);
  bool take_free(std::uint32_t& index);
  result<std::uint32_t> picked_by(const envelope& e) const;
  bool may_come_back(std::uint32_t index) const;
  bool can_ever_serve(std::uint32_t line) const;
  void turn_away(context& ctx, const envelope& e, const error& why);
  void empty_line(context& ctx, std::uint32_t number, const error& why);
  envelope_ptr take_out(std::uint32_t number, line::iterator at);

  const pool_spec spec_;
  /// What members are made from.
  const child_spec member_;
  starter& events_;
  /// How many members there shall be: those above are told to end.
  std::uint32_t size_;
  bool is_leaving_ = false;
  /// No fewer than size_.
  std::vector<member> members_;
  /// Members that may be free, the one that waits longest first. Checked when taken.
  std::deque<std::uint32_t> free_;
  /// One line for all, or one a member if the key decides.
  std::vector<line> lines_;
  std::size_t waiting_ = 0;
  std::unordered_map<cause_id, place_in_line> in_line_;
  std::unordered_map<call_id, relay> relays_;
  std::unordered_map<cause_id, call_id> by_cause_;
  std::unordered_map<call_id, relay> probes_;
  std::unordered_map<call_id, std::uint32_t> resizes_;  ///< by what it asks of itself: for whom
};

}  // namespace troupe
