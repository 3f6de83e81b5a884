// SPDX-License-Identifier: Apache-2.0
#include "plugin/plugin_behaviour.hpp"

#include <algorithm>
#include <utility>

#include "agent/context.hpp"
#include "base/msgpack.hpp"
#include "plugin/foreign.hpp"

namespace troupe {
namespace {

thread_local troupe_turn* running_turn = nullptr;

/// The number that the ABI gives a kind; 0 for those that a behaviour never sees.
std::uint32_t abi_kind(kind k) {
  switch (k) {
    case kind::send:
      return TROUPE_KIND_SEND;
    case kind::call:
      return TROUPE_KIND_CALL;
    case kind::start:
      return TROUPE_KIND_START;
    case kind::stop:
      return TROUPE_KIND_STOP;
    case kind::down:
      return TROUPE_KIND_DOWN;
    case kind::exit:
      return TROUPE_KIND_EXIT;
    case kind::timer:
      return TROUPE_KIND_TIMER;
    case kind::event:
      return TROUPE_KIND_EVENT;
    case kind::reply:
      return TROUPE_KIND_REPLY;
    case kind::error:
      return TROUPE_KIND_ERROR;
    case kind::part:
      return TROUPE_KIND_PART;
    case kind::credit:
      return TROUPE_KIND_CREDIT;
    case kind::cancel:
      return TROUPE_KIND_CANCEL;
    default:
      return 0;
  }
}

bool is_served(std::uint32_t abi) {
  return abi >= TROUPE_KIND_SEND && abi <= TROUPE_KIND_TIMER;
}

}  // namespace

plugin_behaviour::plugin_behaviour(std::shared_ptr<plugin_instance> plugin,
                                   const troupe_agent_kind_t* kind, bytes options)
    : plugin_(std::move(plugin)),
      kind_(kind),
      who_("plugin " + plugin_->about().name + ": " + sentence_of(kind->name)),
      options_(std::move(options)) {}

plugin_behaviour::~plugin_behaviour() {
  if (!lives_) return;
  // Nobody is left to be told when it throws.
  (void)call_foreign(who_, [&] { kind_->destroy(agent_); });
}

template <class F>
auto plugin_behaviour::in_turn(context& ctx, const char* what, F&& f) {
  turn_.ctx = &ctx;
  turn_.fault.clear();
  turn_.is_ending = false;
  troupe_turn* outer = std::exchange(running_turn, &turn_);
  auto answered = call_foreign(who_ + ": " + what, f);
  running_turn = outer;
  turn_.ctx = nullptr;
  if (answered && !turn_.fault.empty()) answered = error(errc::crash, who_ + ": " + turn_.fault);
  return answered;
}

result<void> plugin_behaviour::create(context& ctx) {
  result_slot why(who_ + ": create");
  auto answered = in_turn(ctx, "create", [&] {
    return kind_->create(plugin_->self(), kind_, &turn_, to_bytes(options_.view()), &agent_,
                         why.record());
  });
  if (!answered) return std::move(answered.error());
  if (*answered != TROUPE_OK) return why.failure(*answered);
  lives_ = true;
  return ok();
}

result<std::int32_t> plugin_behaviour::hand_over(context& ctx, const envelope& message) {
  const std::uint32_t abi = abi_kind(message.kind);
  troupe_envelope_t e{};
  e.size = sizeof e;
  e.kind = abi;
  e.cause = message.cause;
  e.id = message.id;
  e.verb = to_text(message.verb);
  e.body = to_bytes((message.body.empty() ? nil_body() : message.body).view());
  const auto from = to_wire(message.from);
  static_assert(sizeof e.from.wire == address::wire_size);
  std::copy(from.begin(), from.end(), reinterpret_cast<char*>(e.from.wire));
  e.time_left =
      message.deadline == never ? -1 : std::max(0.0, to_seconds(message.deadline - ctx.now()));
  e.credit = message.credit;
  auto answered = in_turn(ctx, "receive", [&] { return kind_->receive(agent_, &turn_, &e); });
  if (answered && *answered != TROUPE_DONE &&
      !(is_served(abi) && (*answered == TROUPE_OPEN || *answered == TROUPE_UNKNOWN)))
    return error(errc::crash, who_ + ": receive returned " + std::to_string(*answered) +
                                  ", which means nothing");
  return answered;
}

void plugin_behaviour::settle(context& ctx, const envelope& message, std::int32_t answered) {
  if (answered == TROUPE_OPEN || turn_.is_ending) return;
  // What the plugin did itself came first, and counts.
  if (message.kind == kind::call && answered == TROUPE_UNKNOWN)
    ctx.fail(message.cause, error(errc::unknown_verb, ctx.path() + " has no verb " + message.verb));
  else if (message.kind == kind::call || message.kind == kind::start)
    ctx.reply(message.cause, nil_body());
  else if (message.kind == kind::stop)
    ctx.exit(unpack_error(message.body));
  else if (answered == TROUPE_UNKNOWN && message.kind == kind::send)
    ctx.log(log_level::warning, "message with an unknown verb", {{"verb", message.verb}});
  if (message.cause != no_cause) ctx.done(message.cause);
}

progress plugin_behaviour::receive(context& ctx, envelope_ptr message) {
  if (message->kind == kind::start)
    if (auto created = create(ctx); !created) {
      ctx.fail(message->cause, created.error());
      return progress::idle;
    }
  auto answered = hand_over(ctx, *message);
  if (!answered) {
    if (message->kind == kind::start) ctx.fail(message->cause, answered.error());
    ctx.exit(std::move(answered.error()));
  } else if (is_served(abi_kind(message->kind))) {
    settle(ctx, *message, *answered);
  }
  return progress::idle;
}

concurrency plugin_behaviour::overlap() const {
  concurrency c;
  c.slots = kind_->slots == TROUPE_ANY_SLOTS ? concurrency::unlimited : std::max(1u, kind_->slots);
  for (std::uint32_t i = 0; i < kind_->overlapping_count; ++i)
    c.overlapping.push_back(sentence_of(kind_->overlapping[i]));
  return c;
}

value plugin_behaviour::inspect() const {
  value about;
  about.set("plugin", plugin_->about().name + " " + plugin_->about().version);
  about.set("kind", sentence_of(kind_->name));
  if (!lives_ || kind_->inspect == nullptr) return about;
  result_slot shown(who_ + ": inspect");
  auto asked = call_foreign(who_ + ": inspect", [&] { kind_->inspect(agent_, shown.record()); });
  if (!asked) return about.set("error", asked.error().message), about;
  if (auto v = unpack(shown.value().view()); v && v->is_map())
    for (const auto& [key, member] : v->as_map())
      about.set(key, member);
  return about;
}

}  // namespace troupe

troupe_turn* troupe_turn::valid(troupe_turn* claimed) {
  return claimed != nullptr && claimed == troupe::running_turn ? claimed : nullptr;
}
