// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/tool.hpp"

#include <algorithm>
#include <charconv>

#include "actors/tool/api.hpp"
#include "actors/tool/plugin_runner.hpp"
#include "agent/child_spec.hpp"
#include "base/msgpack.hpp"
#include "base/nearest.hpp"
#include "http/outlet_events.hpp"

namespace troupe {

namespace {

std::string caller_of(const envelope& e) {
  return e.sender && !e.sender->path.empty() ? e.sender->path : e.from.to_string();
}

std::string in_seconds(duration d) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, to_seconds(d)).ptr) + " s";
}

bool may_use(const envelope& e, std::string_view tool) {
  return e.sender && e.sender->grants.allows("tools", tool);
}

const value& argument(const value& args, std::size_t i) {
  static const value nil;
  const auto& list = args.as_array();
  return i < list.size() ? list[i] : nil;
}

}  // namespace

tools::tools(tool_settings settings, http_client& client, tool_source& plugins, starter& starts)
    : settings_(std::move(settings)),
      client_(client),
      plugins_(plugins),
      starts_(starts),
      registry_(plugins) {
  if (!settings_.has_network) return;
  for (auto& info : http_tools())
    registry_.add_builtin(std::move(info));
}

tools::~tools() {
  for (const auto& [request, on] : by_request_)
    client_.cancel(request);
}

progress tools::receive(context& ctx, envelope_ptr e) {
  const auto on = e->cause;
  switch (e->kind) {
    case kind::start:
      outlet_ = ctx.make_outlet();
      refresh(ctx);
      ctx.reply(on, *pack(nullptr));
      ctx.done(on);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    case kind::call:
    case kind::send:
      on_call(ctx, *e);
      break;
    case kind::event:
      on_http(ctx, *e);
      ctx.done(on);
      break;
    case kind::part:
      // The caller's credit was handed on, so there is room unless the caller is gone.
      if (jobs_.contains(e->id)) (void)ctx.part(e->id, e->body);
      break;
    case kind::reply:
      finish(ctx, e->id, e->body);
      break;
    case kind::error:
      if (auto at = jobs_.find(e->id); at != jobs_.end())
        finish(ctx, e->id, named(unpack_error(e->body), at->second));
      break;
    case kind::credit:
      if (auto at = jobs_.find(on); at != jobs_.end() && at->second.origin == tool_origin::agent)
        ctx.grant(on, e->credit);
      break;
    case kind::cancel:
      // A call to an agent ends with the cause it was made under.
      if (auto at = jobs_.find(on); at != jobs_.end() && at->second.request != 0)
        client_.cancel(at->second.request);
      finish(ctx, on, error(errc::cancelled, "the call was taken back"));
      break;
    case kind::down:
      on_down(e->id);
      ctx.done(on);
      break;
    default:
      ctx.done(on);
      break;
  }
  return progress::idle;
}

void tools::on_call(context& ctx, const envelope& e) {
  auto args = unpack(e.body.view());
  if (!args) {
    ctx.fail(e.cause, args.error());
  } else if (e.verb == tool_api::call) {
    auto started = start(ctx, e, *args);
    if (started) return;  // the job ends it
    ctx.fail(e.cause, started.error());
  } else if (e.verb == tool_api::list) {
    on_list(ctx, e, *args);
  } else if (e.verb == tool_api::register_tool) {
    on_register(ctx, e, *args);
  } else if (e.verb == tool_api::refresh) {
    refresh(ctx);
    ctx.reply(e.cause, *pack(true));
  } else {
    ctx.fail(e.cause,
             {errc::unknown_verb, unknown_name("verb", e.verb,
                                               {tool_api::call, tool_api::list,
                                                tool_api::register_tool, tool_api::refresh})});
  }
  ctx.done(e.cause);
}

void tools::on_list(context& ctx, const envelope& e, const value& args) {
  const auto& wanted = argument(args, 0);
  auto is_wanted = [&](std::string_view name) {
    if (wanted.is_nil()) return true;
    if (wanted.is_string()) return glob_matches(wanted.as_string(), name);
    const auto& globs = wanted.as_array();
    return std::any_of(globs.begin(), globs.end(),
                       [&](const value& glob) { return glob_matches(glob.as_string(), name); });
  };
  refresh(ctx);
  value list = value::array{};
  for (const auto& [name, tool] : registry_.tools()) {
    if (!is_wanted(name) || !may_use(e, name)) continue;
    value one;
    one.set("name", name).set("description", tool.info.description);
    one.set("params", tool.info.parameters).set("origin", tool.info.origin);
    list.push(std::move(one));
  }
  auto packed = pack(list);
  if (packed)
    ctx.reply(e.cause, std::move(*packed));
  else
    ctx.fail(e.cause, packed.error());
}

void tools::on_register(context& ctx, const envelope& e, const value& args) {
  // A pool goes on while its members come and go, so what they offer is its own.
  const bool is_member = e.sender && e.sender->pool;
  const auto& holder = is_member ? e.sender->pool : e.from;
  if (auto added = registry_.add(argument(args, 0), holder, caller_of(e), is_member); !added) {
    // Nobody hears the answer to a send.
    if (e.kind == kind::send)
      ctx.log(log_level::warning, "a tool was not registered",
              {{"agent", caller_of(e)}, {"error", added.error().describe()}});
    return ctx.fail(e.cause, added.error());
  }
  const monitor_id id = holder.agent;  // random, so no other has it
  if (watched_.emplace(id, holder).second) ctx.monitor(id, holder);
  ctx.reply(e.cause, *pack(true));
}

/// The tool of that name, if the caller may use it.
result<const known_tool*> tools::choose(context& ctx, const envelope& e, std::string_view name) {
  const auto* tool = registry_.find(name);
  if (tool == nullptr) {
    refresh(ctx);
    tool = registry_.find(name);
  }
  if (tool == nullptr) {
    std::vector<std::string_view> usable;
    for (const auto& [known, unused] : registry_.tools())
      if (may_use(e, known)) usable.push_back(known);
    return error(errc::not_found, unknown_name("tool", name, usable));
  }
  if (!may_use(e, name)) return not_granted(caller_of(e), "tools " + std::string(name));
  return tool;
}

result<void> tools::start(context& ctx, const envelope& e, const value& args) {
  const auto& name = argument(args, 0);
  if (!name.is_string())
    return {errc::bad_argument,
            "call needs the name of a tool, got " + std::string(name.type_name())};
  TROUPE_TRY(tool, choose(ctx, e, name.as_string()));
  value given = argument(args, 1);
  if (given.is_nil()) given = value::map{};
  if (auto fits = tool->shape.check(given); !fits) {
    error why = std::move(fits.error());
    why.message = "tool " + tool->info.name + ": " + why.message;
    return why;
  }
  if (jobs_.size() >= settings_.max_open)
    return {errc::overloaded,
            "tool: " + std::to_string(settings_.max_open) + " calls are open already"};

  const auto on = e.cause;
  job j;
  j.tool = tool->info.name;
  j.origin = tool->origin;
  switch (tool->origin) {
    case tool_origin::builtin: {
      TROUPE_TRY(request, http_tool_request(j.tool, given, e.sender,
                                            {settings_.time_limit, settings_.max_answer,
                                             settings_.max_redirects}));
      j.request = client_.start(std::move(request), outlet_events(outlet_));
      by_request_[j.request] = on;
      break;
    }
    case tool_origin::agent: {
      TROUPE_TRY(body, pack(value::array{std::move(given)}));
      ctx.call(on, on, tool->agent, tool->verb, std::move(body),
               {.timeout = settings_.time_limit, .credit = e.credit});
      break;
    }
    case tool_origin::plugin: {
      TROUPE_TRY(body, plugin_runner::pack_call(j.tool, given, caller_of(e), *e.sender));
      TROUPE_TRY(at, runner_of(ctx, tool->info));
      ctx.call(on, on, at, plugin_runner::run, std::move(body), {.timeout = settings_.time_limit});
      break;
    }
  }
  ++calls_;
  jobs_[on] = std::move(j);
  return ok();
}

result<address> tools::runner_of(context& ctx, const tool_info& tool) {
  auto at = runners_.find(tool.origin);
  if (at != runners_.end() && at->second.copy == tool.copy) return at->second.at;
  if (at != runners_.end()) {  // the plugin was loaded anew: what is open ends in the old copy
    error reason(errc::shutdown, "plugin " + tool.origin + " was loaded anew");
    reason.data.set(value(drain_key), true);
    ctx.exit(at->second.at, std::move(reason));
    runners_.erase(at);
  }
  tool_request like;
  like.copy = tool.copy;
  like.folder = settings_.folder;
  like.max_result = settings_.max_answer;
  process_init init;
  init.path = ctx.path() + "/" + tool.origin;
  init.parent = ctx.self();
  init.rights = ctx.own_authority();
  init.mailbox.messages = settings_.max_waiting;
  init.actions = std::make_unique<plugin_runner>(plugins_, std::move(like));
  TROUPE_TRY(made, starts_.start(std::move(init)));
  runners_[tool.origin] = {made, tool.copy};
  ctx.monitor(made.agent, made);
  ctx.call(no_cause, ++last_start_, made, start_verb, {}, {.timeout = duration::max()});
  return made;
}

void tools::on_down(monitor_id id) {
  if (auto at = watched_.find(id); at != watched_.end()) {
    registry_.remove(at->second);
    watched_.erase(at);
  }
  std::erase_if(runners_, [id](const auto& one) { return one.second.at.agent == id; });
}

void tools::on_http(context& ctx, const envelope& e) {
  auto body = unpack(e.body.view());
  if (!body)
    return ctx.log(log_level::error, "an event can't be read",
                   {{"verb", e.verb}, {"error", body.error().describe()}});
  auto known = by_request_.find(static_cast<request_id>((*body)["id"].as_int()));
  if (known == by_request_.end()) return;
  const auto on = known->second;
  auto& j = jobs_.at(on);
  if (e.verb == "http.head") {
    j.head = std::move(*body);
  } else if (e.verb == "http.data") {
    j.body += (*body)["data"].as_string();
  } else if (const auto* why = body->find("error")) {
    finish(ctx, on, error_from(*why));
  } else {
    finish(ctx, on, pack(http_tool_answer(j.head, std::move(j.body))));
  }
}

void tools::refresh(context& ctx) {
  for (const auto& problem : registry_.refresh())
    ctx.log(log_level::warning, "a tool of a plugin is not offered",
            {{"error", problem.describe()}});
}

/// Who answers names itself in `from`; what the runtime says in its place knows no tools.
error tools::named(error why, const job& j) const {
  if (!why.from.empty()) return why;
  if (why.is(errc::timeout))
    why.message = "tool " + j.tool + ": no answer within " + in_seconds(settings_.time_limit);
  else if (why.is(errc::overloaded))
    why.message = "tool " + j.tool + ": " + why.message;
  return why;
}

void tools::finish(context& ctx, cause_id on, const result<bytes>& outcome) {
  auto at = jobs_.find(on);
  if (at == jobs_.end()) return;
  by_request_.erase(at->second.request);
  jobs_.erase(at);
  if (outcome)
    ctx.reply(on, *outcome);
  else
    ctx.fail(on, outcome.error());
  ctx.done(on);
}

value tools::inspect() const {
  value v;
  v.set("tools", static_cast<std::uint64_t>(registry_.tools().size()));
  v.set("open", static_cast<std::uint64_t>(jobs_.size())).set("calls", calls_);
  return v;
}

}  // namespace troupe
