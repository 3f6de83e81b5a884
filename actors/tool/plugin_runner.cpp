// SPDX-License-Identifier: Apache-2.0
#include "actors/tool/plugin_runner.hpp"

#include <utility>

#include "agent/answers.hpp"

namespace troupe {

namespace {

/// Ids of plugin calls travel as signed integers; causes stay below as well.
constexpr std::uint64_t largest_id = INT64_MAX;

}  // namespace

result<bytes> plugin_runner::pack_call(std::string_view tool, const value& args,
                                       const std::string& caller, const authority& rights) {
  TROUPE_TRY(packed, pack(args));
  return pack(value::array{tool, value::binary{std::string(packed.view())}, caller,
                           rights.grants.to_value()});
}

plugin_runner::plugin_runner(tool_source& plugins, tool_request like)
    : plugins_(plugins), like_(std::move(like)) {}

plugin_runner::~plugin_runner() {
  for (const auto& [on, tool] : open_)
    plugins_.cancel_tool(tool, like_.copy, plugin_id(on));
  if (holds_copy_) plugins_.let_go(like_.copy);
}

progress plugin_runner::receive(context& ctx, envelope_ptr e) {
  const auto on = e->cause;
  switch (e->kind) {
    case kind::start:
      parent_ = e->from;
      outlet_ = ctx.make_outlet();
      // Plugins know calls by an id that no other agent or earlier run may have given.
      salt_ = ctx.random() & largest_id;
      answer(ctx, on, nullptr);
      break;
    case kind::stop:
      ctx.exit(unpack_error(e->body));
      break;
    case kind::call:
      if (auto begun = begin(ctx, *e); !begun) refuse(ctx, on, begun.error());
      break;
    case kind::event:
      on_answer(ctx, *e);
      break;
    case kind::cancel:
      if (auto at = open_.find(on); at != open_.end())
        plugins_.cancel_tool(at->second, like_.copy, plugin_id(on));
      finish(ctx, on, error(errc::cancelled, "the call was taken back"));
      break;
    default:
      ctx.done(on);
      break;
  }
  return progress::idle;
}

result<void> plugin_runner::begin(context& ctx, const envelope& e) {
  if (!(e.from == parent_))
    return {errc::denied, ctx.path() + " takes calls of the tool actor only"};
  // One that was ended with an earlier tool actor may be in a call yet.
  if (!holds_copy_) TROUPE_CHECK(plugins_.hold(like_.copy));
  holds_copy_ = true;
  TROUPE_TRY(args, arguments(e, 4));
  args.resize(4);
  auto rights = std::make_shared<authority>();
  TROUPE_TRY(allowed, grants::from(args[3]));
  rights->grants = std::move(allowed);
  tool_request request = like_;
  request.id = plugin_id(e.cause);
  request.name = args[0].as_string();
  request.args = bytes(args[1].as_string());
  request.caller = args[2].as_string();
  request.rights = std::move(rights);
  if (e.deadline != never) request.time_left = e.deadline - ctx.now();
  open_[e.cause] = request.name;
  if (auto at_once = plugins_.call_tool(request, outlet_)) finish(ctx, e.cause, *at_once);
  return ok();
}

void plugin_runner::on_answer(context& ctx, const envelope& e) {
  auto answer = unpack_tool_answer(e.body);
  if (!answer)
    return ctx.log(log_level::error, "a plugin's answer can't be read",
                   {{"error", answer.error().describe()}});
  // Its own inverse. A late answer finds nothing open.
  const auto on = plugin_id(answer->id);
  if (answer->failure)
    finish(ctx, on, *answer->failure);
  else
    finish(ctx, on, answer->value);
}

/// Of no effect if it is over already.
void plugin_runner::finish(context& ctx, cause_id on, const result<bytes>& outcome) {
  if (open_.erase(on) == 0) return;
  if (!outcome) return refuse(ctx, on, outcome.error());
  ctx.reply(on, *outcome);
  ctx.done(on);
}

value plugin_runner::inspect() const {
  return value::map{{"open", static_cast<std::int64_t>(open_.size())}};
}

}  // namespace troupe
