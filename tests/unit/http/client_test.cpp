// SPDX-License-Identifier: Apache-2.0
#include "http/client.hpp"

#include <gtest/gtest.h>

#include "support/http_server.hpp"
#include "unit/http/recorder.hpp"

namespace troupe {
namespace {

using namespace std::chrono_literals;
using test::gate;
using test::http_answer;
using test::http_recorded;
using test::http_server;
using test::recorder;

class http_client_test : public testing::Test {
 protected:
  http_client_test() : client_(std::move(*http_client::open())) {}

  http_request get(const std::string& path) {
    http_request r;
    r.url = server_.url(path);
    return r;
  }
  http_request stream(const std::string& path) {
    auto r = get(path);
    r.stream = true;
    return r;
  }
  request_id start(http_request r, recorder& to) { return client_->start(std::move(r), to.sink()); }
  error failure_of(http_request r) {
    recorder seen;
    start(std::move(r), seen);
    auto outcome = seen.wait_for_end();
    return outcome ? error("none", "it went well") : outcome.error();
  }

  /// Seen from within a last request: what ended before it is counted out.
  void expect_nothing_else_open() {
    server_.on("/last", http_answer::text("ok"));
    recorder seen;
    std::size_t open = 0;
    seen.on_piece(
        [&](request_id, std::string_view) { return open = client_->open_requests(), true; });
    start(get("/last"), seen);
    EXPECT_TRUE(seen.wait_for_end());
    EXPECT_EQ(open, 1u);
  }

  http_server server_;
  std::unique_ptr<http_client> client_;
};

TEST_F(http_client_test, hands_over_head_body_and_end) {
  server_.on("/x", http_answer(201).header("X-One", "1").header("x-one", "2").send("hello"));
  recorder seen;
  start(get("/x?q=1"), seen);
  ASSERT_TRUE(seen.wait_for_end());
  auto head = seen.wait_for_head();
  EXPECT_EQ(head.status, 201);
  ASSERT_NE(head.find("x-one"), nullptr);
  EXPECT_EQ(*head.find("x-one"), "1");
  EXPECT_EQ(head.find("x-two"), nullptr);
  EXPECT_EQ(head.url, server_.url("/x?q=1"));
  EXPECT_EQ(seen.data(), "hello");
  EXPECT_EQ(server_.requests().at(0).target, "/x?q=1");
}

TEST_F(http_client_test, sends_method_headers_and_body_as_they_are) {
  server_.on("/x", http_answer::text("ok"));
  auto r = get("/x");
  r.method = "POST";
  r.headers = {
      {"Authorization", "Bearer k"}, {"Content-Type", "application/json"}, {"X-Empty", ""}};
  r.body = std::string(3u << 20, 'b');
  recorder seen;
  start(r, seen);
  ASSERT_TRUE(seen.wait_for_end());
  auto got = server_.requests().at(0);
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.header("authorization"), "Bearer k");
  EXPECT_EQ(got.header("content-type"), "application/json");
  EXPECT_EQ(got.header("expect"), "");
  EXPECT_EQ(got.header("user-agent"), "troupe");
  EXPECT_EQ(got.header("accept-encoding"), "") << "nobody here unpacks";
  EXPECT_EQ(got.body, r.body);
}

TEST_F(http_client_test, knows_methods_with_and_without_bodies) {
  server_.on("/x", http_answer::text("ok"));
  for (std::string method : {"GET", "HEAD", "DELETE", "OPTIONS", "POST", "PUT", "PATCH"}) {
    auto r = get("/x");
    r.method = method;
    recorder seen;
    start(r, seen);
    EXPECT_TRUE(seen.wait_for_end()) << method;
    EXPECT_EQ(seen.wait_for_head().status, 200) << method;
    EXPECT_EQ(seen.data(), method == "HEAD" ? "" : "ok") << method;
    auto got = server_.requests().back();
    EXPECT_EQ(got.method, method);
    EXPECT_EQ(got.header("content-type"), "") << method;
  }
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(http_client_test, streams_each_piece_when_it_comes) {
  auto more = std::make_shared<gate>();
  // The two bytes of an e with an accent come in different chunks.
  server_.on("/s", http_answer().chunk("caf\xc3").stall(more).chunk("\xa9!"));
  recorder seen;
  start(stream("/s"), seen);
  EXPECT_EQ(seen.wait_for_data(4), "caf\xc3");
  EXPECT_EQ(seen.ends(), 0);
  more->open();
  EXPECT_TRUE(seen.wait_for_end());
  EXPECT_EQ(seen.data(), "caf\xc3\xa9!");
}

TEST_F(http_client_test, keeps_a_connection_for_the_next_request) {
  server_.on("/x", http_answer::text("ok"));
  for (int i = 0; i < 5; ++i) {
    recorder seen;
    start(get("/x"), seen);
    ASSERT_TRUE(seen.wait_for_end());
  }
  EXPECT_EQ(server_.connections(), 1u);
  EXPECT_EQ(server_.requests().size(), 5u);
}

TEST_F(http_client_test, runs_many_requests_at_a_time) {
  constexpr std::size_t n = 100;
  auto all_there = std::make_shared<gate>();
  server_.on("/x", http_answer().stall_head(all_there).send("ok"));
  std::vector<recorder> seen(n);
  for (auto& s : seen)
    start(get("/x"), s);
  server_.wait_for_requests(n);
  EXPECT_EQ(client_->open_requests(), n);
  all_there->open();
  for (auto& s : seen)
    EXPECT_TRUE(s.wait_for_end());
  expect_nothing_else_open();
}

TEST_F(http_client_test, sends_again_what_met_a_connection_closed_meanwhile) {
  server_.on("/x", http_answer::text("first"));
  recorder first;
  start(get("/x"), first);
  ASSERT_TRUE(first.wait_for_end());
  // The server closes after this answer without saying so beforehand.
  server_.on("/y", http_answer().claim(2).send("ok").cut());
  recorder second;
  start(get("/y"), second);
  ASSERT_TRUE(second.wait_for_end());
  auto r = get("/x");
  r.method = "POST";
  r.body = "again";
  recorder third;
  start(r, third);
  ASSERT_TRUE(third.wait_for_end());
  EXPECT_EQ(server_.requests().back().body, "again");
}

// -- cancelling

TEST_F(http_client_test, closes_the_connection_at_once_when_cancelled_in_the_middle) {
  auto more = std::make_shared<gate>();
  server_.on("/s", http_answer().chunk("data").stall(more).chunk("never"));
  recorder seen;
  auto id = start(stream("/s"), seen);
  seen.wait_for_data(4);
  client_->cancel(id);
  auto outcome = seen.wait_for_end();
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::cancelled));
  server_.wait_for_hangups(1);
  client_->cancel(id);
  client_->cancel(12345);
  EXPECT_EQ(seen.ends(), 1);
  expect_nothing_else_open();
}

TEST_F(http_client_test, closes_the_connection_when_cancelled_before_the_head) {
  auto never_opened = std::make_shared<gate>();
  server_.on("/s", http_answer().stall_head(never_opened));
  recorder seen;
  auto id = start(get("/s"), seen);
  never_opened->wait_for_server();
  client_->cancel(id);
  EXPECT_TRUE(seen.wait_for_end().error().is(errc::cancelled));
  EXPECT_EQ(seen.heads(), 0);
  server_.wait_for_hangups(1);
}

TEST_F(http_client_test, can_be_cancelled_before_it_began) {
  server_.on("/s", http_answer().stall_head(std::make_shared<gate>()));
  for (int i = 0; i < 50; ++i) {
    recorder seen;
    client_->cancel(start(get("/s"), seen));
    EXPECT_TRUE(seen.wait_for_end().error().is(errc::cancelled));
    EXPECT_EQ(seen.ends(), 1);
  }
  expect_nothing_else_open();
}

TEST_F(http_client_test, is_cancelled_by_a_sink_that_nobody_listens_to) {
  auto never_opened = std::make_shared<gate>();
  server_.on("/s", http_answer().chunk("data").stall(never_opened));
  recorder seen;
  seen.on_piece([](request_id, std::string_view) { return false; });
  start(stream("/s"), seen);
  EXPECT_TRUE(seen.wait_for_end().error().is(errc::cancelled));
  server_.wait_for_hangups(1);
}

TEST_F(http_client_test, lets_a_sink_cancel_and_start_requests) {
  server_.on("/s", http_answer().chunk("data").stall(std::make_shared<gate>()));
  server_.on("/x", http_answer::text("ok"));
  recorder seen, other;
  seen.on_piece([&](request_id id, std::string_view) {
    client_->start(get("/x"), other.sink());
    client_->cancel(id);
    return true;
  });
  start(stream("/s"), seen);
  EXPECT_TRUE(seen.wait_for_end().error().is(errc::cancelled));
  EXPECT_TRUE(other.wait_for_end());
}

TEST_F(http_client_test, ends_everything_when_it_closes) {
  auto never_opened = std::make_shared<gate>();
  server_.on("/s", http_answer().stall_head(never_opened));
  std::vector<recorder> seen(3);
  for (auto& s : seen)
    start(get("/s"), s);
  server_.wait_for_requests(3);
  client_.reset();
  for (auto& s : seen) {
    EXPECT_TRUE(s.wait_for_end().error().is(errc::cancelled));
    EXPECT_EQ(s.ends(), 1);
  }
}

TEST_F(http_client_test, ends_also_what_a_last_call_starts) {
  class again final : public http_sink {
   public:
    again(http_client& c, http_request r, recorder& next) : client_(c), what_(r), next_(next) {}
    bool on_head(request_id, const http_head&) override { return true; }
    bool on_data(request_id, std::string_view) override { return true; }
    void on_end(request_id, const result<void>&) override { client_.start(what_, next_.sink()); }

   private:
    http_client& client_;
    http_request what_;
    recorder& next_;
  };
  server_.on("/s", http_answer().stall_head(std::make_shared<gate>()));
  recorder next;
  client_->start(get("/s"), std::make_unique<again>(*client_, get("/s"), next));
  server_.wait_for_requests(1);
  client_.reset();
  EXPECT_EQ(next.ends(), 1);
}

// -- bounds

TEST_F(http_client_test, stops_reading_when_the_receiver_grants_nothing) {
  constexpr std::size_t total = 64u << 20;  // far above what sockets hold
  auto passed = std::make_shared<gate>();
  server_.on("/big", http_answer().repeat(std::string(64u << 10, 'x'), total >> 16).stall(passed));
  passed->open();
  auto r = stream("/big");
  r.max_body = total;
  r.credit = 100'000;
  recorder seen;
  auto id = start(r, seen);
  auto got = seen.wait_for_data(r.credit).size();
  // Another request through the same loop: what was to come has come.
  recorder other;
  server_.on("/x", http_answer::text("ok"));
  start(get("/x"), other);
  ASSERT_TRUE(other.wait_for_end());
  EXPECT_EQ(seen.data().size(), got);
  EXPECT_LE(got, r.credit + (16u << 10));

  client_->grant(id, 1'000'000);
  seen.wait_for_data(1'000'000);
  EXPECT_LE(seen.data().size(), 1'100'000u + (16u << 10));
  EXPECT_EQ(seen.ends(), 0);
  client_->grant(id, SIZE_MAX);
  client_->grant(id, SIZE_MAX);
  EXPECT_TRUE(seen.wait_for_end());
  EXPECT_EQ(seen.data().size(), total);
}

TEST_F(http_client_test, does_not_take_a_slow_reader_for_a_stalled_server) {
  server_.on("/s", http_answer().chunk(std::string(100'000, 'x')));
  auto r = stream("/s");
  r.credit = 1000;
  r.idle_timeout = 20ms;
  recorder seen;
  auto id = start(r, seen);
  seen.wait_for_data(1);
  // A stalled one with the same limit runs into it meanwhile.
  server_.on("/stall", http_answer().chunk("x").stall(std::make_shared<gate>()));
  auto stalled = stream("/stall");
  stalled.idle_timeout = 20ms;
  EXPECT_TRUE(failure_of(stalled).is(errc::timeout));
  EXPECT_EQ(seen.ends(), 0);
  client_->grant(id, 100'000);
  EXPECT_TRUE(seen.wait_for_end());
}

TEST_F(http_client_test, reports_a_failure_met_while_going_on) {
  server_.on("/s", http_answer().chunk(std::string(200'000, 'x')));
  auto r = stream("/s");
  r.credit = 1000;
  recorder seen;
  seen.on_piece([&, n = 0](request_id, std::string_view) mutable { return ++n < 2; });
  auto id = start(r, seen);
  seen.wait_for_data(1);
  client_->grant(id, 1'000'000);
  EXPECT_TRUE(seen.wait_for_end().error().is(errc::cancelled));
}

TEST_F(http_client_test, refuses_a_body_above_its_bound) {
  server_.on("/huge", http_answer().repeat(std::string(64u << 10, 'x'), 1u << 20));
  server_.on("/chunks", http_answer().chunk(std::string(3000, 'x')).chunk("y"));
  auto r = get("/huge");
  r.max_body = 1000;
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::too_big));
  EXPECT_EQ(e.message, server_.endpoint() + ": the answer is longer than 1000 bytes");
  r.url = server_.url("/chunks");
  r.max_body = 3000;
  EXPECT_TRUE(failure_of(r).is(errc::too_big));
  r.max_body = 3001;
  EXPECT_EQ(failure_of(r).code, "none");
}

TEST_F(http_client_test, refuses_a_head_without_end) {
  http_answer answer;
  for (int i = 0; i < 100; ++i)
    answer.header("X-" + std::to_string(i), std::string(1000, 'h'));
  server_.on("/x", answer.send("ok"));
  EXPECT_TRUE(failure_of(get("/x")).is(errc::too_big));
}

TEST_F(http_client_test, refuses_more_requests_than_it_may_hold) {
  http_options few;
  few.max_requests = 2;
  auto small = std::move(*http_client::open(few));
  server_.on("/s", http_answer().stall_head(std::make_shared<gate>()));
  recorder seen[3];
  for (auto& s : seen)
    small->start(get("/s"), s.sink());
  auto e = seen[2].wait_for_end().error();
  EXPECT_TRUE(e.is(errc::overloaded));
  EXPECT_TRUE(e.retryable);
  EXPECT_EQ(seen[0].ends() + seen[1].ends(), 0);
}

TEST_F(http_client_test, opens_no_more_connections_to_a_host_than_it_may) {
  http_options few;
  few.max_connections_per_host = 2;
  auto small = std::move(*http_client::open(few));
  auto go = std::make_shared<gate>();
  server_.on("/s", http_answer().stall_head(go).send("ok"));
  std::vector<recorder> seen(6);
  for (auto& s : seen)
    small->start(get("/s"), s.sink());
  server_.wait_for_requests(2);
  go->open();
  for (auto& s : seen)
    EXPECT_TRUE(s.wait_for_end());
  EXPECT_EQ(server_.connections(), 2u);
}

// -- time

TEST_F(http_client_test, gives_up_when_no_head_comes) {
  server_.on("/s", http_answer().stall_head(std::make_shared<gate>()));
  auto r = get("/s");
  r.first_byte_timeout = 20ms;
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::timeout));
  EXPECT_EQ(e.message, server_.endpoint() + ": no answer within 0.02 s");
  EXPECT_EQ(e.data["phase"], value("answer"));
  server_.wait_for_hangups(1);
}

TEST_F(http_client_test, gives_up_when_the_body_stalls) {
  server_.on("/s", http_answer().chunk("x").stall(std::make_shared<gate>()));
  auto r = stream("/s");
  r.idle_timeout = 20ms;
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::timeout));
  EXPECT_EQ(e.message, server_.endpoint() + ": the answer stalled for 0.02 s");
  EXPECT_EQ(e.data["phase"], value("body"));
  server_.wait_for_hangups(1);
}

TEST_F(http_client_test, gives_up_when_all_of_it_takes_too_long) {
  server_.on("/s", http_answer().chunk("x").stall(std::make_shared<gate>()));
  auto r = stream("/s");
  r.total_timeout = 20ms;
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::timeout));
  EXPECT_EQ(e.message, server_.endpoint() + ": no whole answer within 0.02 s");
}

TEST_F(http_client_test, gives_up_when_there_is_no_connection) {
  http_options one;
  one.max_connections = 1;
  auto small = std::move(*http_client::open(one));
  server_.on("/s", http_answer().stall_head(std::make_shared<gate>()));
  recorder first, second;
  small->start(get("/s"), first.sink());
  server_.wait_for_requests(1);
  auto r = get("/s");
  r.connect_timeout = 20ms;
  small->start(r, second.sink());
  auto e = second.wait_for_end().error();
  EXPECT_TRUE(e.is(errc::timeout)) << e.describe();
  EXPECT_EQ(e.data["phase"], value("connect"));
  EXPECT_EQ(first.ends(), 0);
}

// -- what goes wrong

TEST_F(http_client_test, says_who_could_not_be_reached_and_why) {
  std::string endpoint;
  {
    http_server gone;
    endpoint = gone.endpoint();
  }
  http_request r;
  r.url = "http://" + endpoint + "/path?key=secret";
  r.headers = {{"Authorization", "Bearer secret"}};
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::unreachable));
  EXPECT_TRUE(e.retryable);
  EXPECT_EQ(e.message, endpoint + ": can't connect: Connection refused");
  EXPECT_EQ(e.data["phase"], value("connect"));
  EXPECT_EQ(e.describe().find("secret"), std::string::npos);
}

TEST_F(http_client_test, names_a_host_that_does_not_exist) {
  http_request r;
  r.url = "http://nowhere.invalid/";
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::unreachable)) << e.describe();
  EXPECT_EQ(e.message.find("nowhere.invalid:80: "), 0u);
}

TEST_F(http_client_test, tells_a_cut_answer_from_a_whole_one) {
  server_.on("/cut", http_answer().chunk("half").cut());
  server_.on("/short", http_answer().claim(10).send("half").cut());
  server_.on("/reset", http_answer().chunk("half").cut(true));
  server_.on("/nothing", http_answer::garbage(""));
  for (auto* path : {"/cut", "/short", "/reset", "/nothing"}) {
    auto e = failure_of(stream(path));
    EXPECT_TRUE(e.is(errc::unavailable)) << path << ": " << e.describe();
    EXPECT_TRUE(e.retryable);
    EXPECT_EQ(e.message.find(server_.endpoint() + ": "), 0u) << e.message;
  }
}

TEST_F(http_client_test, takes_only_http_for_an_answer) {
  server_.on("/garbage", http_answer::garbage("SSH-2.0-OpenSSH_9.2\r\n"));
  server_.on("/status", http_answer::garbage("HTTP/1.1 what ever\r\n\r\n"));
  server_.on("/chunk", http_answer::garbage(
                           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n"));
  for (auto* path : {"/garbage", "/status", "/chunk"}) {
    auto e = failure_of(get(path));
    EXPECT_TRUE(e.is(errc::bad_response) || e.is(errc::unavailable)) << path << e.describe();
  }
  EXPECT_TRUE(failure_of(get("/garbage")).is(errc::bad_response));
}

TEST_F(http_client_test, passes_early_hints_over) {
  server_.on("/x", http_answer::garbage("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                                        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  recorder seen;
  start(get("/x"), seen);
  ASSERT_TRUE(seen.wait_for_end());
  EXPECT_EQ(seen.heads(), 1);
  EXPECT_EQ(seen.wait_for_head().status, 200);
  EXPECT_EQ(seen.wait_for_head().find("link"), nullptr);
}

TEST_F(http_client_test, treats_an_error_status_as_an_answer) {
  server_.on("/x", http_answer(500).send("oops"));
  recorder seen;
  start(get("/x"), seen);
  EXPECT_TRUE(seen.wait_for_end());
  EXPECT_EQ(seen.wait_for_head().status, 500);
  EXPECT_EQ(seen.data(), "oops");
}

TEST_F(http_client_test, refuses_requests_that_could_mean_two_things) {
  auto with = [&](const std::string& name, const std::string& text) {
    auto r = get("/x");
    r.headers = {{name, text}};
    return failure_of(r).code;
  };
  EXPECT_EQ(with("X", "a\r\nHost: evil"), "bad_argument");
  EXPECT_EQ(with("X", std::string("a\0b", 3)), "bad_argument");
  EXPECT_EQ(with("X y", "a"), "bad_argument");
  EXPECT_EQ(with("", "a"), "bad_argument");
  EXPECT_EQ(with("hOst", "front.example"), "bad_argument");
  EXPECT_EQ(with("Content-Length", "1"), "bad_argument");
  EXPECT_EQ(with("Transfer-Encoding", "chunked"), "bad_argument");
  EXPECT_EQ(with("Upgrade", "h2c"), "bad_argument");
  EXPECT_EQ(with("X", std::string(100'000, 'x')), "bad_argument");
  for (std::string method : {"", "GE T", "GET\r\n", "CONNECT"}) {
    auto r = get("/x");
    r.method = method;
    EXPECT_EQ(failure_of(r).code, "bad_argument") << method;
  }
  EXPECT_TRUE(server_.requests().empty());
}

TEST_F(http_client_test, takes_no_proxy_from_the_environment) {
  server_.on("/x", http_answer::text("ok"));
  setenv("http_proxy", "http://127.0.0.1:1", 1);
  EXPECT_EQ(failure_of(get("/x")).code, "none");
  http_options asked;
  asked.proxies_from_environment = true;
  auto other = std::move(*http_client::open(asked));
  recorder seen;
  other->start(get("/x"), seen.sink());
  EXPECT_FALSE(seen.wait_for_end()) << "asked for, the proxy is used";
  auto judged = get("/x");
  judged.filter = [](auto, auto, auto) { return ok(); };
  recorder direct;
  other->start(judged, direct.sink());
  EXPECT_TRUE(direct.wait_for_end()) << "an address can't be judged behind a proxy";
  unsetenv("http_proxy");
}

TEST_F(http_client_test, does_not_speak_plain_where_tls_is_asked) {
  http_request r;
  r.url = "https://" + server_.endpoint() + "/";
  auto e = failure_of(r);
  EXPECT_TRUE(e.is(errc::unreachable)) << e.describe();
  EXPECT_FALSE(e.retryable);
}

}  // namespace
}  // namespace troupe
