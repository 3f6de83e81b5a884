// SPDX-License-Identifier: Apache-2.0
#include "http/outlet_events.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/msgpack.hpp"
#include "support/http_server.hpp"

namespace troupe {
namespace {

using test::gate;
using test::http_answer;
using test::http_server;

/// A mailbox of its own: what a carrier would put behind an outlet.
class inbox final : public outlet::sink {
 public:
  bool post(std::string_view verb, bytes body) override {
    std::lock_guard lock(mutex_);
    if (closed_) return false;
    events_.emplace_back(std::string(verb), *unpack(body.view()));
    changed_.notify_all();
    return true;
  }
  std::vector<std::pair<std::string, value>> wait_for(std::size_t n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return events_.size() >= n; });
    return events_;
  }
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool closed_ = false;
  std::vector<std::pair<std::string, value>> events_;
};

class outlet_events_test : public testing::Test {
 protected:
  request_id start(const std::string& path) {
    http_request r;
    r.url = server_.url(path);
    r.stream = true;
    return client_->start(r, outlet_events(outlet(inbox_)));
  }

  http_server server_;
  std::shared_ptr<inbox> inbox_ = std::make_shared<inbox>();
  std::unique_ptr<http_client> client_ = std::move(*http_client::open());
};

TEST_F(outlet_events_test, post_head_data_and_end_with_the_id) {
  server_.on(
      "/x",
      http_answer(200).header("Vary", "a").header("vary", "b").chunk("caf\xc3").chunk("\xa9"));
  auto id = static_cast<std::int64_t>(start("/x"));
  auto events = inbox_->wait_for(3);
  EXPECT_EQ(events.front().first, "http.head");
  EXPECT_EQ(events.front().second["id"], value(id));
  EXPECT_EQ(events.front().second["status"], value(200));
  EXPECT_EQ(events.front().second["url"], value(server_.url("/x")));
  EXPECT_EQ(events.front().second["headers"]["vary"], value("a, b"));
  std::size_t n = 3;
  while (events.back().first != "http.end")
    events = inbox_->wait_for(++n);
  std::string data;
  for (std::size_t i = 1; i + 1 < events.size(); ++i) {
    EXPECT_EQ(events[i].first, "http.data");
    EXPECT_EQ(events[i].second["id"], value(id));
    EXPECT_TRUE(events[i].second["data"].is_binary());
    data += events[i].second["data"].as_string();
  }
  EXPECT_EQ(data, "caf\xc3\xa9");
  EXPECT_EQ(events.back().second["id"], value(id));
  EXPECT_EQ(events.back().second.find("error"), nullptr);
}

TEST_F(outlet_events_test, post_why_it_failed) {
  server_.on("/x", http_answer().chunk("half").cut());
  start("/x");
  auto events = inbox_->wait_for(3);
  EXPECT_EQ(events.back().first, "http.end");
  auto e = error_from(events.back().second["error"]);
  EXPECT_TRUE(e.is(errc::unavailable));
  EXPECT_TRUE(e.retryable);
}

TEST_F(outlet_events_test, end_a_request_whose_agent_is_gone) {
  auto more = std::make_shared<gate>();
  server_.on("/x", http_answer().chunk("a").stall(more).chunk("b").stall(std::make_shared<gate>()));
  start("/x");
  inbox_->wait_for(2);
  inbox_->close();
  more->open();
  server_.wait_for_hangups(1);
}

}  // namespace
}  // namespace troupe
