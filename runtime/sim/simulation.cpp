// SPDX-License-Identifier: Apache-2.0
#include "sim/simulation.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <unordered_set>

#include "agent/bounce.hpp"
#include "base/msgpack.hpp"

namespace troupe {

struct simulation::agent {
  agent(simulation& s, const address& self, process_init init, std::uint64_t seed)
      : box(init.mailbox), actor(s, box, self, std::move(init), seed) {}
  mailbox box;
  process actor;
  bool is_runnable = false;
  instant wakes = never;
};

struct simulation::outside_answers {
  struct one {
    bool over = false;
    result<value> answer = value();
    std::vector<value> parts;
  };
  struct order {
    call_id id;
    target to;
    std::string verb;
    bytes args;
    call_options options;
    bool is_send = false;
    std::optional<error> exit_with;
  };
  std::vector<order> orders;
  std::map<call_id, one> answers;
  call_id last = 0;
};

namespace {

/// Stands for the test itself: makes the calls that the test orders and keeps their answers.
template <class Answers>
class outside final : public behaviour {
 public:
  explicit outside(std::shared_ptr<Answers> a) : answers_(std::move(a)) {}
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }
  progress receive(context& ctx, envelope_ptr e) override {
    auto& all = answers_->answers;
    switch (e->kind) {
      case kind::start:
        ctx.reply(e->cause, {});
        break;
      case kind::event:
        for (auto& o : answers_->orders) {
          if (o.exit_with)
            ctx.exit(o.to, *o.exit_with);
          else if (o.is_send)
            ctx.send(no_cause, o.to, o.verb, o.args);
          else
            ctx.call(no_cause, o.id, o.to, o.verb, o.args, o.options);
        }
        answers_->orders.clear();
        break;
      case kind::part:
        all[e->id].parts.push_back(*unpack(e->body.view()));
        ctx.grant(e->id, 1);
        break;
      case kind::reply:
        all[e->id].over = true;
        all[e->id].answer = e->body.empty() ? result<value>(value()) : unpack(e->body.view());
        break;
      case kind::error:
        all[e->id].over = true;
        all[e->id].answer = unpack_error(e->body);
        break;
      default:
        break;
    }
    return progress::idle;
  }

 private:
  std::shared_ptr<Answers> answers_;
};

}  // namespace

/// What other threads post waits here until the simulation's own takes it.
struct simulation::outside_mail {
  const std::thread::id own_thread = std::this_thread::get_id();
  std::mutex mutex;  ///< guards the rest
  std::condition_variable came;
  simulation* sim = nullptr;
  std::vector<envelope_ptr> waiting;
  std::unordered_set<std::uint64_t> ended;
};

class simulated_outlet final : public outlet::sink {
 public:
  simulated_outlet(std::shared_ptr<simulation::outside_mail> m, const address& to)
      : mail_(std::move(m)), to_(to) {}
  bool post(std::string_view verb, bytes body) override {
    auto e = std::make_unique<envelope>();
    e->kind = kind::event;
    e->from = e->to = to_;
    e->verb = verb;
    e->body = std::move(body);
    std::unique_lock lock(mail_->mutex);
    if (mail_->sim == nullptr || mail_->ended.contains(to_.agent)) return false;
    if (std::this_thread::get_id() == mail_->own_thread) {
      lock.unlock();
      mail_->sim->post(std::move(e));
    } else {
      mail_->waiting.push_back(std::move(e));
      mail_->came.notify_one();
    }
    return true;
  }

 private:
  std::shared_ptr<simulation::outside_mail> mail_;
  address to_;
};

simulation::simulation(std::uint64_t seed)
    : random_(seed),
      now_(instant(std::chrono::hours(1))),
      mail_(std::make_shared<outside_mail>()),
      answers_(std::make_shared<outside_answers>()) {
  mail_->sim = this;
  auto made = add("outside", std::make_unique<outside<outside_answers>>(answers_));
  outside_ = *made;
}

simulation::~simulation() {
  {
    std::lock_guard lock(mail_->mutex);
    mail_->sim = nullptr;
  }
  messages_travel = false;
  while (!agents_.empty()) {
    auto one = std::move(agents_.begin()->second);
    agents_.erase(agents_.begin());
    one->actor.abandon({errc::shutdown, "the simulation ended"});
  }
}

result<address> simulation::add(std::string path, std::unique_ptr<behaviour> b) {
  process_init init;
  init.path = std::move(path);
  init.actions = std::move(b);
  return add(std::move(init));
}

result<address> simulation::add(process_init init) {
  init.parent = outside_;
  TROUPE_TRY(made, start(std::move(init)));
  if (!outside_) {  // this is the outside itself, which nobody starts
    auto e = std::make_unique<envelope>();
    e->kind = kind::start;
    e->to = made;
    post(std::move(e));
    settle();
    return made;
  }
  TROUPE_TRY(answer, call(made, start_verb));
  if (answer == value("ignore")) return address{};
  return made;
}

result<value> simulation::call_streaming(const target& to, std::string_view verb, value::array args,
                                         std::vector<value>& parts) {
  const auto id = answers_->last + 1;
  auto answer = call(to, verb, std::move(args), {.timeout = std::chrono::seconds(30), .credit = 1});
  parts = answers_->answers[id].parts;
  return answer;
}

result<call_id> simulation::begin_call(const target& to, std::string_view verb, value::array args,
                                       call_options options) {
  TROUPE_TRY(body, pack(value(std::move(args))));
  const auto id = ++answers_->last;
  answers_->answers[id];
  answers_->orders.push_back({id, to, std::string(verb), body, options, false, {}});
  outlet_to(outside_).post("order", {});
  return id;
}

const result<value>* simulation::answer_of(call_id id) const {
  const auto found = answers_->answers.find(id);
  return found != answers_->answers.end() && found->second.over ? &found->second.answer : nullptr;
}

void simulation::wait_outside(duration limit) {
  std::unique_lock lock(mail_->mutex);
  mail_->came.wait_for(lock, limit, [&] { return !mail_->waiting.empty(); });
}

result<value> simulation::call(const target& to, std::string_view verb, value::array args,
                               call_options options) {
  TROUPE_TRY(id, begin_call(to, verb, std::move(args), options));
  for (bool goes_on = true; answer_of(id) == nullptr && goes_on;) {
    const bool waits = works_outside && works_outside();
    goes_on = step(waits ? now_ : never);
    if (goes_on || !waits) continue;
    goes_on = true;
    // Looks again now and then, for what ends without a word.
    wait_outside(std::chrono::milliseconds(1));
  }
  const auto* answer = answer_of(id);
  if (answer == nullptr) return {errc::internal, "the simulation ran dry before an answer came"};
  return *answer;
}

void simulation::send(const target& to, std::string_view verb, value::array args) {
  answers_->orders.push_back(
      {0, to, std::string(verb), *pack(value(std::move(args))), {}, true, {}});
  outlet_to(outside_).post("order", {});
  settle();
}

void simulation::exit(const target& whom, errc reason) {
  answers_->orders.push_back({0, whom, "", {}, {}, false, error(reason, "told by the test")});
  outlet_to(outside_).post("order", {});
  settle();
}

void simulation::take_outside_mail() {
  std::vector<envelope_ptr> came;
  {
    std::lock_guard lock(mail_->mutex);
    came.swap(mail_->waiting);
  }
  for (auto& e : came)
    post(std::move(e));
}

bool simulation::step(instant limit) {
  take_outside_mail();
  if (!runnable_.empty() || !ways_.empty()) {
    const auto pick = random_.below(runnable_.size() + ways_.size());
    if (pick >= runnable_.size()) {
      deliver_from(pick - runnable_.size());
      return true;
    }
    std::swap(runnable_[pick], runnable_.back());
    auto* a = runnable_.back();
    runnable_.pop_back();
    a->is_runnable = false;
    run(*a);
    return true;
  }
  if (wakes_.empty() || wakes_.begin()->first > limit) return false;
  const auto [at, id] = *wakes_.begin();
  wakes_.erase(wakes_.begin());
  now_ = std::max(now_, at);
  auto found = agents_.find(id);
  if (found == agents_.end() || found->second->wakes != at) return true;
  found->second->wakes = never;
  if (found->second->box.poke()) make_runnable(*found->second);
  return true;
}

void simulation::settle() {
  while (step(now_)) {
  }
}

void simulation::advance(duration d) {
  const auto end = add_time(d);
  while (step(end)) {
  }
  now_ = end;
}

void simulation::run(agent& a) {
  const auto id = a.actor.self().agent;
  switch (a.actor.run(turns)) {
    case turn_end::asleep:
      return;
    case turn_end::more:
    case turn_end::slow:
      return make_runnable(a);
    case turn_end::ended: {
      std::lock_guard lock(mail_->mutex);
      mail_->ended.insert(id);
    }
      agents_.erase(id);
  }
}

void simulation::make_runnable(agent& a) {
  if (std::exchange(a.is_runnable, true)) return;
  runnable_.push_back(&a);
}

bool simulation::alive(const address& a) const {
  return agents_.contains(a.agent);
}

const error* simulation::reason_of(const address& a) const {
  auto found = reasons_.find(a.agent);
  return found != reasons_.end() ? &found->second : nullptr;
}

void simulation::post(envelope_ptr e) {
  if (on_post) on_post(*e);
  if (!messages_travel) return deliver(std::move(e));
  const auto from = e->from.agent, to = e->to.agent;
  auto found = std::find_if(ways_.begin(), ways_.end(),
                            [&](const auto& w) { return w->from == from && w->to == to; });
  if (found == ways_.end()) found = ways_.insert(ways_.end(), std::make_unique<way>(from, to));
  (*found)->mail.push(std::move(e));
}

void simulation::deliver_from(std::size_t index) {
  auto e = ways_[index]->mail.pop();
  if (ways_[index]->mail.empty()) {
    std::swap(ways_[index], ways_.back());
    ways_.pop_back();
  }
  deliver(std::move(e));
}

void simulation::deliver(envelope_ptr e) {
  auto found = agents_.find(e->to.agent);
  if (found == agents_.end()) {
    auto reason = reasons_.find(e->to.agent);
    const auto why = reason != reasons_.end()
                         ? reason->second.wrapped(errc::down, path_of(e->to) + " has ended")
                         : no_such_agent(e->to);
    return bounce(*this, std::move(e), why);
  }
  auto& to = *found->second;
  switch (to.box.push(e)) {
    case mailbox::pushed::queued:
      return;
    case mailbox::pushed::schedule:
      return make_runnable(to);
    case mailbox::pushed::full:
      return bounce(*this, std::move(e),
                    {errc::overloaded, "the mailbox of " + to.actor.path() + " is full"});
    case mailbox::pushed::closed:
      return bounce(*this, std::move(e), {errc::down, to.actor.path() + " is ending"});
  }
}

wall_time simulation::wall() const {
  return wall_time(std::chrono::hours(24 * 365 * 56)) +
         std::chrono::duration_cast<wall_time::duration>(now_.time_since_epoch());
}

void simulation::wake_at(process& p, instant t) {
  if (t == never) return;
  auto& a = *agents_.at(p.self().agent);
  a.wakes = t;
  wakes_.emplace(t, p.self().agent);
}

result<address> simulation::start(process_init init) {
  address a;
  a.node = {1, 1};
  a.incarnation = 1;
  a.agent = random_.next() | 1;
  if (init.makes_children == nullptr) init.makes_children = makes_children;
  init.mailbox.messages = std::min(init.mailbox.messages, mailboxes.messages);
  init.mailbox.bytes = std::min(init.mailbox.bytes, mailboxes.bytes);
  paths_[a.agent] = init.path;
  agents_[a.agent] = std::make_unique<agent>(*this, a, std::move(init), random_.next());
  return a;
}

bool simulation::bind(std::string_view name, const address& holder, bool replace) {
  if (!names_.bind(name, holder, replace)) return false;
  names_of_.emplace(holder.agent, name);
  return true;
}

void simulation::unbind(const address& holder) {
  const auto [first, last] = names_of_.equal_range(holder.agent);
  for (auto own = first; own != last; ++own)
    names_.unbind(own->second, holder);
  names_of_.erase(first, last);
}

address simulation::lookup(std::string_view name) const {
  return names_.lookup(name);
}

bool simulation::was_held(std::string_view name) const {
  return names_.was_held(name);
}

std::string simulation::path_of(const address& a) const {
  auto found = paths_.find(a.agent);
  return found != paths_.end() ? found->second : std::string();
}

void simulation::report(const runtime_event& event) {
  events.push_back(event);
  if (event.what == runtime_event::what::ended) reasons_[event.agent.agent] = event.reason;
}

void simulation::log(log_level, std::string_view component, std::string_view message, value::map) {
  log_lines.push_back(std::string(component) + ": " + std::string(message));
}

outlet simulation::outlet_to(const address& a) {
  return outlet(std::make_shared<simulated_outlet>(mail_, a));
}

}  // namespace troupe
