// SPDX-License-Identifier: Apache-2.0
//
// What comes in and what goes out: from envelopes to tasks, and from what scripts ask to the
// context.
#include "script/lua_agent.hpp"

#include <algorithm>

#include "base/msgpack.hpp"
#include "script/agent_table.hpp"
#include "script/entry.hpp"
#include "script/errors.hpp"

namespace troupe::script {

lua_agent::lua_agent(lua_settings with) : with_(std::move(with)), codec_(with_.bodies) {}

lua_agent::~lua_agent() {
  ctx_ = nullptr;  // finalizers of handles find nobody to tell
  state_.reset();
}

// -- messages -------------------------------------------------------------------------------------

progress lua_agent::receive(context& ctx, envelope_ptr m) {
  ctx_ = &ctx;
  switch (m->kind) {
    case kind::send:
    case kind::call:
      serve(std::move(m), entry::message);
      break;
    case kind::reply:
    case kind::error:
    case kind::part:
      on_answer(std::move(m));
      break;
    case kind::credit:
      on_credit(m->cause);
      break;
    case kind::cancel:
      on_cancel(m->cause);
      break;
    case kind::start:
      start(std::move(m));
      break;
    case kind::stop:
      on_stop(std::move(m));
      break;
    case kind::timer:
      on_timer(std::move(m));
      break;
    case kind::down:
      serve(std::move(m), entry::down);
      break;
    case kind::exit:
      serve(std::move(m), entry::exit);
      break;
    default:
      break;  // events: scripts have no outlet
  }
  return run_ready();
}

progress lua_agent::resume(context& ctx) {
  ctx_ = &ctx;
  return run_ready();
}

void lua_agent::serve(envelope_ptr m, lua_CFunction f) {
  const auto cause = m->cause;
  if (!fits(*m)) {
    // What the runtime tells its own agent can't be left out: without memory for it, it ends.
    if (m->kind == kind::stop || m->kind == kind::timer)
      return exit(memory_limit("what the runtime has to tell"));
    const auto why = does_not_fit(*m, m->verb);
    ctx_->fail(cause, why);
    if (m->kind != kind::call)
      ctx_->log(log_level::warning, "a message was dropped", {{"reason", why.describe()}});
    return ctx_->done(cause);
  }
  auto* on = make_serving(std::move(m));
  auto* t = make_task(on);
  if (t == nullptr) {
    free_serving(*on);
    return exit(memory_limit("a coroutine"));
  }
  t->is_root = true;
  lua_pushcfunction(t->co, f);
  make_ready(*t);
}

void lua_agent::on_stop(envelope_ptr m) {
  for (auto& t : tasks_)
    if (t->co != nullptr) end_task(*t);
  while (!timers_.empty())
    forget_timer(timers_.begin());
  serve(std::move(m), entry::stop);
}

void lua_agent::on_timer(envelope_ptr m) {
  const auto at = timers_.find(m->id);
  if (at == timers_.end()) return ctx_->done(m->cause);
  if (at->second.when && ctx_->wall() < at->second.due_at) {
    await_cron(m->id, at->second);
    return ctx_->done(m->cause);
  }
  serve(std::move(m), entry::timer);
}

// -- start ----------------------------------------------------------------------------------------

namespace {

/// Runs on the main thread, where errors of Lua are caught.
int set_up(lua_State* l) {
  open_null(l);
  return 0;
}

}  // namespace

result<void> lua_agent::open() {
  settings s;
  s.memory = with_.memory;
  s.busy = with_.busy;
  s.count = with_.shared->count;
  s.time = with_.shared->time;
  s.cache = with_.shared->cache;
  s.seed = ctx_ != nullptr ? ctx_->random() : 0;
  s.host = this;
  s.owner = this;
  s.make_error = make_limit_error;
  s.refuse = with_.refuse;
  s.refuse_with = with_.refuse_with;
  TROUPE_TRY(made, state::open(s));
  state_ = std::move(made);
  return state_->protect(set_up, nullptr);
}

void lua_agent::start(envelope_ptr m) {
  auto* on = make_serving(std::move(m));
  start_ = on->message->cause;
  auto options = pack(with_.options, with_.bodies);
  if (!options) return refuse_start(options.error());
  options_ = std::move(*options);
  if (auto opened = open(); !opened) return refuse_start(opened.error());
  auto* t = make_task(on);
  if (t == nullptr) return refuse_start(memory_limit("a coroutine"));
  t->is_root = true;
  lua_pushcfunction(t->co, entry::start);
  if (auto loaded = state_->load(t->co, with_.script->source, "@" + with_.script->file); !loaded)
    return refuse_start(loaded.error());
  t->arguments = 1;
  loading_ = true;
  make_ready(*t);
}

bool lua_agent::push_given_options(lua_State* l) {
  if (codec_.unpack(l, options_.view())) return true;
  keep(codec_.why());
  return false;
}

void lua_agent::loaded(lua_State* l, int concurrent, bool traps_exits) {
  loading_ = false;
  options_ = {};
  overlap_ = to_concurrency(l, concurrent);
  if (traps_exits) ctx_->trap_exits(true);
}

void lua_agent::confirm_start(lua_State* l, int index) {
  auto body = codec_.pack(l, index);
  if (!body) {
    body.error().message = "what on_start returns: " + body.error().message;
    return refuse_start(body.error());
  }
  started_ = true;
  ctx_->reply(start_, std::move(*body));
}

void lua_agent::offer_tool(lua_State* l, int index) {
  auto args = codec_.pack_list(l, index, index);
  if (!args) {
    ctx_->log(log_level::warning, "a verb is not offered as a tool",
              {{"reason", args.error().describe()}});
    return;
  }
  ctx_->call(no_cause, take_slot({}), std::string("tool"), "register", std::move(*args));
}

void lua_agent::refuse_start(lua_State* l, int index) {
  refuse_start(to_error(l, index, codec_));
}

void lua_agent::refuse_start(const error& why) {
  exiting_ = true;
  ctx_->fail(start_, why);
}

const std::string& lua_agent::name() const {
  return ctx_->path().empty() ? with_.script->file : ctx_->path();
}

result<value> lua_agent::declare(int slices) {
  TROUPE_CHECK(open());
  auto* t = make_task(nullptr);
  if (t == nullptr) return memory_limit("a coroutine");
  lua_pushcfunction(t->co, entry::declare);
  TROUPE_CHECK(state_->load(t->co, with_.script->source, "@" + with_.script->file));
  loading_ = true;
  current_ = t;
  auto how = ran::preempted;
  int results = 0;
  for (int arguments = 1; how == ran::preempted; arguments = 0) {
    if (slices-- == 0) {
      error why(errc::limit, with_.script->file + ": loading it takes too long");
      why.data.set("what", "time");
      return why;
    }
    how = state_->resume(t->co, arguments, results);
  }
  current_ = nullptr;
  if (how == ran::done) return codec_.to_value(t->co, -1);
  return failure_of(*state_, t->co, codec_);
}

value lua_agent::inspect() const {
  value v;
  std::int64_t running = 0;
  for (const auto& t : tasks_)
    if (t->co != nullptr) ++running;
  v.set("script", with_.script->file);
  if (!modules_.empty()) {
    value::array modules;
    for (const auto& file : modules_)
      modules.emplace_back(file);
    v.set("modules", std::move(modules));
  }
  v.set("memory", static_cast<std::int64_t>(state_ ? state_->memory_used() : 0));
  v.set("memory_limit", static_cast<std::int64_t>(with_.memory));
  v.set("tasks", running);
  v.set("timers", static_cast<std::int64_t>(timers_.size()));
  v.set("streams", static_cast<std::int64_t>(streams_.size()));
  return v;
}

// -- memory ---------------------------------------------------------------------------------------

error lua_agent::memory_limit(std::string_view what_for) const {
  error why(errc::limit, "no memory for " + std::string(what_for));
  why.data.set("what", "memory");
  return why;
}

/// True if the body can be unpacked in what memory is free: it must not kill its receiver.
bool lua_agent::fits(const envelope& m) {
  const auto size = m.body.size();
  if (body_codec::most_room_for(size) <= state_->memory_free()) return true;
  const auto room = codec_.room_for(m.body.view());
  if (room <= state_->memory_free()) return true;
  const auto collect = [](lua_State* l) {
    lua_gc(l, LUA_GCCOLLECT);
    return 0;
  };
  return state_->protect(collect, nullptr) && room <= state_->memory_free();
}

error lua_agent::does_not_fit(const envelope& m, std::string_view what) const {
  return {errc::too_big, std::string(what) + ": a body of " + std::to_string(m.body.size()) +
                             " bytes does not fit into the " +
                             std::to_string(state_->memory_free()) + " bytes of memory left of " +
                             std::to_string(with_.memory)};
}

// -- for bindings ---------------------------------------------------------------------------------

context& lua_agent::ctx(lua_State* l, const char* binding) {
  if (loading_) luaL_error(l, "%s can't be used while the file loads: use agent.on_start", binding);
  return *ctx_;
}

void lua_agent::keep(const error& why) {
  kept_ = pack_error(why);
}

int lua_agent::raise(lua_State* l) {
  push_failure(l);
  return lua_error(l);
}

int lua_agent::push_failure(lua_State* l) {
  luaL_checkstack(l, 8, "error record");
  lua_pushnil(l);
  if (!codec_.unpack(l, kept_.view())) lua_pushliteral(l, "an error that can't be read");
  dress_error(l, -1);
  return 2;
}

bool lua_agent::pack_arguments(lua_State* l, int first, int last, bytes& to) {
  auto packed = codec_.pack_list(l, first, last);
  if (!packed) {
    keep(packed.error());
    return false;
  }
  to = std::move(*packed);
  return true;
}

void lua_agent::reply(lua_State* l, cause_id to, int index) {
  auto body = codec_.pack(l, index);
  if (body) return ctx_->reply(to, std::move(*body));
  body.error().message = "the reply: " + body.error().message;
  ctx_->fail(to, body.error());
}

void lua_agent::fail(lua_State* l, cause_id to, int index) {
  ctx_->fail(to, to_error(l, index, codec_));
}

void lua_agent::refuse_message(const error& why) {
  const auto* on = current_->on;
  if (on->message->kind == kind::call) return ctx_->fail(on->message->cause, why);
  ctx_->log(log_level::warning, "a message was dropped", {{"reason", why.describe()}});
}

lua_agent::part_result lua_agent::send_part() {
  const auto* on = current_->on;
  // Who asks for parts gives credit with the call.
  if (on == nullptr || on->message->credit == 0) return part_result::no_reader;
  auto sent = ctx_->part(on->message->cause, current_->unsent);
  if (sent) return part_result::sent;
  if (sent.error().is(errc::no_credit)) return part_result::no_credit;
  if (sent.error().is(errc::not_found)) return part_result::no_reader;
  if (sent.error().is(errc::cancelled))
    return on->detached ? part_result::no_reader : part_result::taken_back;
  keep(sent.error());
  return part_result::refused;
}

}  // namespace troupe::script
