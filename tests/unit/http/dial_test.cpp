// SPDX-License-Identifier: Apache-2.0
//
// Redirects, and who judges where a request goes.
#include <gtest/gtest.h>

#include <mutex>

#include "http/client.hpp"
#include "support/http_server.hpp"
#include "unit/http/recorder.hpp"

namespace troupe {
namespace {

using test::http_answer;
using test::http_server;
using test::recorder;

class dial_test : public testing::Test {
 protected:
  dial_test() : client_(std::move(*http_client::open())) {}

  http_request get(const std::string& url) {
    http_request r;
    r.url = url;
    r.max_redirects = 5;
    return r;
  }
  result<void> run(http_request r) {
    seen_ = recorder();
    client_->start(std::move(r), seen_.sink());
    return seen_.wait_for_end();
  }
  /// Notes what it is asked, and refuses `host:port`, or `ip:port`, if that is `refused`.
  dial_filter noting(std::string refused = {}) {
    return [this, refused](std::string_view host, std::string_view ip,
                           std::uint16_t port) -> result<void> {
      auto line = std::string(host) + " " + std::string(ip) + " " + std::to_string(port);
      std::lock_guard lock(mutex_);
      asked_.push_back(line);
      auto at = std::string(ip.empty() ? host : ip) + ":" + std::to_string(port);
      if (at == refused) return {errc::denied, at + " is not granted"};
      return ok();
    };
  }
  std::vector<std::string> asked() {
    std::lock_guard lock(mutex_);
    return std::exchange(asked_, {});
  }

  http_server server_, other_;
  std::mutex mutex_;
  std::vector<std::string> asked_;
  recorder seen_;
  std::unique_ptr<http_client> client_;
};

TEST_F(dial_test, hands_a_redirect_over_unless_it_may_follow) {
  server_.on("/a", http_answer::redirect("/b"));
  auto r = get(server_.url("/a"));
  r.max_redirects = 0;
  ASSERT_TRUE(run(r));
  EXPECT_EQ(seen_.wait_for_head().status, 302);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(dial_test, follows_on_the_same_connection) {
  server_.on("/a", http_answer::redirect("b?q").send(std::string(1000, 'x')));
  server_.on("/b", http_answer::text("there"));
  ASSERT_TRUE(run(get(server_.url("/a"))));
  EXPECT_EQ(seen_.data(), "there");
  EXPECT_EQ(seen_.heads(), 1);
  EXPECT_EQ(seen_.wait_for_head().url, server_.url("/b?q"));
  EXPECT_EQ(server_.connections(), 1u);
}

TEST_F(dial_test, gives_up_after_so_many_redirects) {
  server_.on("/a", http_answer::redirect("/a"));
  auto r = get(server_.url("/a"));
  r.max_redirects = 3;
  auto outcome = run(r);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::bad_response));
  EXPECT_EQ(outcome.error().message, server_.endpoint() + ": redirects more than 3 times");
  EXPECT_EQ(server_.requests().size(), 4u);
  EXPECT_EQ(seen_.heads(), 0);
}

TEST_F(dial_test, does_not_read_a_redirect_s_body_to_its_end) {
  server_.on("/a", http_answer::redirect("/b").repeat(std::string(64u << 10, 'x'), 1u << 20));
  server_.on("/b", http_answer::text("there"));
  ASSERT_TRUE(run(get(server_.url("/a"))));
  EXPECT_EQ(seen_.data(), "there");
}

TEST_F(dial_test, leaves_credentials_behind_when_it_goes_elsewhere) {
  server_.on("/a", http_answer::redirect(other_.url("/b")));
  server_.on("/c", http_answer::redirect("/d"));
  server_.on("/d", http_answer::text("ok"));
  other_.on("/b", http_answer::text("ok"));
  auto r = get(server_.url("/a"));
  r.headers = {
      {"Authorization", "Bearer k"}, {"X-Api-Key", "k"}, {"Cookie", "k"}, {"Accept", "x/y"}};
  ASSERT_TRUE(run(r));
  auto got = other_.requests().at(0);
  EXPECT_EQ(got.header("Authorization"), "");
  EXPECT_EQ(got.header("X-Api-Key"), "");
  EXPECT_EQ(got.header("Cookie"), "");
  EXPECT_EQ(got.header("Accept"), "x/y");
  r.url = server_.url("/c");
  ASSERT_TRUE(run(r));
  EXPECT_EQ(server_.requests().back().header("X-Api-Key"), "k") << "the same origin";
}

TEST_F(dial_test, changes_the_method_as_http_says) {
  for (int status : {301, 302, 303, 307, 308}) {
    server_.on("/" + std::to_string(status), http_answer::redirect("/b", status));
    auto r = get(server_.url("/" + std::to_string(status)));
    r.method = "POST";
    r.body = "data";
    r.headers = {{"Content-Type", "text/plain"}};
    server_.on("/b", http_answer::text("ok"));
    ASSERT_TRUE(run(r));
    auto got = server_.requests().back();
    bool kept = status >= 307;
    EXPECT_EQ(got.method, kept ? "POST" : "GET") << status;
    EXPECT_EQ(got.body, kept ? "data" : "") << status;
    EXPECT_EQ(got.header("Content-Type"), kept ? "text/plain" : "") << status;
  }
}

TEST_F(dial_test, never_leaves_http) {
  server_.on("/file", http_answer::redirect("file:///etc/passwd"));
  server_.on("/user", http_answer::redirect("http://me@example.org/"));
  server_.on("/garbage", http_answer::redirect("http://[broken/"));
  for (auto* path : {"/file", "/user", "/garbage"}) {
    auto outcome = run(get(server_.url(path)));
    ASSERT_FALSE(outcome) << path;
    EXPECT_TRUE(outcome.error().is(errc::bad_response)) << outcome.error().describe();
  }
}

TEST_F(dial_test, is_asked_for_the_name_and_for_the_address_at_each_hop) {
  server_.on("/a", http_answer::redirect(other_.url("/b")));
  other_.on("/b", http_answer::text("ok"));
  auto r = get(server_.url("/a"));
  r.filter = noting();
  ASSERT_TRUE(run(r));
  auto here = std::to_string(server_.port()), there = std::to_string(other_.port());
  // The address twice: before it is dialled, and before the request leaves.
  EXPECT_EQ(asked(), (std::vector<std::string>{"127.0.0.1  " + here, "127.0.0.1 127.0.0.1 " + here,
                                               "127.0.0.1 127.0.0.1 " + here, "127.0.0.1  " + there,
                                               "127.0.0.1 127.0.0.1 " + there,
                                               "127.0.0.1 127.0.0.1 " + there}));
}

TEST_F(dial_test, opens_no_connection_to_a_name_it_may_not_reach) {
  http_request r = get("http://nowhere.invalid/");
  r.filter = noting("nowhere.invalid:80");
  auto outcome = run(r);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::denied));
  EXPECT_EQ(outcome.error().message, "nowhere.invalid:80 is not granted");
  EXPECT_EQ(asked().size(), 1u) << "the name was looked up";
}

TEST_F(dial_test, judges_the_address_behind_a_harmless_name) {
  // The port alone is enough to tell this server; localhost is ::1 as well on many machines.
  http_request r = get("http://localhost:" + std::to_string(server_.port()) + "/");
  r.filter = [](std::string_view host, std::string_view ip, std::uint16_t) -> result<void> {
    if (ip.empty()) return ok();
    return {errc::denied, std::string(host) + " leads to " + std::string(ip)};
  };
  auto outcome = run(r);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::denied)) << outcome.error().describe();
  EXPECT_EQ(outcome.error().message.find("localhost leads to "), 0u);
  EXPECT_EQ(server_.connections(), 0u);
}

TEST_F(dial_test, judges_a_redirect_like_a_request) {
  server_.on("/a", http_answer::redirect(other_.url("/b")));
  auto r = get(server_.url("/a"));
  r.filter = noting(other_.endpoint());
  auto outcome = run(r);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::denied));
  EXPECT_EQ(other_.connections(), 0u);
}

TEST_F(dial_test, judges_a_connection_that_another_request_opened) {
  server_.on("/a", http_answer::text("ok"));
  ASSERT_TRUE(run(get(server_.url("/a"))));
  ASSERT_EQ(server_.connections(), 1u);
  auto r = get(server_.url("/a"));
  r.filter = [](std::string_view, std::string_view ip, std::uint16_t) -> result<void> {
    if (ip.empty()) return ok();
    return {errc::denied, "no"};
  };
  auto outcome = run(r);
  ASSERT_FALSE(outcome);
  EXPECT_TRUE(outcome.error().is(errc::denied));
  EXPECT_EQ(server_.requests().size(), 1u);
}

}  // namespace
}  // namespace troupe
