// SPDX-License-Identifier: Apache-2.0
//
// A program in another language as an agent: tests/support/echo_agent.py, the example of
// sdk/docs/channel.md.
#include <gmock/gmock.h>

#include "unit/worker/worker_world.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class python_agent : public worker_world {
 protected:
  python_agent() : worker_world(TEST_WORKER) {
    spec.id = "python";
    spec.start = start_program{{PYTHON, ECHO_AGENT}};
  }
};

TEST_F(python_agent, gives_back_each_kind_of_data_as_it_came) {
  const auto a = run(spec);
  value::map map{{"a", 1}, {"b", value::array{true, nullptr}}, {3, "three"}};
  const value::array data = {nullptr,
                             true,
                             0,
                             -1,
                             std::int64_t{1} << 62,
                             -(std::int64_t{1} << 62),
                             1.5,
                             "text with \xc3\xa4",
                             std::string(70'000, 'x'),
                             value::binary{std::string("\0\xff", 2)},
                             to_value(a),
                             value::array(20, value(7)),
                             map};
  EXPECT_EQ(ask(a, "echo", data), value(data));
}

TEST_F(python_agent, knows_who_and_where_it_is) {
  const auto a = run(spec);
  const auto who = ask(a, "who");
  EXPECT_EQ(who["path"], value("python"));
  EXPECT_EQ(address_from(who["self"]), a);
  EXPECT_EQ(address_from(who["from"]), probe_);
  EXPECT_EQ(who["folder"], value("/usr"));
}

TEST_F(python_agent, calls_others_and_passes_on_their_answers_and_failures) {
  const auto a = run(spec);
  ASSERT_TRUE(sim->add("adder", [](context& ctx, envelope& e) {
    const auto args = *unpack(e.body.view());
    if (!args.as_array().at(0).is_int()) return ctx.fail(e.cause, {errc::bad_argument, "a number"});
    ctx.reply(e.cause, *pack(args.as_array()[0].as_int() + args.as_array()[1].as_int()));
  }));
  EXPECT_EQ(ask(a, "forward", {"adder", "add", 2, 3}), value(5));
  const auto failed = call(a, "forward", {"adder", "add", "two", 3});
  ASSERT_FALSE(failed);
  EXPECT_TRUE(failed.error().is(errc::bad_argument));
  EXPECT_TRUE(call(a, "forward", {"nobody", "add"}).error().is(errc::no_such_agent));
  EXPECT_TRUE(call(a, "no_such_verb").error().is(errc::unknown_verb));
}

TEST_F(python_agent, answers_in_parts_as_they_are_asked_for) {
  const auto a = run(spec);
  const auto id = begin_call(a, "count", {5}, {.timeout = 1h, .credit = 2});
  auto& got = answer_to(id);
  ASSERT_TRUE(got.got) << got.data().as_string();
  EXPECT_THAT(got.parts, ElementsAre(1, 2, 3, 4, 5));
}

TEST_F(python_agent, serves_a_verb_that_overlaps_while_it_sleeps) {
  const auto a = run(spec);
  const auto id = begin_call(a, "later", {60});
  until([&] { return sim->call(a, inspect_verb)->find("calls")->as_int() == 1; });
  EXPECT_EQ(ask(a, "who")["path"], value("python"));
  sim->advance(60s);
  EXPECT_EQ(answer_to(id).data(), value("now"));
}

TEST_F(python_agent, stops_in_order) {
  const auto a = run(spec);
  stop(a);
  EXPECT_TRUE(reason_of(a).is(errc::shutdown)) << reason_of(a).describe();
  EXPECT_THAT(logged(), HasSubstr("python: stops in order"));
}

TEST_F(python_agent, crashes_with_its_traceback) {
  const auto a = run(spec);
  begin_call(a, "crash", {"no luck"});
  const auto& why = reason_of(a);
  EXPECT_TRUE(why.is(errc::crash));
  EXPECT_EQ(why.message, "worker ended with exit code 1");
  EXPECT_THAT(why.traceback, HasSubstr("RuntimeError: no luck"));
}

}  // namespace
}  // namespace troupe::test
