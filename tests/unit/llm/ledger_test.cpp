// SPDX-License-Identifier: Apache-2.0
#include "actors/llm/ledger.hpp"

#include <gtest/gtest.h>

namespace troupe {
namespace {

using namespace std::chrono_literals;

struct ledger_test : testing::Test {
  ledger books;
  instant now = instant(1h);

  authority agent(std::string path, std::vector<budget_place> budgets) {
    authority a;
    a.path = std::move(path);
    a.budgets = std::move(budgets);
    return a;
  }
  static budget_place tokens(std::string path, std::int64_t n) {
    return *budget_place::from(value::map{{"tokens", n}}, std::move(path));
  }
  static spending use(std::uint64_t input, std::uint64_t output, double cost = 0) {
    spending s;
    s.input = input;
    s.output = output;
    s.cost = cost;
    s.calls = 1;
    return s;
  }
};

TEST_F(ledger_test, lets_in_exactly_the_reservations_that_fit) {
  auto a = agent("desk/a", {tokens("desk", 100)});
  int passed = 0;
  for (int i = 0; i < 5; ++i)
    if (books.reserve(a, use(20, 20), now)) ++passed;
  EXPECT_EQ(passed, 2);
}

TEST_F(ledger_test, gives_back_what_was_reserved_and_not_used) {
  auto a = agent("desk/a", {tokens("desk", 100)});
  ASSERT_TRUE(books.reserve(a, use(10, 80), now));
  books.settle(a, use(10, 80), use(10, 5), now);
  EXPECT_EQ(books.left(a, now)["tokens"], value(85));
}

TEST_F(ledger_test, holds_the_budgets_of_all_places_above_or_reserves_in_none) {
  auto a = agent("desk/a", {tokens("desk/a", 50), tokens("desk", 1000)});
  auto b = agent("desk/b", {tokens("desk", 1000)});
  auto refused = books.reserve(a, use(30, 30), now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "budget");
  EXPECT_THAT(refused.error().message, testing::HasSubstr("desk/a has 50 tokens left"));
  EXPECT_EQ(books.left(b, now)["tokens"], value(1000)) << "nothing was set aside above";
}

TEST_F(ledger_test, is_not_refilled_by_a_restart_but_by_its_period) {
  auto place = *budget_place::from(value::map{{"tokens", 100}, {"per", "hour"}}, "desk");
  auto a = agent("desk/a", {place});
  ASSERT_TRUE(books.reserve(a, use(50, 50), now));
  books.settle(a, use(50, 50), use(50, 50), now);
  auto restarted = agent("desk/a", {place});
  EXPECT_FALSE(books.reserve(restarted, use(1, 1), now + 59min));
  EXPECT_TRUE(books.reserve(restarted, use(1, 1), now + 60min));
}

TEST_F(ledger_test, counts_what_was_used_for_each_place_above_the_agent) {
  auto a = agent("desk/a", {}), b = agent("desk/b", {});
  books.settle(a, {}, use(1, 2, 0.5), now);
  books.settle(b, {}, use(10, 20, 1), now);
  std::map<std::string, std::int64_t> input;
  const auto all = books.below("");
  for (const auto& place : all.as_array())
    input[std::string(place["place"].as_string())] = place["input"].as_int();
  EXPECT_EQ(input, (std::map<std::string, std::int64_t>{
                       {"", 11}, {"desk", 11}, {"desk/a", 1}, {"desk/b", 10}}));
}

TEST_F(ledger_test, warns_once_when_a_share_is_used) {
  auto place = *budget_place::from(value::map{{"tokens", 100}, {"warn", 0.8}}, "desk");
  auto a = agent("desk/a", {place});
  books.settle(a, {}, use(40, 30), now);
  EXPECT_TRUE(books.take_warnings().empty());
  books.settle(a, {}, use(5, 5), now);
  books.settle(a, {}, use(5, 5), now);
  EXPECT_EQ(books.take_warnings(), std::vector<std::string>({"desk"}));
}

TEST_F(ledger_test, caps_cost_and_calls_as_well) {
  auto place = *budget_place::from(value::map{{"cost", 1.0}, {"calls", 2}}, "desk");
  auto a = agent("desk/a", {place});
  EXPECT_FALSE(books.reserve(a, use(1, 1, 1.5), now));
  EXPECT_TRUE(books.reserve(a, use(1, 1, 0.1), now));
  EXPECT_TRUE(books.reserve(a, use(1, 1, 0.1), now));
  auto third = books.reserve(a, use(1, 1, 0.1), now);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().data["what"], value("calls"));
}

TEST_F(ledger_test, refuses_a_call_once_the_time_of_a_place_is_used) {
  auto place = *budget_place::from(value::map{{"time", 10}, {"warn", 0.5}}, "desk");
  auto a = agent("desk/a", {place});
  spending took;
  took.time = 6;
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(books.reserve(a, use(1, 1), now));
    books.settle(a, use(1, 1), took, now);
    EXPECT_EQ(books.left(a, now)["time"], value(i == 0 ? 4.0 : 0.0));
  }
  auto refused = books.reserve(a, use(1, 1), now);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "budget");
  EXPECT_EQ(refused.error().message,
            "the budget of desk has 0 seconds of its time left, and this call may need some");
  EXPECT_EQ(books.take_warnings(), std::vector<std::string>({"desk"}));
  EXPECT_EQ(books.below("desk").as_array().front()["time"], value(12.0));
}

TEST_F(ledger_test, forgets_the_agents_that_spent_longest_ago_and_keeps_all_sums) {
  ledger few(4);
  const auto rows = [&] {
    std::map<std::string, std::int64_t> input;
    const auto all = few.below("");
    for (const auto& place : all.as_array())
      input[std::string(place["place"].as_string())] = place["input"].as_int();
    return input;
  };
  const auto spend = [&](const std::string& path) {
    few.settle(agent(path, {}), {}, use(1, 0), now);
  };
  spend("desk/a");
  spend("desk/b");
  spend("desk/a");
  spend("desk/c");
  EXPECT_EQ(rows(), (std::map<std::string, std::int64_t>{
                        {"", 4}, {"desk", 4}, {"desk/a", 2}, {"desk/c", 1}}));
  spend("desk/c/x");
  EXPECT_EQ(rows(), (std::map<std::string, std::int64_t>{
                        {"", 5}, {"desk", 5}, {"desk/c", 2}, {"desk/c/x", 1}}));
  spend("lobby/y");
  EXPECT_EQ(rows(), (std::map<std::string, std::int64_t>{
                        {"", 6}, {"desk", 5}, {"lobby", 1}, {"lobby/y", 1}}))
      << "first what is below a place, then the place";
}

TEST_F(ledger_test, stays_small_while_agents_come_and_go) {
  for (int i = 0; i < 30'000; ++i)
    books.settle(agent("boss/" + std::to_string(i), {}), {}, use(1, 1), now);
  EXPECT_EQ(books.below("").as_array().size(), ledger::most_rows);
  EXPECT_EQ(books.below("").as_array().front()["input"], value(30'000));
}

TEST_F(ledger_test, forgets_the_budget_of_a_temporary_agent_when_that_has_ended) {
  auto own = tokens("desk/x", 100), below = tokens("desk/x/y", 50), other = tokens("desk/x2", 100);
  own.is_temporary = true;
  auto a = agent("desk/x/y", {below, own}), b = agent("desk/x2", {other});
  for (const auto& who : {a, b}) {
    ASSERT_TRUE(books.reserve(who, use(10, 10), now));
    books.settle(who, use(10, 10), use(10, 10), now);
  }
  EXPECT_EQ(books.take_opened(), std::vector<std::string>({"desk/x"}));
  EXPECT_EQ(books.left(a, now)["tokens"], value(30));
  ASSERT_TRUE(books.reserve(a, use(10, 10), now));
  books.close("desk/x");
  EXPECT_EQ(books.left(a, now)["tokens"], value(10)) << "a call is still open";
  books.settle(a, use(10, 10), use(10, 10), now);
  EXPECT_EQ(books.left(a, now)["tokens"], value(50));
  EXPECT_EQ(books.left(b, now)["tokens"], value(80)) << "it is not below that place";
}

TEST_F(ledger_test, keeps_no_account_for_who_only_asks_what_is_left) {
  auto own = tokens("desk/x", 100);
  own.is_temporary = true;
  EXPECT_EQ(books.left(agent("desk/x", {own}), now)["tokens"], value(100));
  EXPECT_TRUE(books.take_opened().empty());
}

TEST_F(ledger_test, keeps_no_account_for_what_it_refuses) {
  auto own = tokens("desk/x", 100);
  own.is_temporary = true;
  auto a = agent("desk/x", {own, tokens("desk", 10)});
  EXPECT_FALSE(books.reserve(a, use(10, 10), now));
  EXPECT_TRUE(books.take_opened().empty());
  EXPECT_TRUE(books.reserve(a, use(5, 5), now));
  EXPECT_EQ(books.take_opened(), std::vector<std::string>({"desk/x"}));
}

TEST_F(ledger_test, says_what_is_left_of_a_new_period_while_a_call_of_the_last_one_is_open) {
  auto place = *budget_place::from(value::map{{"tokens", 100}, {"per", "hour"}}, "desk");
  auto a = agent("desk/a", {place});
  ASSERT_TRUE(books.reserve(a, use(20, 20), now));
  EXPECT_EQ(books.left(a, now + 2h)["tokens"], value(60));
  EXPECT_FALSE(books.reserve(a, use(40, 40), now + 2h));
}

TEST(budget_place_test, refuses_what_it_can_not_hold_with_the_nearest_name) {
  auto wrong = budget_place::from(value::map{{"tokns", 3}}, "x");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(wrong.error().message, testing::HasSubstr("tokens"));
  EXPECT_FALSE(budget_place::from(value::map{{"tokens", -3}}, "x"));
  EXPECT_FALSE(budget_place::from(value::map{{"time", "long"}}, "x"));
  EXPECT_FALSE(budget_place::from(value::map{{"tokens", 3}, {"per", "week"}}, "x"));
}

}  // namespace
}  // namespace troupe
