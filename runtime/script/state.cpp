// SPDX-License-Identifier: Apache-2.0
#include "script/state.hpp"

#include <cassert>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "script/binding.hpp"
#include "script/code_cache.hpp"
#include "script/internals.hpp"
#include "script/traceback.hpp"

namespace troupe::script {

namespace {

/// Idle threads that a state keeps for the next message; more are left to the collector.
constexpr std::size_t max_pooled = 8;

error memory_limit_error(const state& s) {
  error e(errc::limit,
          "memory: the script holds more than " + std::to_string(s.memory_limit()) + " bytes");
  e.data = value::map{{"what", "memory"}};
  return e;
}

/// A raise that nothing protects is a bug of ours: say so before Lua aborts.
int panic(lua_State* L) {
  const char* text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "no text";
  std::fprintf(stderr, "script: a raise outside of protect and resume: %s\n", text);
  return 0;
}

const clock& default_clock() {
  static const system_clock c;
  return c;
}

}  // namespace

// -- memory

void* state::allocate(void* self, void* block, std::size_t old_size, std::size_t size) noexcept {
  auto& s = *static_cast<state*>(self);
  if (block == nullptr) old_size = 0;  // it says the kind of object then
  if (size == 0) {
    s.memory_.free(block, old_size);
    s.used_ -= old_size;
    return nullptr;
  }
  if (size > old_size) {
    // Refused once, Lua collects all garbage and asks again. Then there must be room for more than
    // this: a script at its limit would else do nothing but collect, for seconds and uninterrupted.
    const bool again = std::exchange(s.asks_again_, false);
    const auto most = again ? s.with_.memory - s.with_.memory / 16 : s.with_.memory;
    const auto growth = size - old_size;
    const auto free = s.used_ < most ? most - s.used_ : 0;
    if (growth > free) s.asks_again_ = !again;
    if (growth > free ||
        (s.with_.refuse != nullptr && s.with_.refuse(s.with_.refuse_with, growth))) {
      s.refused_ = true;
      return nullptr;
    }
  }
  // Lua relies on it that shrinking works.
  void* moved =
      block == nullptr ? s.memory_.allocate(size) : s.memory_.resize(block, old_size, size);
  if (moved == nullptr) return nullptr;
  s.used_ += size - old_size;
  return moved;
}

// -- life

result<std::unique_ptr<state>> state::open(const settings& with) {
  std::unique_ptr<state> s(new state(with));
  if (s->with_.time == nullptr) s->with_.time = &default_clock();
  s->main_ = lua_newstate(allocate, s.get());
  if (s->main_ == nullptr) return memory_limit_error(*s);
  internals::word(s->main_) = reinterpret_cast<std::uintptr_t>(s.get());
  lua_atpanic(s->main_, panic);
  // The collector would look for garbage from the first table on. A negative step is a loan.
  constexpr int kib_before_it_begins = 32;
  lua_gc(s->main_, LUA_GCSTEP, -kib_before_it_begins);
  TROUPE_CHECK(s->protect(internals::open_globals, nullptr));
  return s;
}

state::~state() {
  // Runs no script code: no finalizers of scripts, nothing on main_. Where there is no finalizer at
  // all, its memory just goes.
  if (main_ != nullptr && has_finalizers_) lua_close(main_);
}

state& state::of(lua_State* L) noexcept {
  static_assert(alignof(state) >= 8, "three low bits of its address are marks");
  return *reinterpret_cast<state*>(internals::word(L) & ~std::uintptr_t{7});
}

// -- running

/// What runs on this thread, taken over for a while.
struct internals::stage {
  stage(state& s, lua_State* L, lua_State* owned)
      : s(s),
        before(running()),
        innermost(s.innermost_.load(std::memory_order_relaxed)),
        current(s.current_),
        blocked(s.blocked_) {
    s.current_ = owned;
    s.blocked_ = false;
    s.owed_ = false;
    s.raising_ = false;
    s.work_ = 0;
    s.stuck_since_ = never;
    s.stuck_for_ = {};
    s.due_.store(false, std::memory_order_relaxed);
    set_standing_hook(s, L);
    s.innermost_.store(L, std::memory_order_relaxed);
    set_running(&s);
  }
  ~stage() {
    set_running(before);
    s.innermost_.store(innermost, std::memory_order_relaxed);
    s.current_ = current;
    s.blocked_ = blocked;
    s.raising_ = false;
  }
  stage(const stage&) = delete;
  stage& operator=(const stage&) = delete;

  state& s;
  interruptible* before;
  lua_State* innermost;
  lua_State* current;
  bool blocked;
};

ran state::resume(lua_State* co, int nargs, int& nresults) noexcept {
  auto* outer = innermost_.load(std::memory_order_relaxed);
  const internals::stage on(*this, co, co);
  nresults = 0;
  leaving_ = leaving::no;
  int n = 0;
  int status = lua_resume(co, outer, nargs, &n);
  if (status == LUA_OK) {
    nresults = n;
    return ran::done;
  }
  if (status == LUA_YIELD) {
    assert(leaving_ != leaving::no && n == 0);  // our `yield` refuses on the owner's threads
    return std::exchange(leaving_, leaving::no) == leaving::wait ? ran::waiting : ran::preempted;
  }
  failure_.traceback = traceback(co);
  if (raising_)
    internals::mark(co, internals::poisoned);
  else
    status = internals::close_thread(*this, outer, co);
  failure_.limit = internals::limit_of(*this, co, status);
  nresults = 1;
  return ran::failed;
}

error state::failure_error(lua_State* co) const {
  error e;
  if (failure_.limit != nullptr && std::strcmp(failure_.limit, "memory") == 0) {
    e = memory_limit_error(*this);
  } else {
    std::size_t size = 0;
    const char* text = lua_type(co, -1) == LUA_TSTRING ? lua_tolstring(co, -1, &size) : nullptr;
    e = error(failure_.limit != nullptr ? errc::limit : errc::crash,
              text != nullptr ? std::string(text, size)
                              : "raised a " + std::string(luaL_typename(co, -1)) + " value");
    if (failure_.limit != nullptr) e.data = value::map{{"what", failure_.limit}};
  }
  e.traceback = failure_.traceback;
  return e;
}

result<void> state::protect(lua_CFunction f, void* arg) noexcept {
  int status;
  {
    const internals::stage on(*this, main_, nullptr);
    if (lua_checkstack(main_, 2) == 0) return memory_limit_error(*this);
    lua_pushcfunction(main_, f);
    lua_pushlightuserdata(main_, arg);
    status = lua_pcall(main_, 1, 0, 0);
  }
  if (status == LUA_OK) return ok();
  const char* text = lua_tostring(main_, -1);
  auto e = status == LUA_ERRMEM ? memory_limit_error(*this)
                                : error(errc::internal, text != nullptr ? text : "raised");
  lua_pop(main_, 1);
  return e;
}

// -- threads

namespace {

/// Threads are kept alive by the registry, under their own address.
int make_thread(lua_State* L) {
  auto* co = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, co);
  internals::mark(co, internals::owned);
  *static_cast<lua_State**>(lua_touserdata(L, 1)) = co;
  return 0;
}

}  // namespace

lua_State* state::take_thread() noexcept {
  if (!pool_.empty()) {
    auto* co = pool_.back();
    pool_.pop_back();
    return co;
  }
  lua_State* co = nullptr;
  return protect(make_thread, static_cast<void*>(&co)) ? co : nullptr;
}

void state::give_thread(lua_State* co) noexcept {
  lua_Debug frame;
  const bool idle = lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame) == 0;
  if (idle && pool_.size() < max_pooled) {
    lua_settop(co, 0);
    pool_.push_back(co);
    return;
  }
  lua_pushnil(main_);
  lua_rawsetp(main_, LUA_REGISTRYINDEX, co);  // a key that is there: allocates nothing
}

void state::end_thread(lua_State* co) noexcept {
  auto* outer = innermost_.load(std::memory_order_relaxed);
  if (lua_status(co) == LUA_YIELD) {
    const internals::stage on(*this, co, co);
    for (;;) {
      auto* innermost = co;
      while (auto* inside = internals::left_through(innermost))
        innermost = inside;
      internals::close_thread(*this, outer, innermost);
      if (innermost == co) break;
      internals::unmark(innermost, internals::away);
    }
  }
  give_thread(co);
}

std::vector<std::string> state::stack_of(lua_State* co) const {
  std::vector<lua_State*> threads;
  for (auto* at = co; at != nullptr && threads.size() < 10; at = internals::left_through(at))
    threads.push_back(at);
  std::vector<std::string> lines;
  for (auto at = threads.rbegin(); at != threads.rend(); ++at)
    trace(*at, 0, [&](const char* line) { lines.emplace_back(line); });
  return lines;
}

// -- code

namespace {

int append(lua_State*, const void* data, std::size_t size, void* to) noexcept {
  try {
    static_cast<std::string*>(to)->append(static_cast<const char*>(data), size);
    return 0;
  } catch (const std::bad_alloc&) {
    return 1;  // not cached, then
  }
}

/// Without what may stand before the first line of a file: a byte order mark, and a line for the
/// shell. The newline of the latter stays, so that lines are counted right.
std::string_view without_preamble(std::string_view source) {
  if (source.starts_with("\xEF\xBB\xBF")) source.remove_prefix(3);
  if (source.starts_with('#')) {
    const auto end = source.find('\n');
    source.remove_prefix(end == source.npos ? source.size() : end);
  }
  return source;
}

}  // namespace

int internals::compile(state& s, lua_State* to, std::string_view source,
                       const char* chunkname) noexcept {
  auto* cache = s.with_.cache;
  if (cache != nullptr) {
    const auto code = cache->find(chunkname, source);
    if (!code.empty()) return luaL_loadbufferx(to, code.data(), code.size(), chunkname, "b");
  }
  const auto text = without_preamble(source);
  const int status = luaL_loadbufferx(to, text.data(), text.size(), chunkname, "t");
  if (status != LUA_OK || cache == nullptr) return status;
  std::string code;
  if (lua_dump(to, append, &code, 0) == 0) cache->keep(chunkname, source, code);
  return status;
}

result<void> state::load(lua_State* to, std::string_view source, const std::string& chunkname) {
  if (source.starts_with(LUA_SIGNATURE[0]))
    return error(errc::syntax, chunkname.substr(chunkname.starts_with('@') ? 1 : 0) +
                                   ": this is bytecode; only source is loaded");
  const int status = internals::compile(*this, to, source, chunkname.c_str());
  if (status == LUA_OK) return ok();
  std::size_t size = 0;
  const char* text = lua_tolstring(to, -1, &size);
  auto e = status == LUA_ERRMEM ? memory_limit_error(*this)
                                : error(errc::syntax, std::string(text, size));
  lua_pop(to, 1);
  return e;
}

// -- the host

const module* internals::find_module(state& s, std::string_view name) noexcept {
  s.problem_.clear();
  if (s.with_.host == nullptr) {
    s.problem_ = "there are no modules here";
    return nullptr;
  }
  auto found = s.with_.host->find_module(name);
  if (!found) {
    s.problem_ = std::move(found.error().message);
    return nullptr;
  }
  s.found_ = std::move(*found);
  return &s.found_;
}

void internals::print(state& s, std::string_view line) noexcept {
  if (s.with_.host != nullptr) s.with_.host->print(line);
}

}  // namespace troupe::script
