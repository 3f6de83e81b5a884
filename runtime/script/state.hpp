// SPDX-License-Identifier: Apache-2.0
//
// One Lua state for one agent: confined, capped in memory, preemptible. It knows nothing of agents:
// what a script may ask of the runtime are bindings (binding.hpp), which the owner brings along.
//
// Script code runs only inside `resume`, on threads from `take_thread`. A kill is: do not resume
// again, destroy the state; that runs no script code, so nothing in a script can delay it.
#pragma once

#include <lua.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/watchdog.hpp"
#include "base/clock.hpp"
#include "base/result.hpp"
#include "script/arena.hpp"

namespace troupe::script {

class code_cache;

/// How far a script came.
enum class ran : std::uint8_t {
  done,       ///< it returned; its results lie on top of the thread's stack
  waiting,    ///< it stands in a binding's `wait`; resume it with what the binding shall return
  preempted,  ///< it was stopped in the middle of computing; resume it with no arguments
  failed,     ///< it raised and nobody caught it; see `state::failure`
};

/// What `require` found: source text or a function that makes the module.
struct module {
  /// Called with the name; returns the module. Null if there is `source`.
  lua_CFunction open = nullptr;
  std::string source;
  /// As Lua wants it: `@desk/util.lua`.
  std::string chunkname;
};

/// What the owner does for its script. Called in the agent's turn, below Lua frames: it must not
/// throw and must not touch the Lua state.
class host {
 public:
  virtual ~host() = default;
  /// A line from `print`, without the newline; any bytes.
  virtual void print(std::string_view line) noexcept = 0;
  /// What `require(name)` shall load. It is asked once per name; the module is kept in the state.
  virtual result<module> find_module(std::string_view name) noexcept = 0;
};

struct settings {
  /// Bytes that the state may hold; growth beyond it is refused, which raises `limit: memory`.
  std::size_t memory = 64u << 20;
  /// How long code that can't be preempted (a gsub callback, `__tostring`, `__close`, an xpcall
  /// handler, a reader) may go on before `limit: busy` is raised in it.
  duration busy = std::chrono::seconds(1);
  /// 0: preempted by the watchdog's signal, at no cost. Otherwise a hook stands that preempts after
  /// that many instructions, where signals can't serve (simulation, ThreadSanitizer); it halves the
  /// speed. There, that many instructions count as 2 ms towards `busy`.
  int count = 0;
  /// Of `math.random`.
  std::uint64_t seed = 0;
  /// For `busy`; null: the system's. Outlives the state.
  const clock* time = nullptr;
  /// Null: compile each time. Outlives the state.
  code_cache* cache = nullptr;
  /// Null: `print` is dropped and `require` finds nothing. Outlives the state.
  script::host* host = nullptr;
  /// The owner's own, for its bindings: `state::of(L).owner()`.
  void* owner = nullptr;
  /// Makes the value that a limit raises: called with (code, message, what), returns one value.
  /// Null: the value is the string `limit: message`.
  lua_CFunction make_error = nullptr;
  /// For tests: asked before each growth; true refuses it.
  bool (*refuse)(void* with, std::size_t growth) = nullptr;
  void* refuse_with = nullptr;
};

/// Why `resume` returned `failed`. The value that was raised lies on top of the thread's stack.
struct failure {
  /// Which limit ended it (`memory`, `busy`, `pattern`), or null. Static text.
  const char* limit = nullptr;
  /// Where it was raised: one line per frame, innermost first, `agent.lua:27: in field 'say'`.
  std::string traceback;
};

/// Not thread-safe: used by one thread at a time, though not always by the same one.
class state final : public interruptible {
 public:
  /// Fails with limit (data.what = memory) if not even the globals fit.
  static result<std::unique_ptr<state>> open(const settings& with);
  ~state() override;
  state(const state&) = delete;
  state& operator=(const state&) = delete;

  /// The state that this thread belongs to. A few instructions.
  static state& of(lua_State* L) noexcept;

  /// The main thread: for the owner's own data. Scripts never run on it.
  lua_State* lua() const noexcept { return main_; }
  void* owner() const noexcept { return with_.owner; }
  std::size_t memory_used() const noexcept { return used_; }
  std::size_t memory_limit() const noexcept { return with_.memory; }
  std::size_t memory_free() const noexcept {
    return used_ < with_.memory ? with_.memory - used_ : 0;
  }

  /// The runtime keeps that many bytes for the script outside of Lua: they count as its own. False
  /// if it may not hold so much.
  bool hold(std::size_t bytes) noexcept {
    if (bytes > memory_free()) return false;
    used_ += bytes;
    return true;
  }
  void let_go(std::size_t bytes) noexcept { used_ -= bytes; }

  /// A binding has made a value whose finalizer must run when the state ends.
  void need_finalizers() noexcept { has_finalizers_ = true; }

  /// Compiles a chunk, or takes it from the cache, and pushes its function on `to`. Fails with
  /// syntax or limit; then nothing is pushed. Text only.
  result<void> load(lua_State* to, std::string_view source, const std::string& chunkname);

  /// Runs the owner's own work on the main thread where an error of Lua is caught: f gets `arg` as
  /// light userdata at index 1, on an empty stack. Everything of the Lua API that can raise (all
  /// that allocates, on whatever thread) and is not below `resume` belongs in here; elsewhere a
  /// failed allocation aborts the process. Fails with limit or internal.
  result<void> protect(lua_CFunction f, void* arg) noexcept;

  /// A thread with an empty stack: push a function and its arguments, then `resume`. Pooled. Null
  /// if there is no memory for it. Give it back when `resume` returned done or failed and what it
  /// left is taken off; a thread that still waits may be given back too: it is dropped.
  lua_State* take_thread() noexcept;
  void give_thread(lua_State* co) noexcept;
  /// Ends what waits or was preempted on `co` and gives it back: the to-be-closed variables of the
  /// script are closed, those of its own coroutines that it waits in first. They can't wait, and
  /// `busy` bounds each. What a `__close` raises is dropped.
  void end_thread(lua_State* co) noexcept;

  /// Starts or continues a script: `nargs` values on top of `co`, below them the function if it is
  /// started. While it runs, the watchdog may interrupt it. `nresults` is set for `done`; in the
  /// other cases it is 0 (`failed`: 1, the value that was raised).
  ///
  /// Coroutines of the script's own are passed through: if something in them waits or is
  /// preempted, all of `co` waits or is preempted, and resuming `co` continues in them.
  ran resume(lua_State* co, int nargs, int& nresults) noexcept;

  /// Of the last `resume` that failed.
  const script::failure& failure() const noexcept { return failure_; }
  /// The same as an error record: code `limit` with data.what, or `crash` with the raised text
  /// (or its type, if it is no text) as the message; with the traceback. `co` as `resume` left it.
  error failure_error(lua_State* co) const;

  /// Where a thread that waits or was preempted stands, innermost first, through the coroutines of
  /// the script's own in which it does.
  std::vector<std::string> stack_of(lua_State* co) const;

  /// The thread that the owner resumed and that runs now, or null. In a binding it says who asks.
  lua_State* current() const noexcept { return current_; }

  /// A signal handler calls this.
  void interrupt() noexcept override;

 private:
  friend struct internals;  // the rest of this folder's lower half: internals.hpp
  explicit state(const settings& with) : with_(with) {}

  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t size) noexcept;

  /// What a script is leaving its coroutines for, all the way out to the owner.
  enum class leaving : std::uint8_t { no, wait, pause };

  settings with_;
  arena memory_;
  lua_State* main_ = nullptr;
  std::size_t used_ = 0;
  bool has_finalizers_ = false;
  bool refused_ = false;     // growth was refused at least once
  bool asks_again_ = false;  // growth was refused just now
  script::failure failure_;
  std::vector<lua_State*> pool_;

  lua_State* current_ = nullptr;
  leaving leaving_ = leaving::no;
  bool blocked_ = false;  // a coroutine further out can't yield, so nothing can leave
  bool owed_ = false;     // an interrupt came where nothing could pause
  bool raising_ = false;  // `busy` is over: raise at each step until the script can pause
  int closing_ = 0;       // coroutines being closed inside each other
  int work_ = 0;          // steps of C functions since the last pause, where a count hook stands
  const char* limit_ = nullptr;  // what the value that was raised last for a limit said
  instant stuck_since_ = never;  // first interrupt that could not pause
  duration stuck_for_{};         // the same where a count hook stands

  bool lazy_ = true;  // globals that were not used yet are missing from the table
  const void* globals_ = nullptr;
  module found_;         // by `require`; kept here because raising skips destructors
  std::string problem_;  // the same, when it found nothing

  // Read in the signal handler.
  std::atomic<lua_State*> innermost_{nullptr};  // the Lua thread that runs now, however deep
  std::atomic<bool> due_{false};                // it shall pause
};

}  // namespace troupe::script
