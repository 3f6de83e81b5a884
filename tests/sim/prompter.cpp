// SPDX-License-Identifier: Apache-2.0
#include "sim/prompter.hpp"

#include <utility>

namespace troupe::test {

namespace {

class prompter final : public behaviour {
 public:
  explicit prompter(std::shared_ptr<prompts> from) : from_(std::move(from)) {}
  concurrency overlap() const override { return {.slots = concurrency::unlimited}; }

  progress receive(context& ctx, envelope_ptr e) override {
    switch (e->kind) {
      case kind::start:
        ctx.reply(e->cause, {});
        ctx.done(e->cause);
        break;
      case kind::event:
        while (auto f = next())
          f(ctx);
        break;
      case kind::part:
        if (++parts_ % 2 == 0) ctx.grant(e->id, 1);
        break;
      case kind::call:
        ctx.fail(e->cause, {errc::unknown_verb, "it asks, and answers nothing"});
        ctx.done(e->cause);
        break;
      case kind::stop:
        ctx.exit(unpack_error(e->body));
        break;
      default:
        break;
    }
    return progress::idle;
  }

 private:
  std::function<void(context&)> next() {
    const std::lock_guard lock(from_->mutex);
    if (from_->orders.empty()) return {};
    auto f = std::move(from_->orders.front());
    from_->orders.pop_front();
    return f;
  }

  std::shared_ptr<prompts> from_;
  std::uint64_t parts_ = 0;
};

}  // namespace

std::unique_ptr<behaviour> make_prompter(std::shared_ptr<prompts> from) {
  return std::make_unique<prompter>(std::move(from));
}

}  // namespace troupe::test
