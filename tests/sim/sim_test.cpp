// SPDX-License-Identifier: Apache-2.0
//
// Worlds from 200 seeds keep every promise; a seed replays exactly; each promise, broken on
// purpose, is seen to be broken.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <memory>
#include <ostream>

#include "base/msgpack.hpp"
#include "sim/world.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

std::string text_of(const std::vector<breach>& breaches) {
  std::string text;
  for (const auto& b : breaches)
    text += std::string(to_string(b.what)) + ": " + b.how + "\n";
  return text;
}

// Four times 50 seeds, so that they run beside each other.
class sim_worlds : public testing::TestWithParam<std::uint64_t> {};

TEST_P(sim_worlds, keep_every_promise) {
  std::map<std::string, std::uint64_t> counts;
  for (auto seed = GetParam(); seed < GetParam() + 50; ++seed) {
    const auto told = run_world({.seed = seed});
    EXPECT_TRUE(told.breaches.empty())
        << "seed " << seed << " (sim_soak --story " << seed << " tells it):\n"
        << text_of(told.breaches);
    for (const auto& [what, n] : told.counts)
      counts[what] += n;
  }
  EXPECT_GT(counts["came up"], 30u);
  for (const char* what :
       {"started", "ended", "dead letters", "late replies", "restarted", "given up", "overloaded"})
    EXPECT_GT(counts[what], 0u) << "too little goes on in these worlds: " << what;
}

INSTANTIATE_TEST_SUITE_P(of, sim_worlds, testing::Values(1, 51, 101, 151));

TEST(sim, tells_the_same_story_from_the_same_seed) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed)
    EXPECT_EQ(run_world({.seed = seed}).hash, run_world({.seed = seed}).hash) << "seed " << seed;
  EXPECT_NE(run_world({.seed = 1}).hash, run_world({.seed = 2}).hash);
}

TEST(sim, lets_messages_of_different_pairs_overtake_each_other_where_they_travel) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    simulation world(seed);
    world.messages_travel = true;
    std::string heard;
    const auto last = *world.add("last", [&](context&, envelope& e) { heard += e.verb; });
    const auto second = *world.add("second", [&](context& ctx, envelope&) {
      ctx.send(no_cause, last, "c", *pack(value::array{}));
    });
    const auto first = *world.add("first", [&](context& ctx, envelope&) {
      for (const char* verb : {"a", "b"})
        ctx.send(no_cause, last, verb, *pack(value::array{}));
      ctx.send(no_cause, second, "go", *pack(value::array{}));
    });
    world.send(first, "go");
    seen.insert(heard);
  }
  EXPECT_EQ(seen, (std::set<std::string>{"abc", "acb", "cab"}));
}

std::string output_of(const std::string& command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), &::pclose);
  if (!pipe) return text;
  char buffer[4096];
  while (const auto n = std::fread(buffer, 1, sizeof buffer, pipe.get()))
    text.append(buffer, n);
  return text;
}

TEST(sim, tells_the_same_story_in_another_process) {
#ifndef TROUPE_TABLES_REPEAT
  GTEST_SKIP() << "Lua's archive (liblua5.4.a) is not here, so the order of its tables is free";
#endif
  std::string here;
  for (unsigned seed = 1; seed <= 20; ++seed) {
    char line[64];
    std::snprintf(line, sizeof line, "%u %016llx\n", seed,
                  static_cast<unsigned long long>(run_world({.seed = seed}).hash));
    here += line;
  }
  EXPECT_EQ(output_of(TROUPE_SIM_SOAK " --hashes 20"), here);
  EXPECT_EQ(
      output_of("MOVES_THE_STACK=" + std::string(3000, 'x') + " " TROUPE_SIM_SOAK " --hashes 20"),
      here);
}

// -- broken on purpose

struct harm {
  const char* name;
  test::sabotage what;
  promise breaks;
};

void PrintTo(const harm& h, std::ostream* to) {
  *to << h.name;
}

class sim_broken : public testing::TestWithParam<harm> {};

TEST_P(sim_broken, is_seen) {
  const auto [name, what, breaks] = GetParam();
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    const auto told = run_world({.seed = seed, .sabotage = what});
    for (const auto& b : told.breaches)
      if (b.what == breaks) return;
  }
  ADD_FAILURE() << name << " was never seen to break " << to_string(breaks);
}

INSTANTIATE_TEST_SUITE_P(
    on_purpose, sim_broken,
    testing::Values(harm{"overtake", sabotage::overtake, promise::order},
                    harm{"hasty_down", sabotage::hasty_down, promise::order},
                    harm{"answer_twice", sabotage::answer_twice, promise::one_end},
                    harm{"lose_call", sabotage::lose_call, promise::one_end},
                    harm{"late_answer", sabotage::late_answer, promise::deadline},
                    harm{"extra_credit", sabotage::extra_credit, promise::credit},
                    harm{"two_at_once", sabotage::two_at_once, promise::slots},
                    harm{"unknown_child", sabotage::unknown_child, promise::known_child},
                    harm{"hasty_start", sabotage::hasty_start, promise::start_order},
                    harm{"hasty_stop", sabotage::hasty_stop, promise::stop_order},
                    harm{"keep_name", sabotage::keep_name, promise::name},
                    harm{"two_holders", sabotage::two_holders, promise::name},
                    harm{"lose_down", sabotage::lose_down, promise::down},
                    harm{"early_tick", sabotage::early_tick, promise::timer},
                    harm{"talk_after_stop", sabotage::talk_after_stop, promise::stop},
                    harm{"stay", sabotage::stay, promise::nothing_left}),
    [](const auto& info) { return info.param.name; });

TEST(sim_ledger, sees_a_call_handled_past_its_deadline) {
  ledger book;
  address a;
  a.agent = 1;
  envelope call;
  call.kind = kind::call;
  call.cause = 1;
  call.deadline = instant(std::chrono::seconds(1));
  book.received(a, call, {}, instant(std::chrono::seconds(1)));
  ASSERT_EQ(book.breaches().size(), 1u);
  EXPECT_EQ(book.breaches()[0].what, promise::deadline);
}

TEST(sim_ledger, sees_nothing_wrong_in_a_call_that_is_answered_and_a_breach_in_a_second_answer) {
  ledger book;
  address a;
  a.agent = 1;
  book.called(a, no_cause, 7, std::chrono::seconds(1), 0, instant());
  envelope reply;
  reply.kind = kind::reply;
  reply.id = 7;
  book.received(a, reply, {}, instant());
  EXPECT_TRUE(book.breaches().empty()) << text_of(book.breaches());
  book.received(a, reply, {}, instant());
  ASSERT_EQ(book.breaches().size(), 1u);
  EXPECT_EQ(book.breaches()[0].what, promise::one_end);
}

}  // namespace
}  // namespace troupe::test
