// SPDX-License-Identifier: Apache-2.0
#include "core/gateway.hpp"

#include <algorithm>
#include <deque>
#include <future>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "agent/behaviour.hpp"

namespace troupe {

namespace {

/// Parts under way where the caller named no number.
constexpr std::uint32_t usual_credit = 16;

}  // namespace

/// What the gateway and its agent share.
struct gateway::desk {
  struct open_call {
    on_answer answer;
    on_part part;
  };
  using order = std::function<void(context&)>;

  /// Held while something is handed over; taken before `mutex`.
  std::mutex handing;
  std::mutex mutex;
  std::uint64_t last_id = 0;
  bool is_closed = false;
  std::deque<order> orders;
  std::unordered_map<call_id, open_call> calls;
  std::unordered_map<monitor_id, on_end> monitors;

  template <class Map>
  typename Map::mapped_type take(Map& from, std::uint64_t id) {
    const std::lock_guard lock(mutex);
    auto found = from.extract(id);
    return found ? std::move(found.mapped()) : typename Map::mapped_type();
  }

  void answer(call_id id, result<bytes> with) {
    const std::lock_guard lock(handing);
    if (const auto call = take(calls, id); call.answer) call.answer(std::move(with));
  }

  void hand_part(call_id id, bytes body) {
    const std::lock_guard lock(handing);
    on_part part;
    {
      const std::lock_guard calls_lock(mutex);
      const auto at = calls.find(id);
      if (at != calls.end()) part = at->second.part;
    }
    if (part) part(id, std::move(body));
  }

  void ended(monitor_id id, const error& reason) {
    const std::lock_guard lock(handing);
    if (const auto end = take(monitors, id)) end(reason);
  }

  /// Answers everything that is open, and refuses what comes later.
  void close() {
    std::unordered_map<call_id, open_call> open;
    std::unordered_map<monitor_id, on_end> watched;
    {
      const std::lock_guard lock(mutex);
      is_closed = true;
      open.swap(calls);
      watched.swap(monitors);
    }
    const std::lock_guard lock(handing);
    const error gone(errc::cancelled, "the gateway was closed");
    for (auto& [id, call] : open)
      call.answer(gone);
    for (auto& [id, end] : watched)
      end(gone);
  }
};

/// The gateway's agent: does what is ordered, hands out what comes back.
class gateway::clerk final : public behaviour {
 public:
  explicit clerk(std::shared_ptr<desk> d) : desk_(std::move(d)) {}
  ~clerk() override { desk_->close(); }

  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }

  progress receive(context& ctx, envelope_ptr e) override {
    switch (e->kind) {
      case kind::start:
        ctx.reply(e->cause, {});
        ctx.done(e->cause);
        break;
      case kind::event:
        carry_out(ctx);
        break;
      case kind::part:
        desk_->hand_part(e->id, std::move(e->body));
        break;
      case kind::reply:
        desk_->answer(e->id, std::move(e->body));
        break;
      case kind::error:
        desk_->answer(e->id, unpack_error(e->body));
        break;
      case kind::down:
        desk_->ended(e->id, unpack_error(e->body));
        break;
      case kind::call:
        ctx.fail(e->cause, {errc::unknown_verb, ctx.path() + " takes no calls"});
        ctx.done(e->cause);
        break;
      case kind::stop:
        ctx.exit({errc::shutdown, "told to stop"});
        break;
      default:
        break;
    }
    return progress::idle;
  }

 private:
  void carry_out(context& ctx) {
    std::deque<desk::order> orders;
    {
      const std::lock_guard lock(desk_->mutex);
      orders.swap(desk_->orders);
    }
    for (const auto& order : orders)
      order(ctx);
  }

  std::shared_ptr<desk> desk_;
};

result<std::unique_ptr<gateway>> gateway::open(carrier& c, std::string path, authority_ptr rights) {
  auto shared = std::make_shared<desk>();
  process_init init;
  init.path = std::move(path);
  init.rights = std::move(rights);
  init.actions = std::make_unique<clerk>(shared);
  std::unique_ptr<gateway> g(new gateway(c, std::move(shared)));  // NOLINT: a private constructor
  TROUPE_TRY(made, c.start(std::move(init)));
  g->self_ = made;
  g->knock_ = c.outlet_to(made);
  auto e = std::make_unique<envelope>();
  e->kind = kind::start;
  e->to = made;
  c.post(std::move(e));
  return g;
}

gateway::~gateway() {
  order([](context& ctx) { ctx.exit({errc::shutdown, "the gateway was closed"}); });
  desk_->close();
}

/// False if there is nobody to carry it out any more.
bool gateway::order(std::function<void(context&)> what) {
  {
    const std::lock_guard lock(desk_->mutex);
    if (desk_->is_closed) return false;
    desk_->orders.push_back(std::move(what));
  }
  return knock_.post("order", {});
}

call_id gateway::begin_call(const target& to, std::string_view verb, bytes args,
                            call_options options, on_answer answer, on_part part) {
  if (part && options.credit == 0) options.credit = usual_credit;
  call_id id = 0;
  {
    const std::lock_guard lock(desk_->mutex);
    id = ++desk_->last_id;
    if (!desk_->is_closed) {
      desk_->calls[id] = {std::move(answer), std::move(part)};
      answer = nullptr;
    }
  }
  if (answer)
    answer(error(errc::cancelled, "the gateway was closed"));
  else
    order([=, verb = std::string(verb), args = std::move(args)](context& ctx) mutable {
      ctx.call(no_cause, id, to, verb, std::move(args), options);
    });
  return id;
}

void gateway::grant(call_id id, std::uint32_t parts) {
  order([=](context& ctx) { ctx.grant(id, parts); });
}

void gateway::cancel(call_id id) {
  if (desk_->take(desk_->calls, id).answer) order([id](context& ctx) { ctx.cancel(id); });
}

void gateway::send(const target& to, std::string_view verb, bytes args) {
  order([=, verb = std::string(verb), args = std::move(args)](context& ctx) mutable {
    ctx.send(no_cause, to, verb, std::move(args));
  });
}

void gateway::exit(const target& whom, error reason) {
  order(
      [=, reason = std::move(reason)](context& ctx) mutable { ctx.exit(whom, std::move(reason)); });
}

void gateway::monitor(const target& whom, on_end end) {
  monitor_id id = 0;
  {
    const std::lock_guard lock(desk_->mutex);
    id = ++desk_->last_id;
    if (!desk_->is_closed) desk_->monitors[id] = std::exchange(end, nullptr);
  }
  if (end)
    end(error(errc::cancelled, "the gateway was closed"));
  else
    order([=](context& ctx) { ctx.monitor(id, whom); });
}

result<bytes> gateway::call(const target& to, std::string_view verb, bytes args,
                            call_options options) {
  // Shared: the function that holds it is copied.
  const auto answered = std::make_shared<std::promise<result<bytes>>>();
  auto answer = answered->get_future();
  begin_call(to, verb, std::move(args), options,
             [answered](result<bytes> answer) { answered->set_value(std::move(answer)); });
  return answer.get();
}

result<address> gateway::start(process_init init, duration timeout) {
  init.parent = self_;

  TROUPE_TRY(made, carrier_.start(std::move(init)));
  TROUPE_CHECK(call(made, start_verb, {}, {.timeout = timeout}));
  return made;
}

std::optional<error> gateway::wait_end(const target& whom, duration limit) {
  constexpr duration century = std::chrono::hours(24 * 365 * 100);  // more overflows the clock
  const auto ended = std::make_shared<std::promise<error>>();       // shared: as above
  auto reason = ended->get_future();
  monitor(whom, [ended](const error& why) { ended->set_value(why); });
  if (reason.wait_for(std::min(limit, century)) != std::future_status::ready) return std::nullopt;
  const auto why = reason.get();
  // It had ended before: what it says is that it is gone, and behind that why.
  const bool too_late = why.is(errc::down) && why.from.empty() && why.cause;
  return too_late ? *why.cause : why;
}

}  // namespace troupe
