// SPDX-License-Identifier: Apache-2.0
//
// How a Lua agent answers the runtime's verbs: what it holds, another state, other code.
#include "agent/control.hpp"

#include <algorithm>

#include "agent/answers.hpp"
#include "base/msgpack.hpp"
#include "base/utf8.hpp"
#include "script/agent_table.hpp"
#include "script/declaration.hpp"
#include "script/entry.hpp"
#include "script/errors.hpp"
#include "script/lua_agent.hpp"

namespace troupe::script {

namespace {

// What an inspection shows at most.
constexpr std::size_t most_coroutines = 50;
constexpr int most_values = 400;
constexpr int most_members = 20;
constexpr int deepest = 4;
constexpr std::size_t longest_text = 120;

std::string_view text_at(lua_State* l, int index) {
  std::size_t n = 0;
  const char* text = lua_tolstring(l, index, &n);
  return {text, n};
}

/// What a value looks like, cut to size. Runs no script code and nothing that could raise.
value summary(lua_State* l, int index, int depth, int& left) noexcept {
  --left;
  switch (lua_type(l, index)) {
    case LUA_TNIL:
      return nullptr;
    case LUA_TBOOLEAN:
      return lua_toboolean(l, index) != 0;
    case LUA_TNUMBER:
      if (lua_isinteger(l, index)) return static_cast<std::int64_t>(lua_tointeger(l, index));
      return lua_tonumber(l, index);
    case LUA_TSTRING: {
      const auto text = text_at(l, index);
      std::string shown(utf8_prefix(text, longest_text));
      if (shown.size() < text.size()) shown += "... (" + std::to_string(text.size()) + " bytes)";
      return shown;
    }
    case LUA_TTABLE:
      break;
    default:
      if (const auto* a = to_address(l, index)) return to_value(*a);
      return "(" + std::string(lua_typename(l, lua_type(l, index))) + ")";
  }
  if (depth == 0 || left <= 0 || lua_checkstack(l, 4) == 0) return "{...}";
  index = lua_absindex(l, index);
  value shown = value::map{};
  std::int64_t more = 0;
  lua_pushnil(l);
  for (int members = 0; lua_next(l, index) != 0; lua_pop(l, 1)) {
    if (members == most_members || left <= 0) {
      ++more;
      continue;
    }
    ++members;
    const int type = lua_type(l, -2);
    value key;
    if (type == LUA_TSTRING)
      key = utf8_prefix(text_at(l, -2), longest_text);
    else if (type == LUA_TNUMBER && lua_isinteger(l, -2) != 0)
      key = static_cast<std::int64_t>(lua_tointeger(l, -2));
    else
      key = "(" + std::string(lua_typename(l, type)) + ")";
    shown.set(std::move(key), summary(l, -1, depth - 1, left));
  }
  if (more > 0) shown.set("...", std::to_string(more) + " more");
  return shown;
}

int show_state(lua_State* l) {
  auto& to = *static_cast<value*>(lua_touserdata(l, 1));
  push_state(l);
  int left = most_values;
  to = summary(l, -1, deepest, left);
  return 0;
}

struct packing {
  body_codec& codec;
  result<bytes> packed = bytes();
};

int pack_state(lua_State* l) {
  auto& to = *static_cast<packing*>(lua_touserdata(l, 1));
  push_state(l);
  to.packed = to.codec.pack(l, -1);
  return 0;
}

struct unpacking {
  body_codec& codec;
  std::string_view args;
  std::optional<error> failed;
};

void refuse_state(unpacking& from, error why) noexcept {
  from.failed = std::move(why);
}

int put_state(lua_State* l) {
  auto& from = *static_cast<unpacking*>(lua_touserdata(l, 1));
  lua_settop(l, 0);
  const int n = from.codec.unpack_list(l, from.args);
  if (n < 0)
    refuse_state(from, from.codec.why());
  else if (n != 1 || !lua_istable(l, 1))
    refuse_state(from, {errc::bad_argument, "a state is a table"});
  else
    set_state(l, 1);
  return 0;
}

}  // namespace

progress lua_agent::control(context& ctx, envelope_ptr request) {
  ctx_ = &ctx;
  const auto& e = *request;
  if (e.verb == suspend_verb || e.verb == resume_verb) {
    answer(ctx, e.cause, true);
  } else if (e.verb == inspect_verb) {
    answer(ctx, e.cause, wants_whole(e) ? inspect_whole() : inspect());
  } else if (e.verb == state_verb) {
    packing to{codec_};
    auto done = state_->protect(pack_state, &to);
    if (done && to.packed) {
      ctx.reply(e.cause, std::move(*to.packed));
      ctx.done(e.cause);
    } else {
      auto why = done ? to.packed.error() : done.error();
      why.message = "self.state: " + why.message;
      refuse(ctx, e.cause, why);
    }
  } else if (e.verb == replace_state_verb && computing_ == 0) {
    replace_state(e);
  } else {
    pending_.push(std::move(request));
    if (computing_ == 0) return progress::preempted;
  }
  return progress::idle;
}

void lua_agent::replace_state(const envelope& m) {
  if (!fits(m)) return refuse(*ctx_, m.cause, does_not_fit(m, "the state"));
  unpacking from{codec_, m.body.view(), {}};
  if (auto done = state_->protect(put_state, &from); !done)
    return refuse(*ctx_, m.cause, done.error());
  if (from.failed) return refuse(*ctx_, m.cause, *from.failed);
  answer(*ctx_, m.cause, true);
}

/// What had to wait until nothing stands in the middle of computing.
void lua_agent::take_pending() {
  while (!pending_.empty() && computing_ == 0 && upgrade_.on == nullptr) {
    auto m = pending_.pop();
    if (m->deadline <= ctx_->now())
      ctx_->done(m->cause);  // its caller is told already
    else if (m->verb == replace_state_verb)
      replace_state(*m);
    else
      start_upgrade(std::move(m));
  }
}

// -- what it holds --------------------------------------------------------------------------------

value lua_agent::inspect_whole() {
  value v = inspect();
  if (!state_ || !started_) return v;
  value shown;
  if (state_->protect(show_state, &shown)) v.set("state", std::move(shown));
  value::array coroutines;
  for (const auto& t : tasks_) {
    if (t->co == nullptr) continue;
    if (coroutines.size() == most_coroutines) break;
    coroutines.push_back(inspect_task(*t));
  }
  v.set("coroutines", std::move(coroutines));
  return v;
}

value lua_agent::inspect_task(const task& t) const {
  value v;
  if (t.on != nullptr) {
    const auto& m = *t.on->message;
    v.set("kind", to_string(m.kind));
    if (!m.verb.empty()) v.set("verb", m.verb);
    if (!t.is_root) v.set("beside", true);
  } else {
    v.set("kind", "background");
  }
  v.set("state", t.preempted ? "computes" : t.queued ? "ready" : "waits");
  value::array stack;
  for (auto& line : state_->stack_of(t.co))
    stack.emplace_back(std::move(line));
  v.set("stack", std::move(stack));
  return v;
}

// -- other code -----------------------------------------------------------------------------------

void lua_agent::start_upgrade(envelope_ptr m) {
  const auto cause = m->cause;
  auto read = read_program(with_.script->file, with_.script->folder);
  if (!read) return refuse(*ctx_, cause, read.error());
  auto options = pack(with_.options, with_.bodies);
  if (!options) return refuse(*ctx_, cause, options.error());
  auto* on = make_serving(std::move(m));
  auto* t = make_task(on);
  if (t == nullptr) {
    free_serving(*on);
    return refuse(*ctx_, cause, memory_limit("a coroutine"));
  }
  t->is_root = true;
  lua_pushcfunction(t->co, entry::upgrade);
  if (auto loaded = state_->load(t->co, (*read)->source, "@" + (*read)->file); !loaded) {
    lua_settop(t->co, 0);
    state_->give_thread(t->co);
    ctx_->fail(cause, loaded.error());
    return finish(*t);
  }
  t->arguments = 1;
  options_ = std::move(*options);
  upgrade_ = {on, std::move(*read), false};
  loading_ = true;
  make_ready(*t);
}

bool lua_agent::needs_are_covered(lua_State* l, int index) {
  auto all = codec_.to_value(l, index);
  if (!all) {
    keep(all.error());
    return false;
  }
  auto needs =
      needs_from(all->is_nil() ? value(value::map{}) : std::move(*all), with_.script->folder);
  std::string missing;
  if (!needs) {
    keep(needs.error());
  } else if (const auto& rights = ctx_->own_authority();
             rights && !rights->grants.covers(needs->must, &missing)) {
    keep({errc::denied, name() + " was started without " + missing +
                            ", which its new code needs: start it anew"});
  } else {
    return true;
  }
  return false;
}

bool lua_agent::copy_state(lua_State* l, int index) {
  auto packed = codec_.pack(l, index);
  if (!packed) {
    packed.error().message = "self.state: " + packed.error().message;
    keep(packed.error());
    return false;
  }
  state_copy_ = std::move(*packed);
  return true;
}

void lua_agent::confirm_upgrade(lua_State* l, int concurrent, bool traps_exits, lua_Integer from,
                                lua_Integer version) noexcept {
  upgrade_.is_done = true;
  with_.script = upgrade_.script;
  overlap_ = to_concurrency(l, concurrent);
  ctx_->trap_exits(traps_exits);
  value said;
  value::array verbs;
  for (const auto& verb : overlap_.overlapping)
    verbs.emplace_back(verb);
  said.set("version", std::int64_t{version})
      .set("from", std::int64_t{from})
      .set("slots", overlap_.slots);
  said.set("overlapping", std::move(verbs));
  ctx_->reply(upgrade_.on->message->cause, *pack(said));
}

void lua_agent::refuse_upgrade(lua_State* l, int index) {
  ctx_->fail(upgrade_.on->message->cause, to_error(l, index, codec_));
}

/// Its caller has given up: all that it does ends, also in the middle of computing.
void lua_agent::end_late_upgrade() {
  if (upgrade_.is_done || upgrade_.on->message->deadline > ctx_->now()) return;
  for (auto& t : tasks_)
    if (t->co != nullptr && t->on == upgrade_.on && !t->dying) end_task(*t);
}

/// Its task is over, in whatever way.
void lua_agent::end_upgrade() {
  const bool is_done = upgrade_.is_done;
  upgrade_ = {};
  loading_ = false;
  options_ = {};
  state_copy_ = {};
  const auto undone = state_->protect(is_done ? entry::forget_old : entry::take_old_back, nullptr);
  if (!undone) exit(undone.error());
}

}  // namespace troupe::script
