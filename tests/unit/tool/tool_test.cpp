// SPDX-License-Identifier: Apache-2.0
//
// The tool actor in the simulation, with a real http client and a fake plugin.
#include "actors/tool/tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "actors/tool/api.hpp"
#include "support/http_server.hpp"
#include "support/simulation.hpp"
#include "unit/tool/fake_plugins.hpp"

namespace troupe::test {
namespace {

using namespace std::chrono_literals;

value table(std::initializer_list<std::pair<const char*, value>> members) {
  value v = value::map{};
  for (const auto& [key, member] : members)
    v.set(key, member);
  return v;
}

class tool_test : public testing::Test {
 protected:
  tool_test() : client_(std::move(*http_client::open())) {
    sim_.works_outside = [this] { return client_->open_requests() > 0; };
    add_text_tool("file.read", [](const tool_request&, const outlet&) {
      return std::optional<result<bytes>>(*pack("content"));
    });
  }

  void start(tool_settings settings = {}) {
    process_init init;
    init.path = std::string(tool_api::name);
    init.actions = std::make_unique<tools>(std::move(settings), *client_, plugins_, sim_);
    init.rights = rights("tool", "all");
    tool_ = *sim_.add(std::move(init));
  }

  static authority_ptr rights(const std::string& path, const value& granted) {
    auto a = std::make_shared<authority>();
    a->grants = *grants::from(granted);
    a->path = path;
    return a;
  }

  void add_text_tool(const std::string& name, fake_plugins::work w) {
    plugins_.offer(
        {name, "", object_schema(table({{"path", table({{"type", "string"}})}}), {"path"}),
         "file_tools"},
        std::move(w));
  }

  /// An agent that passes `pass(verb, ...)` on to the tool actor, under its own authority, and
  /// answers `twice(args)` with parts.
  address agent(const std::string& path, const value& granted, const address& pool = {}) {
    process_init init;
    init.path = path;
    auto own = std::make_shared<authority>(*rights(path, granted));
    own->pool = pool;
    init.rights = std::move(own);
    auto b = std::make_unique<lambda_behaviour>(
        [calls = std::map<call_id, cause_id>()](context& ctx, envelope& e) mutable {
          switch (e.kind) {
            case kind::call: {
              if (e.verb == "pass") {
                auto args = unpack(e.body.view())->as_array();
                const std::string verb(args.at(0).as_string());
                args.erase(args.begin());
                calls[e.cause] = e.cause;
                ctx.call(e.cause, e.cause, "tool", verb, *pack(value(args)),
                         {.timeout = 200s, .credit = e.credit});
                return;
              }
              if (e.verb == "hold") return;
              if (e.verb == "crash") return ctx.exit({errc::crash, "on purpose"});
              if (e.verb == "twice")
                for (int i = 1; i <= 2; ++i)
                  (void)ctx.part(e.cause, *pack(i));
              ctx.reply(e.cause, e.body);
              return ctx.done(e.cause);
            }
            case kind::part:
              (void)ctx.part(e.id, e.body);
              return;
            case kind::credit:
              return ctx.grant(e.cause, e.credit);
            case kind::reply:
              ctx.reply(e.id, e.body);
              return ctx.done(e.id);
            case kind::error:
              ctx.fail(e.id, unpack_error(e.body));
              return ctx.done(e.id);
            case kind::stop:
              return ctx.exit(unpack_error(e.body));
            default:
              return ctx.done(e.cause);
          }
        },
        concurrency{.slots = concurrency::unlimited, .overlapping = {}});
    b->keeps_open = true;
    init.actions = std::move(b);
    return *sim_.add(std::move(init));
  }

  /// An agent that makes a call to the tool actor out of each send, and only notes how calls fail.
  address hasty(const std::string& path, const value& granted, std::vector<std::string>& codes) {
    process_init init;
    init.path = path;
    init.rights = rights(path, granted);
    init.actions = std::make_unique<lambda_behaviour>(
        [&codes, last = call_id(0)](context& ctx, envelope& e) mutable {
          if (e.kind == kind::send) ctx.call(no_cause, ++last, "tool", e.verb, e.body);
          if (e.kind == kind::error) codes.push_back(unpack_error(e.body).code);
        });
    return *sim_.add(std::move(init));
  }

  result<value> pass(const address& by, std::string_view verb, value::array args,
                     call_options options = {}) {
    args.insert(args.begin(), value(verb));
    options.timeout = 300s;
    return sim_.call(by, "pass", std::move(args), options);
  }
  result<value> use(const address& by, std::string_view tool, value args) {
    return pass(by, tool_api::call, {value(tool), std::move(args)});
  }
  static std::string code(const result<value>& r) { return r ? "ok" : r.error().code; }

  http_server server_;
  fake_plugins plugins_;
  std::unique_ptr<http_client> client_;
  simulation sim_;
  address tool_;
};

value tools_and_net(value::array tools, value::array net = {}) {
  return table({{"tools", value(std::move(tools))}, {"net", value(std::move(net))}});
}

// -- finding and refusing

TEST_F(tool_test, calls_a_plugin_s_tool_under_the_caller_s_authority) {
  start({.folder = "/app"});
  auto a = agent("desk/writer",
                 table({{"tools", value::array{"file.*"}}, {"read", value::array{"/data"}}}));
  auto answer = use(a, "file.read", table({{"path", "x"}}));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("content"));
  ASSERT_EQ(plugins_.requests.size(), 1u);
  const auto& r = plugins_.requests[0];
  EXPECT_EQ(r.name, "file.read");
  EXPECT_EQ((*unpack(r.args.view()))["path"], value("x"));
  EXPECT_EQ(r.caller, "desk/writer");
  EXPECT_EQ(r.folder, "/app");
  EXPECT_TRUE(r.rights->grants.allows("read", "/data/x"));
  EXPECT_FALSE(r.rights->grants.allows("read", "/etc/x"));
  EXPECT_LE(r.time_left, 60s);
}

TEST_F(tool_test, names_the_nearest_tool_that_may_be_used) {
  start();
  auto a = agent("a", tools_and_net({"file.*"}));
  auto answer = use(a, "file.raed", table({{"path", "x"}}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "not_found");
  EXPECT_EQ(answer.error().message, "unknown tool \"file.raed\": did you mean \"file.read\"?");
  auto blind = agent("b", tools_and_net({}));
  EXPECT_THAT(use(blind, "file.raed", {}).error().message,
              testing::Not(testing::HasSubstr("file.read\"")));
}

TEST_F(tool_test, refuses_a_tool_that_is_not_granted) {
  start();
  auto a = agent("desk/writer", tools_and_net({"file.*"}));
  auto answer = use(a, "http.get", table({{"url", server_.url()}}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, "denied");
  EXPECT_EQ(answer.error().message,
            "desk/writer needs tools http.get, which its needs or its grants leave out");
  // A sender without any authority has no grants.
  EXPECT_EQ(code(sim_.call(tool_, tool_api::call, {"file.read", table({{"path", "x"}})})),
            "denied");
}

TEST_F(tool_test, checks_arguments_before_anything_runs) {
  start();
  auto a = agent("a", tools_and_net({"*"}));
  for (value args : {value(), value("x"), table({}), table({{"path", 7}})}) {
    auto answer = use(a, "file.read", args);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, "bad_argument");
    EXPECT_THAT(answer.error().message, testing::StartsWith("tool file.read: "));
  }
  EXPECT_EQ(code(pass(a, "call", {})), "bad_argument");
  EXPECT_EQ(code(pass(a, "call", {7})), "bad_argument");
  EXPECT_TRUE(plugins_.requests.empty());
}

TEST_F(tool_test, knows_no_other_verbs) {
  start();
  auto a = agent("a", tools_and_net({"*"}));
  auto answer = pass(a, "lits", {});
  EXPECT_EQ(code(answer), "unknown_verb");
  EXPECT_THAT(answer.error().message, testing::HasSubstr("\"list\""));
}

TEST_F(tool_test, lists_what_the_caller_may_use) {
  start();
  auto names = [&](const address& by, value::array args) {
    std::vector<std::string> all;
    auto list = pass(by, tool_api::list, std::move(args));
    for (const auto& one : list->as_array()) {
      all.emplace_back(one["name"].as_string());
      EXPECT_TRUE(one["params"].is_map());
    }
    return all;
  };
  using testing::ElementsAre;
  auto a = agent("a", tools_and_net({"file.*", "http.get"}));
  EXPECT_THAT(names(a, {}), ElementsAre("file.read", "http.get"));
  EXPECT_THAT(names(a, {"http.*"}), ElementsAre("http.get"));
  EXPECT_THAT(names(a, {value::array{"file.read", "http.post"}}), ElementsAre("file.read"));
  EXPECT_THAT(names(agent("b", tools_and_net({})), {}), ElementsAre());
  EXPECT_THAT(names(agent("c", "all"), {}), ElementsAre("file.read", "http.get", "http.post"));
}

TEST_F(tool_test, finds_tools_of_plugins_loaded_later) {
  start();
  auto a = agent("a", tools_and_net({"*"}));
  EXPECT_EQ(code(use(a, "late.one", table({{"path", "x"}}))), "not_found");
  add_text_tool("late.one", [](const tool_request&, const outlet&) {
    return std::optional<result<bytes>>(*pack(1));
  });
  EXPECT_EQ(code(use(a, "late.one", table({{"path", "x"}}))), "ok");
}

// -- plugins

TEST_F(tool_test, takes_a_plugin_s_answer_later) {
  start();
  outlet later;
  add_text_tool("slow.one", [&](const tool_request& r, const outlet& o) {
    later = o;
    o.post(tool_answer_verb, pack_tool_answer(r.id, *pack("late")));
    // A second answer has nobody waiting for it.
    o.post(tool_answer_verb, pack_tool_answer(r.id, *pack("later")));
    return std::nullopt;
  });
  auto a = agent("a", tools_and_net({"*"}));
  auto answer = use(a, "slow.one", table({{"path", "x"}}));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value("late"));
  later.post(tool_answer_verb, bytes("garbage"));
  sim_.settle();
  EXPECT_TRUE(sim_.alive(tool_));
}

TEST_F(tool_test, passes_a_plugin_s_failure_on) {
  start();
  add_text_tool("bad.one", [&](const tool_request& r, const outlet& o) {
    o.post(tool_answer_verb, pack_tool_answer(r.id, error(errc::io, "no disk")));
    return std::nullopt;
  });
  auto a = agent("a", tools_and_net({"*"}));
  EXPECT_EQ(use(a, "bad.one", table({{"path", "x"}})).error().message, "no disk");
}

TEST_F(tool_test, ends_a_plugin_s_work_at_the_time_limit) {
  start({.time_limit = 20s});
  add_text_tool("never.one", {});
  auto a = agent("a", tools_and_net({"*"}));
  auto answer = use(a, "never.one", table({{"path", "x"}}));
  EXPECT_EQ(code(answer), "timeout");
  EXPECT_EQ(answer.error().message, "tool never.one: no answer within 20 s");
  sim_.settle();
  ASSERT_EQ(plugins_.cancelled.size(), 1u);
  EXPECT_EQ(plugins_.cancelled[0].first, "never.one");
  EXPECT_EQ(plugins_.cancelled[0].second, plugins_.requests[0].id);
}

TEST_F(tool_test, cancels_a_plugin_s_work_when_the_caller_goes) {
  start();
  add_text_tool("never.one", {});
  auto a = agent("a", tools_and_net({"*"}));
  auto answer =
      sim_.call(a, "pass", {"call", "never.one", table({{"path", "x"}})}, {.timeout = 1s});
  EXPECT_EQ(code(answer), "timeout");
  sim_.settle();
  EXPECT_EQ(plugins_.cancelled.size(), 1u);
}

TEST_F(tool_test, runs_the_tools_of_each_plugin_in_an_agent_of_their_own) {
  start();
  plugins_.offer(
      {"other.one", "", object_schema(), "others"},
      [](const tool_request&, const outlet&) { return std::optional<result<bytes>>(*pack(1)); });
  auto a = agent("a", tools_and_net({"*"}));
  EXPECT_FALSE(sim_.lookup("tool/file_tools")) << "none before the first call";
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(code(use(a, "file.read", table({{"path", "x"}}))), "ok");
    EXPECT_EQ(code(use(a, "other.one", {})), "ok");
  }
  const auto first = sim_.lookup("tool/file_tools");
  EXPECT_TRUE(sim_.alive(first));
  EXPECT_TRUE(sim_.alive(sim_.lookup("tool/others")));
  sim_.exit(first, errc::kill);
  EXPECT_EQ(code(use(a, "file.read", table({{"path", "x"}}))), "ok") << "another takes its place";
  sim_.exit(tool_, errc::kill);
  EXPECT_FALSE(sim_.lookup("tool/others")) << "it ends with the tool actor";
}

TEST_F(tool_test, runs_a_plugin_s_tool_for_nobody_but_itself) {
  start();
  auto a = agent("a", tools_and_net({"*"}));
  ASSERT_EQ(code(use(a, "file.read", table({{"path", "x"}}))), "ok");
  auto forged = sim_.call(std::string("tool/file_tools"), "run", {"file.read", "", "root", "all"});
  EXPECT_EQ(code(forged), "denied");
  EXPECT_EQ(plugins_.requests.size(), 1u);
}

TEST_F(tool_test, lets_what_is_open_end_in_the_old_copy_of_a_plugin) {
  start();
  tool_info info{"slow.one", "", object_schema(), "slow"};
  std::vector<std::pair<std::uint64_t, outlet>> open;
  const auto later = [&](const tool_request& r, const outlet& o) {
    open.emplace_back(r.id, o);
    return std::nullopt;
  };
  plugins_.offer(info, later);
  auto a = agent("a", tools_and_net({"*"}));
  auto first = *sim_.begin_call(a, "pass", {"call", "slow.one"});
  sim_.settle();
  const auto old = sim_.lookup("tool/slow");
  plugins_.withdraw_all();
  info.copy = 1;
  plugins_.offer(info, later);
  ASSERT_EQ(code(pass(a, tool_api::refresh, {})), "ok");
  auto second = *sim_.begin_call(a, "pass", {"call", "slow.one"});
  sim_.settle();
  ASSERT_EQ(open.size(), 2u);
  EXPECT_TRUE(sim_.alive(old));
  for (const auto& [id, to] : open)
    to.post(tool_answer_verb, pack_tool_answer(id, *pack("late")));
  sim_.settle();
  ASSERT_NE(sim_.answer_of(first), nullptr);
  EXPECT_EQ(code(*sim_.answer_of(first)), "ok");
  ASSERT_NE(sim_.answer_of(second), nullptr);
  EXPECT_EQ(code(*sim_.answer_of(second)), "ok");
  EXPECT_FALSE(sim_.alive(old)) << "nothing is open in it any more";
  EXPECT_EQ(plugins_.requests.at(1).copy, 1u);
}

TEST_F(tool_test, cancels_everything_when_it_is_killed) {
  start();
  add_text_tool("never.one", {});
  auto reached = std::make_shared<gate>();
  server_.on("/s", http_answer().stall_head(reached));
  std::vector<std::string> codes;
  auto a = hasty("a", tools_and_net({"*"}, {server_.endpoint()}), codes);
  sim_.send(a, "call", {"never.one", table({{"path", "x"}})});
  sim_.send(a, "call", {"http.get", table({{"url", server_.url("/s")}})});
  reached->wait_for_server();
  EXPECT_TRUE(codes.empty());
  sim_.exit(tool_, errc::kill);
  EXPECT_EQ(plugins_.cancelled.size(), 1u);
  server_.wait_for_hangups(1);
  EXPECT_THAT(codes, testing::ElementsAre("down", "down"));
}

TEST_F(tool_test, refuses_more_calls_than_it_may_hold_open) {
  start({.max_open = 1});
  add_text_tool("never.one", {});
  std::vector<std::string> codes;
  auto a = hasty("a", tools_and_net({"*"}), codes);
  for (int i = 0; i < 2; ++i)
    sim_.send(a, "call", {"never.one", table({{"path", "x"}})});
  EXPECT_THAT(codes, testing::ElementsAre("overloaded"));
}

// -- agents

TEST_F(tool_test, calls_a_verb_that_an_agent_registered) {
  start();
  auto writer = agent("desk/writer", tools_and_net({}));
  auto caller = agent("desk/boss", tools_and_net({"writer.*"}));
  auto params = object_schema(table({{"n", table({{"type", "integer"}})}}), {"n"});
  auto registered = pass(writer, tool_api::register_tool,
                         {table({{"name", "writer.echo"}, {"verb", "echo"}, {"params", params}})});
  ASSERT_TRUE(registered) << registered.error().describe();
  auto answer = use(caller, "writer.echo", table({{"n", 3}}));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value(value::array{table({{"n", 3}})})) << "the arguments are one argument";
  EXPECT_EQ(code(use(caller, "writer.echo", table({{"n", "x"}}))), "bad_argument");
}

TEST_F(tool_test, passes_parts_on_under_the_caller_s_credit) {
  start();
  auto writer = agent("desk/writer", tools_and_net({}));
  auto caller = agent("desk/boss", tools_and_net({"*"}));
  ASSERT_TRUE(pass(writer, tool_api::register_tool,
                   {table({{"name", "writer.twice"}, {"verb", "twice"}})}));
  std::vector<value> parts;
  auto answer = sim_.call(caller, "pass", {"call", "writer.twice"}, {.timeout = 30s, .credit = 5});
  ASSERT_TRUE(answer);
  answer = sim_.call_streaming(caller, "pass", {"call", "writer.twice"}, parts);
  ASSERT_TRUE(answer);
  EXPECT_THAT(parts, testing::ElementsAre(value(1))) << "the second one was above the credit";
}

TEST_F(tool_test, forgets_the_tools_of_an_agent_that_ended) {
  start();
  auto writer = agent("desk/writer", tools_and_net({}));
  auto caller = agent("desk/boss", tools_and_net({"*"}));
  auto tool = table({{"name", "writer.crash"}, {"verb", "crash"}});
  ASSERT_TRUE(pass(writer, tool_api::register_tool, {tool}));
  EXPECT_EQ(code(use(caller, "writer.crash", {})), "down");
  sim_.settle();
  EXPECT_EQ(code(use(caller, "writer.crash", {})), "not_found");
  auto again = agent("desk/writer", tools_and_net({}));
  EXPECT_EQ(code(pass(again, tool_api::register_tool, {tool})), "ok");
}

TEST_F(tool_test, calls_a_pool_for_what_its_members_offer) {
  start();
  auto pool = agent("desk/readers", tools_and_net({}));
  auto caller = agent("desk/boss", tools_and_net({"readers.*"}));
  for (const char* n : {"1", "2"}) {
    auto member = agent("desk/readers/" + std::string(n), tools_and_net({}), pool);
    auto said = pass(member, tool_api::register_tool,
                     {table({{"name", n + std::string(".hold")}, {"verb", "hold"}})});
    ASSERT_TRUE(said) << said.error().describe();
    sim_.exit(member, errc::kill);
  }
  sim_.settle();
  auto open = *sim_.begin_call(caller, "pass", {"call", "readers.hold"});
  sim_.settle();
  EXPECT_EQ(sim_.answer_of(open), nullptr) << "the pool holds it";
  sim_.exit(pool, errc::kill);
  sim_.settle();
  EXPECT_EQ(code(use(caller, "readers.hold", {})), "not_found");
}

TEST_F(tool_test, ends_an_agent_s_work_at_the_time_limit) {
  start({.time_limit = 20s});
  auto writer = agent("desk/writer", tools_and_net({}));
  auto caller = agent("desk/boss", tools_and_net({"*"}));
  ASSERT_TRUE(
      pass(writer, tool_api::register_tool, {table({{"name", "writer.hold"}, {"verb", "hold"}})}));
  EXPECT_EQ(code(use(caller, "writer.hold", {})), "timeout");
}

TEST_F(tool_test, logs_a_registration_that_nobody_hears_fail) {
  start();
  sim_.send(tool_, tool_api::register_tool, {table({{"name", "nonsense"}, {"verb", "x"}})});
  EXPECT_THAT(sim_.log_lines, testing::Contains(testing::HasSubstr("a tool was not registered")));
}

// -- http

TEST_F(tool_test, fetches_what_the_caller_s_net_grants_name) {
  start();
  server_.on("/x", http_answer(404).header("X-A", "1").send("not here"));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  auto answer =
      use(a, "http.get",
          table({{"url", server_.url("/x")}, {"headers", table({{"Accept", "text/plain"}})}}));
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ((*answer)["status"], value(404));
  EXPECT_EQ((*answer)["body"], value("not here"));
  EXPECT_EQ((*answer)["headers"]["x-a"], value("1"));
  EXPECT_EQ((*answer)["url"], value(server_.url("/x")));
  EXPECT_EQ(server_.requests().at(0).header("accept"), "text/plain");
}

TEST_F(tool_test, goes_nowhere_without_a_net_grant) {
  start();
  for (auto net : {value::array{}, value::array{"example.org:80"}, value::array{"*"}}) {
    auto a = agent("a" + std::to_string(net.size()), tools_and_net({"http.*"}, net));
    auto answer = use(a, "http.get", table({{"url", server_.url("/x")}}));
    EXPECT_EQ(code(answer), "denied");
  }
  EXPECT_EQ(server_.connections(), 0u);
}

TEST_F(tool_test, follows_no_redirect_to_where_the_caller_may_not_go) {
  start();
  http_server secret;
  secret.on("/", http_answer::text("secret"));
  server_.on("/x", http_answer::redirect(secret.url("/")));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  EXPECT_EQ(code(use(a, "http.get", table({{"url", server_.url("/x")}}))), "denied");
  EXPECT_EQ(secret.connections(), 0u);
  auto b = agent("b", tools_and_net({"http.*"}, {server_.endpoint(), secret.endpoint()}));
  EXPECT_EQ((*use(b, "http.get", table({{"url", server_.url("/x")}})))["body"], value("secret"));
}

TEST_F(tool_test, posts_text_or_json) {
  start();
  server_.on("/x", http_answer::text("ok"));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  auto post = [&](const char* key, value x) {
    return code(use(a, "http.post", table({{"url", server_.url("/x")}, {key, x}})));
  };
  EXPECT_EQ(post("body", "text"), "ok");
  EXPECT_EQ(server_.requests().back().body, "text");
  EXPECT_EQ(post("json", table({{"a", value::array{1, 2}}})), "ok");
  EXPECT_EQ(server_.requests().back().body, "{\"a\":[1,2]}");
  EXPECT_EQ(server_.requests().back().header("content-type"), "application/json");
  EXPECT_EQ(server_.requests().back().method, "POST");
  EXPECT_EQ(code(use(a, "http.post",
                     table({{"url", server_.url("/x")},
                            {"json", 1},
                            {"headers", table({{"Content-Type", "application/x"}})}}))),
            "ok");
  EXPECT_EQ(server_.requests().back().header("content-type"), "application/x");
  auto both = use(a, "http.post", table({{"url", server_.url("/x")}, {"body", ""}, {"json", 1}}));
  EXPECT_EQ(code(both), "bad_argument");
}

TEST_F(tool_test, tells_text_from_bytes) {
  start();
  server_.on("/b", http_answer::text("\xff\xfe"));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  auto answer = use(a, "http.get", table({{"url", server_.url("/b")}}));
  ASSERT_TRUE(answer);
  EXPECT_TRUE((*answer)["body"].is_binary());
}

TEST_F(tool_test, bounds_size_and_time_of_a_fetch) {
  start({.max_answer = 1000});
  server_.on("/big", http_answer::text(std::string(1001, 'x')));
  server_.on("/slow", http_answer().stall_head(std::make_shared<gate>()));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  EXPECT_EQ(code(use(a, "http.get", table({{"url", server_.url("/big")}}))), "too_big");
  EXPECT_EQ(code(use(a, "http.get", table({{"url", server_.url("/slow")}, {"timeout", 0.02}}))),
            "timeout");
  EXPECT_EQ(code(use(a, "http.get", table({{"url", server_.url("/x")}, {"timeout", 0}}))),
            "bad_argument");
  EXPECT_EQ(code(use(a, "http.get", table({{"url", "nonsense"}}))), "bad_argument");
  EXPECT_EQ(code(use(a, "http.get", table({{"url", "file:///etc/passwd"}}))), "denied");
  EXPECT_EQ(code(use(a, "http.get",
                     table({{"url", server_.url("/x")}, {"headers", table({{"Host", "other"}})}}))),
            "bad_argument");
}

TEST_F(tool_test, closes_the_connection_when_the_caller_goes) {
  start();
  auto reached = std::make_shared<gate>();
  server_.on("/s", http_answer().stall_head(reached));
  auto a = agent("a", tools_and_net({"http.*"}, {server_.endpoint()}));
  // Time moves on although the server still works: the caller's deadline passes.
  sim_.works_outside = [&, asked = false]() mutable {
    if (client_->open_requests() == 0 || asked) return false;
    reached->wait_for_server();
    return !(asked = true);
  };
  auto answer = sim_.call(a, "pass", {"call", "http.get", table({{"url", server_.url("/s")}})},
                          {.timeout = 1s});
  EXPECT_EQ(code(answer), "timeout");
  sim_.settle();
  server_.wait_for_hangups(1);
}

}  // namespace
}  // namespace troupe::test
