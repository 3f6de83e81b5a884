// SPDX-License-Identifier: Apache-2.0
//
// What an agent may make the runtime hold, and what stays of it when it ends: little.
#include <random>

#include "agent/exit_reason.hpp"
#include "agent/process.hpp"
#include "agent/watchers.hpp"
#include "base/msgpack.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

std::vector<std::uint64_t> ids_of(const watcher_list& list) {
  std::vector<std::uint64_t> ids;
  list.for_each([&](const address&, monitor_id id) { ids.push_back(id); });
  return ids;
}

TEST(watcher_list_test, keeps_the_order_in_which_they_came_however_many_are_taken_back) {
  std::mt19937 random(1);
  const address who{.agent = 7}, another{.agent = 8};
  for (const std::size_t many : {3, 31, 32, 33, 34, 1000}) {
    watcher_list list;
    std::vector<std::uint64_t> left;
    for (std::uint64_t id = 1; id <= many; ++id) {
      list.add(who, id);
      left.push_back(id);
    }
    while (!left.empty()) {
      ASSERT_EQ(ids_of(list), left);
      ASSERT_EQ(list.size(), left.size());
      const auto i = random() % left.size();
      list.remove(another, left[i]);  // somebody else's: not that one
      list.remove(who, left[i]);
      list.remove(who, left[i]);  // once more: nothing
      left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
    }
    EXPECT_EQ(list.size(), 0u);
  }
}

TEST(kept_reason_test, is_the_reason_itself_if_that_is_small) {
  error why(errc::crash, "no luck");
  why.data = value::map{{"n", 1}};
  why.traceback = "a.lua:1";
  why = why.wrapped(errc::down, "b ended");
  EXPECT_EQ(kept_reason(why), why);
}

TEST(kept_reason_test, is_cut_where_a_script_put_too_much_into_it) {
  error why(std::string(1000, 'c'), std::string(1, 'x') + std::string(10'000, '\xc3'));
  why.message.clear();
  for (int i = 0; i < 5000; ++i)
    why.message += "\xc3\xa4";
  why.data = value::map{{"text", std::string(1u << 20, 'y')}};
  why.traceback = std::string(1u << 20, 't');
  for (int i = 0; i < 100; ++i)
    why = why.wrapped(errc::down, std::string(5000, 'd'));
  const auto kept = kept_reason(why);
  int causes = 0;
  for (const auto* e = &kept; e != nullptr; e = e->cause.get(), ++causes)
    EXPECT_EQ(e->message, std::string(4096, 'd').append("..."));
  EXPECT_EQ(causes, 9);
  EXPECT_TRUE(kept_reason(error("mine", std::string(4095, 'x') + "\xc3\xa4")).message ==
              std::string(4095, 'x') + "...")
      << "not in the middle of a character";
  error large(errc::failed, "x");
  large.data = std::string(1u << 20, 'y');
  EXPECT_TRUE(kept_reason(large).data.is_nil());
}

class holdings_test : public testing::Test {
 protected:
  simulation world;

  std::int64_t watchers_of(const address& a) {
    return world.call(a, inspect_verb).value()["watchers"].as_int();
  }
  address doing(const std::string& path, std::function<void(context&)> f) {
    return *world.add(path, [f](context& ctx, envelope& e) {
      if (e.verb == "go") f(ctx);
    });
  }
};

TEST_F(holdings_test, an_agent_that_ends_takes_its_monitors_back) {
  const auto target = doing("target", [](context&) {});
  const auto a = doing("a", [&](context& ctx) {
    for (monitor_id id = 1; id <= 100; ++id)
      ctx.monitor(id, target);
  });
  world.send(a, "go");
  world.settle();
  EXPECT_EQ(watchers_of(target), 100);
  world.exit(a, errc::kill);
  world.settle();
  EXPECT_EQ(watchers_of(target), 0);
}

TEST_F(holdings_test, an_agent_with_too_many_monitors_links_or_timers_ends_with_that_limit) {
  const auto target = doing("target", [](context&) {});
  const std::pair<const char*, std::function<void(context&)>> all[] = {
      {"monitors",
       [&](context& ctx) {
         for (monitor_id id = 1; id <= most_monitors + 1; ++id)
           ctx.monitor(id, target);
       }},
      {"links",
       [](context& ctx) {
         for (std::uint64_t n = 1; n <= most_links + 1; ++n)
           ctx.link(address{.agent = n});
       }},
      {"timers",
       [](context& ctx) {
         for (timer_id id = 1; id <= most_timers + 1; ++id)
           ctx.set_timer(id, std::chrono::hours(1));
       }},
  };
  for (const auto& [what, f] : all) {
    const auto a = doing("a", f);
    world.send(a, "go");
    world.settle();
    ASSERT_NE(world.reason_of(a), nullptr) << what;
    EXPECT_TRUE(world.reason_of(a)->is(errc::limit)) << world.reason_of(a)->describe();
    EXPECT_EQ(*world.reason_of(a)->data.find("what"), value(what));
  }
}

TEST_F(holdings_test, an_agent_registers_so_many_names_and_none_that_is_too_long) {
  std::vector<std::string> answers;
  const auto a = *world.add("a", [&](context& ctx, envelope& e) {
    if (e.kind == kind::error) answers.push_back(unpack_error(e.body).code);
    if (e.verb != "go") return;
    ctx.bind(1, std::string(longest_name + 1, 'x'));
    for (std::size_t i = 0; i <= most_names; ++i)
      ctx.bind(2 + i, "name" + std::to_string(i));
  });
  world.send(a, "go");
  world.settle();
  EXPECT_EQ(answers, (std::vector<std::string>{"bad_argument", "limit"}));
}

TEST_F(holdings_test, a_name_counts_once_however_often_its_holder_registers_it) {
  std::size_t answers = 0, failures = 0;
  const auto a = *world.add("a", [&](context& ctx, envelope& e) {
    if (e.kind == kind::reply) ++answers;
    if (e.kind == kind::error) ++failures;
    if (e.verb != "go") return;
    for (std::size_t i = 0; i <= most_names; ++i)
      ctx.bind(1 + i, "clock");
  });
  world.send(a, "go");
  world.settle();
  EXPECT_EQ(answers, most_names + 1);
  EXPECT_EQ(failures, 0u);
}

TEST_F(holdings_test, a_verb_or_a_path_that_is_too_long_is_refused_before_it_costs_anything) {
  int handled = 0;
  const auto a = *world.add("a", [&](context&, envelope& e) { handled += e.kind != kind::start; });
  const auto answer = world.call(a, std::string(1u << 20, 'x'));
  ASSERT_FALSE(answer);
  EXPECT_TRUE(answer.error().is(errc::unknown_verb)) << answer.error().code;
  EXPECT_LT(answer.error().message.size(), 200u);
  EXPECT_EQ(handled, 0);
  const auto nobody = world.call(std::string(1u << 20, 'x'), "ask");
  ASSERT_FALSE(nobody);
  EXPECT_TRUE(nobody.error().is(errc::no_such_agent));
  EXPECT_LT(nobody.error().message.size(), 200u);
}

}  // namespace
}  // namespace troupe::test
