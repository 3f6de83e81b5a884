// SPDX-License-Identifier: Apache-2.0
#include "core/inner_carrier.hpp"

#include <algorithm>
#include <caf/actor_config.hpp>
#include <caf/make_actor.hpp>
#include <thread>
#include <utility>

#include "agent/bounce.hpp"
#include "base/id.hpp"
#include "core/lane.hpp"

namespace troupe::core {

namespace {

const system_clock real_time;

/// How often a shutdown looks whether only stuck agents are left: nothing wakes it then.
constexpr auto look_again = std::chrono::milliseconds(50);

/// How long killed agents have to come out of their turns.
constexpr auto grace = std::chrono::seconds(1);

std::uint64_t seed_from(std::uint64_t wanted) {
  while (wanted == 0)
    random_bytes(&wanted, sizeof wanted);
  return wanted;
}

class gate_outlet final : public outlet::sink {
 public:
  gate_outlet(std::shared_ptr<gate> g, const address& to) : gate_(std::move(g)), to_(to) {}

  bool post(std::string_view verb, bytes body) override {
    const std::shared_lock lock(gate_->mutex);
    if (gate_->open == nullptr) return false;
    return gate_->open->post_event(to_, verb, std::move(body));
  }

 private:
  std::shared_ptr<gate> gate_;
  const address to_;
};

}  // namespace

caf::actor_system::module* coordinator::make(caf::actor_system& system, caf::detail::type_list<>) {
  return std::make_unique<coordinator>(system).release();  // CAF owns it
}

void coordinator::stop() {
  caf::scheduler::coordinator<fifo_policy>::stop();
  dynamic_cast<const caf_config&>(config()).when_stopped();
}

inner_carrier::inner_carrier(node_options options)
    : options_(std::move(options)),
      time_(options_.time != nullptr ? options_.time : &real_time),
      events_(options_.events),
      log_(options_.log),
      random_(seed_from(options_.seed)),
      dog_(options_.slice, options_.patience, [this](const late_turn& t) { report_stuck(t); }),
      lanes_([this](std::uint32_t slot) {
        caf::actor_config config{system_->dummy_execution_unit()};
        return caf::make_actor<lane, caf::strong_actor_ptr>(
            system_->next_actor_id(), system_->node(), system_.get(), config, *this, slot);
      }),
      gate_(std::make_shared<gate>()),
      shutdown_reason_(errc::shutdown, "the node was shut down") {
  if (options_.node)
    self_.node = *options_.node;
  else
    self_.node = {random_.next(), random_.next()};
  self_.incarnation = random_.next();
  gate_->open = this;
  alarm_ =
      std::make_unique<alarm>([this] { return now(); }, [this](std::uint32_t slot) { ring(slot); });
  config_.threads = options_.threads != 0
                        ? options_.threads
                        : std::max<std::size_t>(std::thread::hardware_concurrency(), 1);
  config_.spare_threads = options_.spare_threads;
  config_.when_stopped = [this] { lanes_.clear(); };
  config_.load<coordinator>();
  config_.set("scheduler.max-threads", config_.threads + config_.spare_threads);
  system_ = std::make_unique<caf::actor_system>(config_);
  system_->await_actors_before_shutdown(false);
  scheduler_ = &system_->scheduler();
}

inner_carrier::~inner_carrier() {
  {
    const std::unique_lock lock(gate_->mutex);
    gate_->open = nullptr;
  }
  alarm_.reset();
  system_.reset();  // joins the workers, which then frees the lanes
}

// -- messages -------------------------------------------------------------------------------------

lane* inner_carrier::find(const address& a) const {
  if (a.agent == 0 || !is_here(a)) return nullptr;
  if (a.slot != 0) {
    lane* const l = lanes_.at(a.slot);
    if (l != nullptr && l->agent() == a.agent) return l;
  }
  const auto slot = names_.slot_of(a);
  return slot != 0 ? lanes_.at(slot) : nullptr;
}

void inner_carrier::schedule(lane& l) {
  if (this_turn.carrier == this)
    this_turn.unit->exec_later(&l);
  else
    scheduler_->enqueue(&l);
}

void inner_carrier::post(envelope_ptr e) {
  if (lane* const l = find(e->to)) {
    switch (l->box().push(e)) {
      case mailbox::pushed::queued:
        return;
      case mailbox::pushed::schedule:
        return schedule(*l);
      case mailbox::pushed::full: {
        const error why(errc::overloaded, "the mailbox of " + path_of(e->to) + " is full");
        return bounce(*this, std::move(e), why);
      }
      case mailbox::pushed::closed:
        break;
    }
  }
  undeliverable(std::move(e));
}

void inner_carrier::undeliverable(envelope_ptr e) {
  const address to = e->to;
  if (to && to.node != self_.node) {
    if (options_.post_elsewhere && !is_detached_) return options_.post_elsewhere(std::move(e));
    return bounce(*this, std::move(e),
                  {errc::peer_lost, "the node of " + to.to_string() + " is not connected"});
  }
  if (const auto reason = names_.reason_of(to))
    return bounce(*this, std::move(e), reason->wrapped(errc::down, path_of(to) + " has ended"));
  if (names_.slot_of(to) != 0)
    return bounce(*this, std::move(e), {errc::down, path_of(to) + " is ending"});
  bounce(*this, std::move(e), no_such_agent(to));
}

bool inner_carrier::post_event(const address& to, std::string_view verb, bytes body) {
  lane* const l = find(to);
  if (l == nullptr) return false;
  auto e = std::make_unique<envelope>();
  e->kind = kind::event;
  e->from = e->to = to;
  e->verb = verb;
  e->body = std::move(body);
  const auto how = l->box().push(e);
  if (how == mailbox::pushed::schedule) schedule(*l);
  return how != mailbox::pushed::closed;
}

outlet inner_carrier::outlet_to(const address& a) {
  return outlet(std::make_shared<gate_outlet>(gate_, a));
}

// -- time -----------------------------------------------------------------------------------------

instant inner_carrier::now() const {
  return time_.load(std::memory_order_relaxed)->now();
}

wall_time inner_carrier::wall() const {
  return time_.load(std::memory_order_relaxed)->wall();
}

void inner_carrier::wake_at(process& p, instant t) {
  alarm_->set(lanes_.at(p.self().slot)->wish(), t);
}

void inner_carrier::ring(std::uint32_t slot) {
  lane& l = *lanes_.at(slot);
  if (l.box().poke()) schedule(l);
}

// -- agents ---------------------------------------------------------------------------------------

result<address> inner_carrier::start(process_init init) {
  ++population_;
  lane* const l = lanes_.acquire();
  if (l == nullptr) {
    const bool closed = lanes_.is_closed();
    leave_population();
    if (closed) return {errc::shutdown, "the node is being shut down: " + init.path};
    error why(errc::limit, "this node holds as many agents as it can: " + init.path);
    why.data.set("what", "agents");
    return why;
  }
  address a = self_;
  a.slot = l->slot();
  std::uint64_t seed = 0;
  do {
    const std::lock_guard lock(random_mutex_);
    a.agent = random_.next();
    seed = random_.next();
  } while (a.agent == 0 || !names_.add(a, init.path));
  l->open(a, std::move(init), seed);
  return a;
}

void inner_carrier::retire(lane& l, const address& who) {
  names_.remove(who);
  lanes_.release(l);
  leave_population();
}

void inner_carrier::leave_population() {
  if (population_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  const std::lock_guard lock(empty_mutex_);
  empty_.notify_all();
}

bool inner_carrier::wait_until_empty(duration limit) const {
  // Longer waits would overflow the clock.
  constexpr duration century = std::chrono::hours(24 * 365 * 100);
  std::unique_lock lock(empty_mutex_);
  return empty_.wait_for(lock, std::min(limit, century), [this] { return population() == 0; });
}

/// Also over once all who are left are known not to come out of their turns. True if none is left.
bool inner_carrier::wait_for_those_not_stuck(duration limit) const {
  for (;;) {
    const auto wait = std::min<duration>(limit, look_again);
    if (wait_until_empty(wait)) return true;
    limit -= wait;
    if (limit <= duration::zero() || population() <= dog_.late_turns()) return false;
  }
}

shutdown_report inner_carrier::shutdown(duration limit) {
  shutdown_report report;
  const bool in_order = wait_for_those_not_stuck(limit);
  lanes_.close();
  if (in_order && population() == 0) return report;
  report.killed = population();
  abandons_.store(&shutdown_reason_, std::memory_order_release);
  const auto end = std::chrono::steady_clock::now() + grace;
  // More than once: who is in a turn now takes the first poke for a wake-up of its own, and who is
  // being started yet has not been seen.
  for (auto wait = std::chrono::milliseconds(1); std::chrono::steady_clock::now() < end;
       wait *= 2) {
    ring_all();
    if (wait_until_empty(wait)) return report;
  }
  lanes_.for_each([&](lane& l) {
    address a = self_;
    a.agent = l.agent();
    if (a.agent != 0) report.stuck.push_back(path_of(a));
  });
  return report;
}

void inner_carrier::report_stuck(const late_turn& turn) {
  address a = self_;
  a.agent = turn.who;
  runtime_event event{runtime_event::what::stuck, a, path_of(a), {}};
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(turn.so_far).count();
  value::map fields{{"agent", event.path}, {"ms", static_cast<std::int64_t>(ms)}};
  if (!turn.in.empty()) fields.emplace_back("in", turn.in);
  event.data = fields;
  report(event);
  log(log_level::error, "core", "an agent does not come out of its turn; others go on without it",
      std::move(fields));
}

void inner_carrier::ring_all() {
  lanes_.for_each([this](lane& l) {
    if (l.agent() != 0) ring(l.slot());
  });
}

void inner_carrier::detach() {
  time_ = &real_time;
  events_ = nullptr;
  log_ = nullptr;
  is_detached_ = true;
}

// -- names and news -------------------------------------------------------------------------------

bool inner_carrier::bind(std::string_view name, const address& holder, bool replace) {
  return names_.bind(name, holder, replace);
}

void inner_carrier::unbind(const address& holder) {
  names_.unbind(holder);
}

address inner_carrier::lookup(std::string_view name) const {
  return names_.lookup(name);
}

bool inner_carrier::was_held(std::string_view name) const {
  return names_.was_held(name);
}

std::string inner_carrier::path_of(const address& a) const {
  return is_here(a) ? names_.path_of(a) : std::string();
}

void inner_carrier::report(const runtime_event& event) {
  if (event.what == runtime_event::what::ended) names_.note_reason(event.agent, event.reason);
  if (auto* const sink = events_.load(std::memory_order_relaxed)) sink->on_event(event);
}

void inner_carrier::log(log_level level, std::string_view component, std::string_view message,
                        value::map fields) {
  auto* const log = log_.load(std::memory_order_relaxed);
  if (log != nullptr && log->enabled(level))
    log->write(level, component, message, std::move(fields));
}

}  // namespace troupe::core
