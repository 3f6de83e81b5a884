// SPDX-License-Identifier: Apache-2.0
//
// The inside of a Lua agent: its state, its tasks and what they wait for. Bindings reach it with
// `lua_agent::of(L)`. Nothing here is seen outside script/.
//
// A task is a coroutine that serves a message, or that a script started beside one. It runs until
// it waits; what it waits for comes as an envelope with the id of a wait, and its binding goes on
// where it stood. Functions marked [lua] may raise and are called by bindings; all others touch
// Lua, if at all, in ways that can't raise.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/behaviour.hpp"
#include "agent/context.hpp"
#include "agent/message_queue.hpp"
#include "script/binding.hpp"
#include "script/body.hpp"
#include "script/cron.hpp"
#include "script/lua_behaviour.hpp"
#include "script/state.hpp"

namespace troupe::script {

/// A message that is being served.
struct serving {
  envelope_ptr message;
  bool detached = false;     ///< goes on when its caller is gone
  bool deferred = false;     ///< answered by a handle, not by what the handler returns
  std::uint32_t beside = 0;  ///< tasks under it, the root aside
};

struct task {
  lua_State* co = nullptr;  ///< null: free
  serving* on = nullptr;    ///< null: background work
  task* next = nullptr;     ///< in the queue of those that can run
  std::uint32_t index = 0;
  std::uint32_t generation = 0;
  call_id waits_for = 0;     ///< the answer that ends its wait, if it is one
  envelope_ptr answer;       ///< what came
  bytes unsent;              ///< the part that waits for credit
  instant deadline = never;  ///< of `async.timeout` around it
  int arguments = 0;         ///< values on top of `co` for its next run
  bool is_root = false;      ///< serves `on` itself
  bool queued = false;
  bool fresh = false;      ///< has not run yet
  bool preempted = false;  ///< stopped while computing, not at a wait
  bool parked = false;     ///< waits to be woken by another task
  bool woken = false;      ///< will not park: it was woken before
  bool wants_credit = false;
  bool dying = false;  ///< ends at its next wait

  /// For handles; a generation is never used twice at an index.
  std::uint64_t id() const { return std::uint64_t{generation} << 32 | index; }
};

/// The caller's end of a call in parts.
struct stream {
  call_id call = 0;
  std::deque<envelope_ptr> parts;  ///< bounded by the credit that was granted
  envelope_ptr answer;
  std::uint32_t read = 0;  ///< since credit was granted last
  task* reader = nullptr;  ///< waits for what comes next
};

struct lua_timer {
  /// What it takes of the script's memory, with its places in the tables of the process.
  std::size_t weight() const { return 3 * sizeof(lua_timer) + verb.capacity() + args.size(); }

  std::string verb;
  bytes args;
  duration period{};  ///< zero: once
  double jitter = 0;  ///< part of the period that is added at most, at random
  instant due;
  std::optional<cron> when = std::nullopt;  ///< instead of a period
  wall_time due_at = {};                    ///< of `when`
};

class lua_agent final : public host {
 public:
  explicit lua_agent(lua_settings with);
  ~lua_agent() override;

  static lua_agent& of(lua_State* l) { return *static_cast<lua_agent*>(state::of(l).owner()); }

  progress receive(context& ctx, envelope_ptr m);
  progress resume(context& ctx);
  concurrency overlap() const { return overlap_; }
  value inspect() const;
  /// A verb of the runtime (agent/control.hpp).
  progress control(context& ctx, envelope_ptr request);

  /// Loads the script without starting it, and hands out what it says of itself (declaration.hpp).
  /// Gives up after so many preemptions.
  result<value> declare(int slices);

  // -- host
  void print(std::string_view line) noexcept override;
  result<module> find_module(std::string_view name) noexcept override;

  // -- what bindings use

  /// [lua] The context; raises while the file loads.
  context& ctx(lua_State* l, const char* binding);
  /// The context also while the file loads; null where nobody runs it as an agent.
  context* ctx_or_null() { return ctx_; }
  task& current() { return *current_; }
  /// Under which calls of the current task are made.
  cause_id cause() const;
  body_codec& codec() { return codec_; }
  /// True if the current task has to end at this wait: then `return wait(l)` at once.
  bool must_end() const { return current_->dying; }

  /// Keeps an error for `raise` or `push_failure`, from C++ that may not touch Lua.
  void keep(const error& why);
  /// [lua] Raises what was kept.
  int raise(lua_State* l);
  /// [lua] Pushes nil and what was kept; 2.
  int push_failure(lua_State* l);
  /// Text that outlives the frame that made it.
  std::string text;

  /// A new id whose answer ends the wait of the current task. The binding asks the context for
  /// something under that id, and then waits.
  call_id new_wait();
  std::uint64_t new_id() { return ++last_id_; }
  /// How long a call of the current task may take.
  duration time_left(const context& ctx) const;
  /// Packs l's first..last as arguments. False: kept.
  bool pack_arguments(lua_State* l, int first, int last, bytes& to);

  // Tasks beside the current one.
  task* find_task(std::uint64_t id);
  /// A task for the function and arguments on top of `l`, which it takes. Null: kept.
  task* start_beside(lua_State* l, int arguments, duration limit);
  /// Ends a task at the wait it stands in, soon, or at its next one.
  void end_task(task& t);
  /// Ends its `park`, or else its next one.
  void wake(task& t);

  // Answers of the message that the current task serves.
  enum class part_result : std::uint8_t { sent, no_reader, no_credit, taken_back, refused };
  part_result send_part();
  void reply(lua_State* l, cause_id to, int index);
  void fail(lua_State* l, cause_id to, int index);
  /// The message that the current task serves can't be handled.
  void refuse_message(const error& why);

  /// Ends the agent; runs no more of its code.
  void exit(error reason);

  // Streams and timers, by the id in their handle.
  stream* find_stream(std::uint64_t id);
  /// 0 if the script may not hold so much.
  std::uint64_t open_stream(const target& to, std::string_view verb, bytes args);
  void close_stream(std::uint64_t id);
  /// True if there is nothing to take yet: the current task is woken when there is.
  bool has_to_wait(stream& s);
  /// Makes the next part the current task's answer; false if no more will come.
  bool take_part(stream& s);
  /// 0 if the script may not hold so much.
  timer_id set_timer(lua_timer t, duration first);
  /// The same for one that has `when`.
  timer_id set_cron(lua_timer t);
  const lua_timer* find_timer(timer_id id) const;
  bool cancel_timer(timer_id id);
  /// [lua] True if there is an agent.own.VERB for the name at `index`.
  bool has_own_verb(lua_State* l, int index);

  // -- what entry.cpp uses
  const char* file() const { return with_.script->file.c_str(); }
  const std::string& name() const;
  const address& own_address() const { return ctx_->self(); }
  /// [lua] Pushes the options that the spec gives. False: kept.
  bool push_given_options(lua_State* l);
  /// The file is loaded; `concurrent` is at that index.
  void loaded(lua_State* l, int concurrent, bool traps_exits);
  void confirm_start(lua_State* l, int index);
  /// Registers { name, description, params, verb } at `index` with the node's tools. Nobody waits
  /// for the answer; a refusal is logged.
  void offer_tool(lua_State* l, int index);
  void refuse_start(lua_State* l, int index);

  // Of an upgrade.
  void file_is_loaded() { loading_ = false; }
  /// on_upgrade said no, for the reason at that index.
  void refuse_upgrade(lua_State* l, int index);
  /// The new file's needs are at that index. False: kept.
  bool needs_are_covered(lua_State* l, int index);
  /// Keeps what is at that index, for `unpack_state`. False: kept why not.
  bool copy_state(lua_State* l, int index);
  bool unpack_state(lua_State* l) { return codec_.unpack(l, state_copy_.view()); }
  void confirm_upgrade(lua_State* l, int concurrent, bool traps_exits, lua_Integer from,
                       lua_Integer version) noexcept;

 private:
  /// Code that is being swapped. Meanwhile no task runs but those of the swap itself.
  struct upgrade {
    serving* on = nullptr;  ///< null: none goes on
    program_ptr script;
    bool is_done = false;
  };

  struct wait_slot {
    call_id id = 0;
    task* who = nullptr;     ///< null, and no stream: nobody waits, an error is logged
    std::uint64_t into = 0;  ///< a stream
  };

  // -- modules.cpp
  void note_module(const program& read);

  // -- lua_agent.cpp
  result<void> open();
  void start(envelope_ptr m);
  void serve(envelope_ptr m, lua_CFunction f);
  void on_answer(envelope_ptr m);
  void on_cancel(cause_id cause);
  void on_credit(cause_id cause);
  void on_stop(envelope_ptr m);
  void on_timer(envelope_ptr m);
  void on_stream(std::uint64_t id, envelope_ptr m);
  void refuse_start(const error& why);
  void rearm(timer_id id);
  void forget_timer(std::unordered_map<timer_id, lua_timer>::iterator at);
  void await_cron(timer_id id, lua_timer& t);
  bool fits(const envelope& m);
  error does_not_fit(const envelope& m, std::string_view what) const;
  error memory_limit(std::string_view what_for) const;

  // -- control.cpp
  value inspect_whole();
  value inspect_task(const task& t) const;
  void replace_state(const envelope& m);
  void take_pending();
  void start_upgrade(envelope_ptr m);
  void end_late_upgrade();
  void end_upgrade();

  // -- tasks.cpp
  task* next_ready();
  task* make_task(serving* on);
  progress run_ready();
  bool step(task& t);
  void finish(task& t);
  void drop(task& t);
  void free_task(task& t);
  void crash(task& t);
  void fail_upgrade(task& t, const error& why);
  void make_ready(task& t);
  void forget_wait(task& t);
  call_id take_slot(wait_slot s);
  wait_slot* find_slot(call_id id);
  void free_slot(call_id id);
  serving* make_serving(envelope_ptr m);
  void free_serving(serving& s);

  lua_settings with_;
  body_codec codec_;
  std::unique_ptr<state> state_;
  context* ctx_ = nullptr;
  bool loading_ = false;
  bool started_ = false;
  bool exiting_ = false;
  cause_id start_ = no_cause;
  bytes options_;
  bytes kept_;  ///< an error
  concurrency overlap_;
  std::vector<std::string> modules_;  ///< the files that it has required so far

  std::vector<std::unique_ptr<task>> tasks_;
  std::vector<task*> free_tasks_;
  task* first_ready_ = nullptr;
  task* last_ready_ = nullptr;
  task* current_ = nullptr;
  std::uint32_t computing_ = 0;  ///< tasks that were preempted
  message_queue pending_;        ///< control verbs that wait until none is
  upgrade upgrade_;
  bytes state_copy_;
  std::vector<serving*> free_servings_;
  std::vector<std::unique_ptr<serving>> servings_;
  std::vector<wait_slot> slots_;
  std::vector<std::uint32_t> free_slots_;
  std::uint64_t last_id_ = 0;
  std::unordered_map<std::uint64_t, stream> streams_;
  std::unordered_map<timer_id, lua_timer> timers_;
};

}  // namespace troupe::script
