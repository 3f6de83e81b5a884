// SPDX-License-Identifier: Apache-2.0
//
// The queue in front of an agent: order, bounds, and the sleep protocol under many threads. Built
// with ThreadSanitizer as well.
#include "agent/mailbox.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

namespace troupe {
namespace {

envelope_ptr message(std::uint64_t id, kind k = kind::send, std::string_view body = {}) {
  auto e = std::make_unique<envelope>();
  e->kind = k;
  e->id = id;
  e->body = bytes(body);
  return e;
}

mailbox::pushed push(mailbox& box, std::uint64_t id, kind k = kind::send,
                     std::string_view body = {}) {
  auto e = message(id, k, body);
  const auto how = box.push(e);
  const bool accepted = how == mailbox::pushed::queued || how == mailbox::pushed::schedule;
  EXPECT_EQ(e == nullptr, accepted) << "a refused message stays with its sender";
  return how;
}

/// Ids of what a list holds, oldest first; releases and deletes it.
std::vector<std::uint64_t> drain(mailbox& box, envelope* list) {
  std::vector<std::uint64_t> ids;
  while (list != nullptr) {
    const envelope_ptr e(list);
    list = e->next;
    ids.push_back(e->id);
    box.release(*e);
  }
  return ids;
}
using ids = std::vector<std::uint64_t>;

TEST(mailbox_test, hands_out_messages_in_arrival_order) {
  mailbox box({});
  for (std::uint64_t i = 1; i <= 3; ++i)
    push(box, i);
  EXPECT_EQ(drain(box, box.take_all()), (ids{1, 2, 3}));
  EXPECT_EQ(box.take_all(), nullptr);
}

TEST(mailbox_test, asks_to_be_scheduled_once_per_sleep) {
  mailbox box({});
  EXPECT_EQ(push(box, 1), mailbox::pushed::schedule) << "it starts asleep";
  EXPECT_EQ(push(box, 2), mailbox::pushed::queued);
  drain(box, box.take_all());
  EXPECT_EQ(push(box, 3), mailbox::pushed::queued) << "the reader is awake";
  drain(box, box.take_all());
  ASSERT_TRUE(box.try_sleep());
  EXPECT_EQ(push(box, 4), mailbox::pushed::schedule);
}

TEST(mailbox_test, does_not_sleep_over_a_message) {
  mailbox box({});
  push(box, 1);
  drain(box, box.take_all());
  push(box, 2);
  EXPECT_FALSE(box.try_sleep());
  EXPECT_EQ(drain(box, box.take_all()), (ids{2}));
  EXPECT_TRUE(box.try_sleep());
}

TEST(mailbox_test, a_poke_wakes_a_sleeper) {
  mailbox box({});
  EXPECT_TRUE(box.poke());
  EXPECT_EQ(box.take_all(), nullptr);
  EXPECT_TRUE(box.try_sleep()) << "what scheduled it needs no second look";
}

TEST(mailbox_test, a_poke_of_a_reader_who_is_awake_costs_it_one_sleep) {
  mailbox box({});
  box.poke();
  EXPECT_FALSE(box.poke());
  EXPECT_FALSE(box.poke());
  EXPECT_FALSE(box.try_sleep());
  EXPECT_TRUE(box.try_sleep());
}

TEST(mailbox_test, a_poke_is_not_lost_behind_messages) {
  mailbox box({});
  push(box, 1);
  EXPECT_FALSE(box.poke());
  EXPECT_EQ(push(box, 2), mailbox::pushed::queued);
  EXPECT_EQ(drain(box, box.take_all()), (ids{1, 2}));
  EXPECT_FALSE(box.try_sleep());
  EXPECT_TRUE(box.try_sleep());
}

TEST(mailbox_test, a_poke_before_the_messages_is_not_lost_either) {
  mailbox box({});
  box.poke();
  box.poke();
  push(box, 1);
  EXPECT_FALSE(box.try_sleep());
  EXPECT_EQ(drain(box, box.take_all()), (ids{1}));
  EXPECT_FALSE(box.try_sleep());
  EXPECT_TRUE(box.try_sleep());
}

TEST(mailbox_test, refuses_sends_and_calls_above_the_bound_in_messages) {
  mailbox box({.messages = 2, .bytes = 1u << 20});
  push(box, 1, kind::send);
  push(box, 2, kind::call);
  EXPECT_EQ(push(box, 3, kind::send), mailbox::pushed::full);
  EXPECT_EQ(push(box, 3, kind::call), mailbox::pushed::full);
  EXPECT_EQ(box.count(), 2u);
  EXPECT_EQ(drain(box, box.take_all()), (ids{1, 2}));
  EXPECT_EQ(box.count(), 0u);
  EXPECT_EQ(push(box, 4), mailbox::pushed::queued);
}

TEST(mailbox_test, counts_what_was_taken_until_it_is_released) {
  mailbox box({.messages = 1, .bytes = 1u << 20});
  push(box, 1);
  envelope* taken = box.take_all();
  EXPECT_EQ(push(box, 2), mailbox::pushed::full);
  drain(box, taken);
  EXPECT_EQ(push(box, 3), mailbox::pushed::queued);
}

TEST(mailbox_test, refuses_above_the_bound_in_bytes) {
  const std::string big(1000, 'x');
  mailbox box({.messages = 100, .bytes = 2 * (sizeof(envelope) + 1000) + 100});
  push(box, 1, kind::send, big);
  push(box, 2, kind::send, big);
  EXPECT_EQ(push(box, 3, kind::send, big), mailbox::pushed::full);
  EXPECT_GE(box.weight(), 2000u);
  drain(box, box.take_all());
  EXPECT_EQ(box.weight(), 0u);
}

TEST(mailbox_test, takes_everything_but_sends_and_calls_above_the_bound) {
  mailbox box({.messages = 0, .bytes = 0});
  EXPECT_EQ(push(box, 1, kind::send), mailbox::pushed::full);
  EXPECT_EQ(push(box, 2, kind::reply), mailbox::pushed::schedule);
  for (const kind k : {kind::part, kind::credit, kind::cancel, kind::error, kind::start, kind::stop,
                       kind::down, kind::exit, kind::timer, kind::event, kind::monitor,
                       kind::demonitor, kind::link, kind::unlink, kind::exit_signal})
    EXPECT_EQ(push(box, 3, k), mailbox::pushed::queued) << to_string(k);
  EXPECT_EQ(box.count(), 0u);
  drain(box, box.take_all());
}

TEST(mailbox_test, a_bound_beyond_what_can_be_counted_is_cut) {
  mailbox box({.messages = UINT32_MAX, .bytes = SIZE_MAX});
  EXPECT_EQ(push(box, 1), mailbox::pushed::schedule);
  EXPECT_EQ(push(box, 2), mailbox::pushed::queued);
  EXPECT_EQ(box.count(), 2u);
}

TEST(mailbox_test, closing_hands_out_the_rest_and_refuses_what_comes_later) {
  mailbox box({});
  push(box, 1);
  push(box, 2);
  box.poke();
  EXPECT_EQ(drain(box, box.close()), (ids{1, 2}));
  EXPECT_EQ(push(box, 3, kind::send), mailbox::pushed::closed);
  EXPECT_EQ(push(box, 4, kind::reply), mailbox::pushed::closed);
  EXPECT_FALSE(box.poke());
  EXPECT_EQ(box.take_all(), nullptr);
  EXPECT_EQ(box.close(), nullptr);
  EXPECT_EQ(box.count(), 0u);
}

TEST(mailbox_test, closes_while_asleep) {
  mailbox box({});
  EXPECT_EQ(box.close(), nullptr);
  EXPECT_EQ(push(box, 1), mailbox::pushed::closed);
}

TEST(mailbox_test, opens_again_asleep_and_with_new_bounds) {
  mailbox box({});
  push(box, 1);
  drain(box, box.close());
  box.reopen({.messages = 1, .bytes = 1u << 20});
  EXPECT_EQ(push(box, 2), mailbox::pushed::schedule);
  EXPECT_EQ(push(box, 3), mailbox::pushed::full);
  EXPECT_EQ(drain(box, box.take_all()), (ids{2}));
  EXPECT_TRUE(box.try_sleep()) << "no poke is left from the life before";
}

TEST(mailbox_test, drops_what_nobody_took) {
  mailbox box({});
  push(box, 1, kind::send, "the leak checker looks for this");
}

/// Runs `turn` on one thread at a time whenever the mailbox asked for it, as a scheduler would.
class one_reader {
 public:
  template <class Turn>
  explicit one_reader(Turn turn)
      : thread_([this, turn] {
          for (;;) {
            due_.acquire();
            if (halted_) return;
            EXPECT_FALSE(running_.exchange(true)) << "scheduled twice";
            turn([this] { running_.store(false); });
          }
        }) {}
  ~one_reader() {
    halted_ = true;
    due_.release();
    thread_.join();
  }
  void schedule() { due_.release(); }

 private:
  std::counting_semaphore<> due_{0};
  std::atomic<bool> halted_{false}, running_{false};
  std::thread thread_;
};

TEST(mailbox_test, keeps_order_per_writer_and_loses_nothing_under_four_threads) {
  constexpr std::uint64_t writers = 3, each = 20'000;
  mailbox box({.messages = 1u << 22, .bytes = std::size_t{1} << 36});
  // Not atomic on purpose: the sleep protocol alone has to order the turns.
  std::vector<std::uint64_t> last(writers, 0);
  std::uint64_t seen = 0, wrong = 0;
  std::atomic<bool> all{false};
  {
    one_reader reader([&](auto before_sleep) {
      for (;;) {
        for (envelope* e = box.take_all(); e != nullptr;) {
          const envelope_ptr mine(e);
          e = e->next;
          auto& before = last[mine->id % writers];
          if (mine->id / writers != before + 1) ++wrong;
          before = mine->id / writers;
          ++seen;
          box.release(*mine);
        }
        if (seen == writers * each) {
          all = true;
          all.notify_all();
        }
        before_sleep();
        if (box.try_sleep()) return;
      }
    });
    std::vector<std::thread> threads;
    for (std::uint64_t w = 0; w < writers; ++w)
      threads.emplace_back([&, w] {
        for (std::uint64_t i = 1; i <= each; ++i)
          if (push(box, i * writers + w, i % 2 == 0 ? kind::send : kind::reply) ==
              mailbox::pushed::schedule)
            reader.schedule();
      });
    for (auto& t : threads)
      t.join();
    all.wait(false);
  }
  EXPECT_EQ(wrong, 0u);
  EXPECT_EQ(seen, writers * each);
  EXPECT_EQ(box.count(), 0u);
  EXPECT_EQ(box.weight(), 0u);
}

TEST(mailbox_test, no_poke_is_lost_between_turns) {
  constexpr int rounds = 20'000;
  mailbox box({});
  std::atomic<int> wanted{0}, honoured{0};
  one_reader reader([&](auto before_sleep) {
    do {
      for (envelope* e = box.take_all(); e != nullptr;) {
        const envelope_ptr mine(e);
        e = e->next;
        box.release(*mine);
      }
      honoured = wanted.load();
      honoured.notify_all();
      std::this_thread::yield();  // the poke should come just here
      before_sleep();
    } while (!box.try_sleep());
  });
  for (int i = 1; i <= rounds; ++i) {
    // What the message wakes may look at `wanted` too early; only the poke makes it look again.
    if (push(box, 1) == mailbox::pushed::schedule) reader.schedule();
    while (box.count() != 0)
      std::this_thread::yield();
    wanted = i;
    if (box.poke()) reader.schedule();
    for (int seen = honoured; seen < i; seen = honoured)
      honoured.wait(seen);
  }
  EXPECT_EQ(honoured, rounds);
}

TEST(mailbox_test, every_message_pushed_at_a_closing_mailbox_is_taken_or_refused) {
  constexpr int rounds = 300, each = 20;
  mailbox box({});
  for (int round = 0; round < rounds; ++round) {
    std::atomic<int> refused{0}, ready{0};
    std::vector<std::thread> writers;
    for (int w = 0; w < 2; ++w)
      writers.emplace_back([&] {
        ++ready;
        for (std::uint64_t i = 0; i < each; ++i)
          if (push(box, i) == mailbox::pushed::closed) ++refused;
      });
    while (ready < 1)
      std::this_thread::yield();
    const auto taken = drain(box, box.close()).size();
    for (auto& t : writers)
      t.join();
    EXPECT_EQ(taken + static_cast<std::size_t>(refused), 2u * each);
    EXPECT_EQ(box.count(), 0u);
    box.reopen({});
  }
}

}  // namespace
}  // namespace troupe
