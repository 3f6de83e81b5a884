// SPDX-License-Identifier: Apache-2.0
#include "sim/observed.hpp"

#include <utility>

namespace troupe::test {

namespace {

/// Passes everything on. Answers that a process makes on its own are calls to the ledger too:
/// sleep, spawn, find and bind end as calls do.
class noting_context final : public context {
 public:
  noting_context(ledger& book, const sabotage* harm) : book_(book), harm_(harm) {}

  context* inner = nullptr;

  const address& self() const override { return inner->self(); }
  const std::string& path() const override { return inner->path(); }
  const authority_ptr& own_authority() const override { return inner->own_authority(); }
  instant now() const override { return inner->now(); }
  wall_time wall() const override { return inner->wall(); }
  std::uint64_t random() override { return inner->random(); }
  void send(cause_id on, const target& to, std::string_view verb, bytes args) override {
    inner->send(on, to, verb, std::move(args));
  }
  void call(cause_id on, call_id id, const target& to, std::string_view verb, bytes args,
            const call_options& options) override {
    book_.called(self(), on, id, options.timeout, options.credit, now());
    if (is(sabotage::lose_call) && verb != start_verb) return;
    auto given = options;
    if (is(sabotage::late_answer))
      given.timeout = add(instant(), given.timeout) == never ? given.timeout : given.timeout * 2;
    inner->call(is(sabotage::late_answer) ? no_cause : on, id, to, verb, std::move(args), given);
  }
  void sleep(cause_id on, call_id id, duration delay) override {
    book_.called(self(), no_cause, id, delay, 0, now());
    inner->sleep(on, id, delay);
  }
  void cancel(call_id id) override {
    book_.took_back(self(), id);
    inner->cancel(id);
  }
  void grant(call_id id, std::uint32_t parts) override {
    book_.granted(self(), id, parts);
    inner->grant(id, parts);
  }
  result<void> part(cause_id on, bytes body) override { return inner->part(on, std::move(body)); }
  void reply(cause_id on, bytes body) override {
    book_.answered(self(), on, true, body);
    inner->reply(on, std::move(body));
  }
  void fail(cause_id on, const error& why) override {
    book_.answered(self(), on, false, {});
    inner->fail(on, why);
  }
  void done(cause_id on) override {
    book_.done(self(), on);
    inner->done(on);
  }
  void spawn(cause_id on, call_id id, const value& spec) override {
    book_.called(self(), on, id, std::chrono::seconds(60), 0, now());
    inner->spawn(on, id, spec);
  }
  void find(call_id id, std::string_view name) override {
    book_.called(self(), no_cause, id, duration::zero(), 0, now());
    inner->find(id, name);
  }
  void bind(call_id id, std::string_view name) override {
    book_.called(self(), no_cause, id, duration::zero(), 0, now());
    inner->bind(id, name);
  }
  void exit(error reason) override { inner->exit(std::move(reason)); }
  void exit(const target& whom, error reason) override { inner->exit(whom, std::move(reason)); }
  void monitor(monitor_id id, const target& whom) override {
    book_.monitors(self(), id, whom);
    inner->monitor(id, whom);
  }
  void demonitor(monitor_id id) override {
    book_.demonitors(self(), id);
    inner->demonitor(id);
  }
  void link(const target& whom) override { inner->link(whom); }
  void unlink(const target& whom) override { inner->unlink(whom); }
  void trap_exits(bool on) override { inner->trap_exits(on); }
  void set_timer(timer_id id, duration delay) override {
    book_.set_timer(self(), id, add(now(), delay));
    inner->set_timer(id, is(sabotage::early_tick) ? delay / 2 : delay);
  }
  void cancel_timer(timer_id id) override {
    book_.cancelled_timer(self(), id);
    inner->cancel_timer(id);
  }
  void log(log_level level, std::string_view message, value::map fields) override {
    inner->log(level, message, std::move(fields));
  }
  outlet make_outlet() override { return inner->make_outlet(); }

  bool is(sabotage what) const { return harm_ != nullptr && *harm_ == what; }

 private:
  ledger& book_;
  const sabotage* harm_;
};

class observed final : public behaviour {
 public:
  observed(std::unique_ptr<behaviour> inner, ledger& book, const sabotage* harm)
      : inner_(std::move(inner)), book_(book), notes_(book, harm) {}
  ~observed() override {
    inner_.reset();
    if (self_) book_.gone(self_);
  }

  progress receive(context& ctx, envelope_ptr e) override {
    notes_.inner = &ctx;
    self_ = ctx.self();
    book_.received(self_, *e, overlap_, ctx.now());
    const bool is_mail = e->kind == kind::send || e->kind == kind::call;
    if (is_mail && notes_.is(sabotage::two_at_once)) ctx.done(e->cause);
    if (e->kind == kind::stop && notes_.is(sabotage::talk_after_stop)) {
      envelope another;
      another.cause = e->cause + 1;
      book_.received(self_, another, overlap_, ctx.now());
    }
    return inner_->receive(notes_, std::move(e));
  }
  progress resume(context& ctx) override {
    notes_.inner = &ctx;
    return inner_->resume(notes_);
  }
  concurrency overlap() const override { return overlap_ = inner_->overlap(); }
  value inspect() const override { return inner_->inspect(); }

 private:
  std::unique_ptr<behaviour> inner_;
  ledger& book_;
  noting_context notes_;
  address self_;
  mutable concurrency overlap_;  ///< as its process asked for it last
};

}  // namespace

std::unique_ptr<behaviour> observe(std::unique_ptr<behaviour> inner, ledger& book,
                                   const sabotage* harm) {
  return std::make_unique<observed>(std::move(inner), book, harm);
}

}  // namespace troupe::test
