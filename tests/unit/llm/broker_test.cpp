// SPDX-License-Identifier: Apache-2.0
//
// The broker with a codec that answers itself, in the simulation. Over HTTP: endpoint_test.cpp.
#include "actors/llm/llm.hpp"
#include "base/msgpack.hpp"
#include "support/simulation.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;

/// What a codec answers, exchange by exchange; the last one again and again.
struct script {
  std::vector<model_events> answers;
  std::vector<value> chats;
  std::size_t next = 0;
};

class scripted_exchange final : public model_exchange {
 public:
  explicit scripted_exchange(model_events e) : events_(std::move(e)) {}
  const codec_request* request() const override { return nullptr; }
  model_events local() override { return std::move(events_); }
  model_events response(std::uint32_t, const std::vector<http_header>&) override { return {}; }
  model_events feed(std::string_view) override { return {}; }
  model_events finish() override { return {}; }

 private:
  model_events events_;
};

class scripted_codec final : public model_codec {
 public:
  explicit scripted_codec(std::shared_ptr<script> s) : script_(std::move(s)) {}
  result<std::unique_ptr<model_exchange>> begin(const value& chat) override {
    script_->chats.push_back(chat);
    const auto i = std::min(script_->next++, script_->answers.size() - 1);
    return std::unique_ptr<model_exchange>(new scripted_exchange(script_->answers[i]));
  }

 private:
  std::shared_ptr<script> script_;
};

class scripted_source final : public codec_source {
 public:
  std::shared_ptr<script> plan = std::make_shared<script>();
  value options;
  result<std::unique_ptr<model_codec>> make_codec(std::string_view provider, const value& o,
                                                  const std::string&) override {
    if (provider != "scripted")
      return error(errc::not_found, "no provider " + std::string(provider));
    options = o;
    return std::unique_ptr<model_codec>(new scripted_codec(plan));
  }
  std::vector<std::string> providers() const override { return {"scripted"}; }
};

model_event text(std::string t, duration delay = {}) {
  model_event e;
  e.text = std::move(t);
  e.delay = delay;
  return e;
}
model_event stop(std::string why = "stop") {
  model_event e;
  e.what = model_event::what::stop;
  e.text = std::move(why);
  return e;
}
model_event usage(std::uint64_t input, std::uint64_t output) {
  model_event e;
  e.what = model_event::what::usage;
  e.usage = {input, output, 0};
  return e;
}
model_event failure(errc code, model_fault fault, double retry_after = 0) {
  model_event e;
  e.what = model_event::what::error;
  e.why = error(code, "no");
  e.why.retry_after = retry_after;
  e.fault = fault;
  return e;
}

struct broker_test : testing::Test {
  simulation sim;
  scripted_source source;
  std::unique_ptr<http_client> client = *http_client::open();
  value table = value::map{{"provider", "scripted"},
                           {"api_key", "secret"},
                           {"price", value::map{{"input", 1.0}, {"output", 2.0}}}};
  value request =
      value::map{{"messages", value::array{value::map{{"role", "user"}, {"content", "Hello"}}}},
                 {"max_tokens", 50}};

  void open() {
    ASSERT_TRUE(sim.add(
        "llm", std::make_unique<llm>(llm::settings{{{"default", table}}, "/"}, source, *client)));
  }
  /// An agent with these rights that asks once and keeps what comes.
  struct asker {
    address who;
    std::vector<std::string> parts;
    std::optional<value> reply;
    std::optional<error> failure;
  };
  std::shared_ptr<asker> ask(std::string path, authority rights, call_options options = {}) {
    auto a = std::make_shared<asker>();
    process_init init;
    init.path = path;
    rights.path = path;
    init.rights = std::make_shared<authority>(std::move(rights));
    init.actions = std::make_unique<lambda_behaviour>([a, this, options](context& ctx,
                                                                         envelope& e) {
      if (e.kind == kind::event)
        ctx.call(no_cause, 1, std::string("llm"), "chat", *pack(value::array{request}), options);
      if (e.kind == kind::send) ctx.grant(1, 10);
      if (e.kind == kind::part) a->parts.emplace_back((*unpack(e.body.view()))["text"].as_string());
      if (e.kind == kind::reply) a->reply = *unpack(e.body.view());
      if (e.kind == kind::error) a->failure = unpack_error(e.body);
    });
    a->who = sim.add(std::move(init)).value();
    sim.outlet_to(a->who).post("go", {});
    sim.settle();
    return a;
  }
  static authority may(std::string_view model) {
    authority a;
    a.grants = *grants::from(value::map{{"llm", value::array{model}}});
    return a;
  }
};

TEST_F(broker_test, answers_with_text_usage_and_cost) {
  source.plan->answers = {{text("Hi "), text("there"), usage(1000, 500), stop()}};
  open();
  auto a = ask("a", may("default"));
  ASSERT_TRUE(a->reply);
  EXPECT_EQ((*a->reply)["text"], value("Hi there"));
  EXPECT_EQ((*a->reply)["usage"]["input"], value(1000));
  EXPECT_DOUBLE_EQ((*a->reply)["usage"]["cost"].as_double(), 0.002);
  EXPECT_TRUE(a->parts.empty()) << "nobody asked for parts";
}

TEST_F(broker_test, never_shows_a_key_to_the_codec) {
  source.plan->answers = {{text("x"), stop()}};
  open();
  EXPECT_EQ(source.options.find("api_key"), nullptr);
}

TEST_F(broker_test, streams_text_as_the_reader_asks_for_it_and_answers_last) {
  source.plan->answers = {{text("one "), text("two ", 1s), text("three", 1s), stop()}};
  open();
  auto a = ask("a", may("default"), {.credit = 2});
  sim.advance(5s);
  EXPECT_EQ(a->parts, std::vector<std::string>({"one ", "two "}));
  EXPECT_FALSE(a->reply) << "the answer waits behind its last part";
  sim.send(a->who, "grant");
  EXPECT_EQ(a->parts.back(), "three");
  ASSERT_TRUE(a->reply);
  EXPECT_EQ((*a->reply)["text"], value("one two three"));
}

TEST_F(broker_test, refuses_a_model_without_a_grant_and_names_the_nearest) {
  source.plan->answers = {{text("x"), stop()}};
  open();
  EXPECT_EQ(ask("a", may("other"))->failure->code, "denied");
  request.set("model", "defualt");
  auto a = ask("b", may("*"));
  EXPECT_EQ(a->failure->code, "not_found");
  EXPECT_THAT(a->failure->message, testing::HasSubstr("default"));
}

TEST_F(broker_test, tries_again_after_the_pause_that_was_asked_for) {
  source.plan->answers = {{failure(errc::rate_limited, model_fault::limited, 7)},
                          {text("ok"), stop()}};
  open();
  auto a = ask("a", may("default"), {.timeout = 60s});
  sim.advance(6s);
  EXPECT_EQ(source.plan->chats.size(), 1u);
  sim.advance(2s);
  ASSERT_TRUE(a->reply);
  EXPECT_EQ((*a->reply)["text"], value("ok"));
}

TEST_F(broker_test, does_not_wait_beyond_the_callers_deadline) {
  source.plan->answers = {{failure(errc::rate_limited, model_fault::limited, 40)}};
  open();
  auto a = ask("a", may("default"), {.timeout = 30s});
  ASSERT_TRUE(a->failure) << "told at once";
  EXPECT_EQ(a->failure->code, "rate_limited");
  EXPECT_EQ(a->failure->retry_after, 40);
}

TEST_F(broker_test, does_not_repeat_what_is_fatal_or_what_a_reader_has_seen) {
  source.plan->answers = {{failure(errc::unauthorized, model_fault::fatal)}};
  open();
  EXPECT_EQ(ask("a", may("default"))->failure->code, "unauthorized");
  EXPECT_EQ(source.plan->chats.size(), 1u);
  source.plan->answers = {{text("half"), failure(errc::unavailable, model_fault::transient)}};
  auto b = ask("b", may("default"), {.credit = 5});
  sim.advance(20s);
  EXPECT_EQ(b->failure->code, "unavailable");
  EXPECT_EQ(source.plan->chats.size(), 2u);
}

TEST_F(broker_test, gives_up_after_its_tries) {
  source.plan->answers = {{failure(errc::unavailable, model_fault::transient)}};
  table.set("retries", 2);
  open();
  auto a = ask("a", may("default"), {.timeout = 100s});
  sim.advance(50s);
  EXPECT_EQ(a->failure->code, "unavailable");
  EXPECT_EQ(source.plan->chats.size(), 3u);
}

TEST_F(broker_test, forgets_a_request_whose_caller_goes) {
  source.plan->answers = {{text("one"), text("two", 10s), stop()}};
  open();
  auto a = ask("a", may("default"));
  sim.exit(a->who, errc::kill);
  EXPECT_EQ((*sim.call(std::string("llm"), inspect_verb))["behaviour"]["open"], value(0));
  sim.advance(20s);
}

TEST_F(broker_test, reserves_a_budget_before_the_call_and_refuses_what_does_not_fit) {
  source.plan->answers = {{text("one", 5s), usage(10, 10), stop()}};
  open();
  auto rights = may("default");
  rights.budgets = {*budget_place::from(value::map{{"tokens", 110}}, "desk")};
  auto a = ask("desk/a", rights);  // some 20 in, at most 50 out
  auto b = ask("desk/b", rights);
  ASSERT_TRUE(b->failure) << "two reservations do not fit";
  EXPECT_EQ(b->failure->code, "budget");
  sim.advance(6s);
  ASSERT_TRUE(a->reply);
  auto c = ask("desk/c", rights);
  sim.advance(6s);
  EXPECT_TRUE(c->reply) << "what was not used is free again";
}

TEST_F(broker_test, counts_the_time_of_calls_and_of_those_that_fail) {
  source.plan->answers = {{text("one", 5s), usage(10, 10), stop()},
                          {text("", 3s), failure(errc::bad_request, model_fault::fatal)}};
  open();
  auto rights = may("default");
  rights.budgets = {*budget_place::from(value::map{{"time", 8}}, "desk")};
  for (int i = 0; i < 2; ++i) {
    ask("desk/a" + std::to_string(i), rights);
    sim.advance(5s);
  }
  auto third = ask("desk/b", rights);
  ASSERT_TRUE(third->failure);
  EXPECT_EQ(third->failure->code, "budget");
}

TEST_F(broker_test, gives_a_temporary_agent_a_budget_of_its_own_each_time_and_others_one_for_ever) {
  source.plan->answers = {{text("one"), usage(10, 50), stop()}};
  open();
  for (const bool is_temporary : {true, false}) {
    auto rights = may("default");
    rights.budgets = {*budget_place::from(value::map{{"tokens", 110}}, "a")};
    rights.budgets[0].is_temporary = is_temporary;
    auto first = ask("a", rights);
    EXPECT_TRUE(first->reply);
    sim.exit(first->who, errc::kill);
    auto second = ask("a", rights);
    EXPECT_EQ(second->reply.has_value(), is_temporary);
    sim.exit(second->who, errc::kill);
  }
}

TEST_F(broker_test, keeps_nothing_of_temporary_agents_that_a_budget_above_them_refuses) {
  source.plan->answers = {{text("one"), usage(10, 50), stop()}};
  open();
  const auto kept = [&] {
    return (*sim.call(std::string("llm"), inspect_verb))["behaviour"]["budgets"];
  };
  for (const std::int64_t above : {10, 1000}) {
    auto rights = may("default");
    rights.budgets = {*budget_place::from(value::map{{"tokens", 110}}, "desk/a"),
                      *budget_place::from(value::map{{"tokens", above}}, "desk")};
    rights.budgets[0].is_temporary = true;
    auto a = ask("desk/a", rights);
    EXPECT_EQ(a->reply.has_value(), above == 1000);
    EXPECT_EQ(kept(), value(a->reply ? 2 : 0));
    sim.exit(a->who, errc::kill);
  }
  EXPECT_EQ(kept(), value(1)) << "only that of the place that stays";
}

TEST_F(broker_test, does_not_start_with_a_model_it_can_not_use) {
  table.set("provider", "nobody");
  auto made = sim.add(
      "llm", std::make_unique<llm>(llm::settings{{{"default", table}}, "/"}, source, *client));
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().message, testing::HasSubstr("model default"));
}

TEST_F(broker_test, refuses_a_request_without_messages_and_an_unknown_verb) {
  source.plan->answers = {{text("x"), stop()}};
  open();
  EXPECT_EQ(sim.call(std::string("llm"), "chat", {value(3)}).error().code, "bad_argument");
  EXPECT_EQ(sim.call(std::string("llm"), "caht").error().code, "unknown_verb");
}

TEST_F(broker_test, fails_where_a_model_ends_without_an_answer) {
  source.plan->answers = {{text("half")}};
  open();
  EXPECT_EQ(ask("a", may("default"))->failure->code, "bad_response");
}

TEST_F(broker_test, refuses_a_model_without_a_price_where_the_cost_is_capped) {
  table.erase("price");
  open();
  auto rights = may("default");
  rights.budgets = {*budget_place::from(value::map{{"calls", 5}}, "desk/writer"),
                    *budget_place::from(value::map{{"cost", 1.0}}, "desk")};
  const auto a = ask("desk/writer", rights);
  ASSERT_TRUE(a->failure);
  EXPECT_EQ(a->failure->describe(),
            "config: llm: model default has no price, so the cost in the "
            "budget of desk can't be held (llm)");
  EXPECT_TRUE(source.plan->chats.empty());
}

TEST_F(broker_test, shows_who_asks_what_is_below_it_and_all_to_who_may_call_it) {
  source.plan->answers = {{text("x"), usage(10, 10), stop()}};
  open();
  for (const char* path : {"desk", "desk/writer", "desktop"})
    ask(path, may("default"));
  const auto seen_by = [&](const char* path, value allowed) {
    process_init init;
    init.path = "asks";
    auto rights = std::make_shared<authority>();
    rights->path = path;
    rights->grants = *grants::from(allowed);
    init.rights = rights;
    std::vector<std::string> places;
    init.actions = std::make_unique<lambda_behaviour>([&](context& ctx, envelope& e) {
      if (e.kind == kind::event) ctx.call(no_cause, 1, std::string("llm"), "usage", {});
      if (e.kind != kind::reply) return;
      const auto list = unpack(e.body.view()).value();
      for (const auto& one : list.as_array())
        places.emplace_back(one["place"].as_string());
    });
    const auto who = sim.add(std::move(init)).value();
    sim.outlet_to(who).post("go", {});
    sim.settle();
    sim.exit(who, errc::kill);
    return places;
  };
  EXPECT_THAT(seen_by("desk", value::map{}), testing::ElementsAre("desk", "desk/writer"));
  EXPECT_THAT(seen_by("nobody", value::map{}), testing::IsEmpty());
  EXPECT_THAT(seen_by("ops", value::map{{"call", value::array{"llm"}}}),
              testing::ElementsAre("", "desk", "desk/writer", "desktop"));
}

}  // namespace
}  // namespace troupe::test
