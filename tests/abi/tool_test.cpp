// SPDX-License-Identifier: Apache-2.0
//
// The tool actor in a node, and a plugin whose tool does not come back.
#include "actors/tool/tool.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "actors/tool/api.hpp"
#include "core/gateway.hpp"
#include "core/node_carrier.hpp"
#include "fixture.hpp"

namespace troupe::test {
namespace {

namespace fs = std::filesystem;

/// Waits for the first time that `path` is stuck. Others may be late as well, on a busy machine.
class stuck_events final : public event_sink {
 public:
  explicit stuck_events(std::string path) : path_(std::move(path)) {}
  void on_event(const runtime_event& event) override {
    if (event.what != runtime_event::what::stuck || event.path != path_) return;
    std::call_once(once_, [&] { found_.set_value(event); });
  }
  runtime_event first() { return found_.get_future().get(); }

 private:
  const std::string path_;
  std::once_flag once_;
  std::promise<runtime_event> found_;
};

/// Two plugins in a node of one thread; `hostile` is stuck in a call of `hostile.block`.
class stuck_tool_test : public plugin_test {
 protected:
  void SetUp() override {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    fs::copy(made_for_tests("hostile"), folder_ / "hostile");
    add((folder_ / "hostile").string());
    add(shipped("hello_c"));
    all_->grants = grants::all();
    door_ = *gateway::open(node_, "test", all_);
    process_init keeper;
    keeper.path = "keeper";
    keeper.actions = *plugins.make_agent("hostile", "villain", value::map{});
    keeper_ = *door_->start(std::move(keeper));
    start_tool();
    blocked_ = use("hostile.block");
    found_ = events_.first();
  }

  void TearDown() override {
    static_cast<void>(door_->call(keeper_, "release", *pack(value::array{})));
    door_->exit(tool_, {errc::shutdown, "over"});
    door_->exit(keeper_, {errc::kill, "over"});
    door_.reset();
    EXPECT_TRUE(node_.wait_until_empty(std::chrono::hours(1)));
    fs::remove_all(folder_);
  }

  void start_tool() {
    process_init init;
    init.path = std::string(tool_api::name);
    init.rights = all_;
    init.actions = std::make_unique<tools>(
        tool_settings{.time_limit = std::chrono::milliseconds(100), .max_waiting = 2}, *client_,
        plugins, node_);
    tool_ = *door_->start(std::move(init));
  }

  std::future<result<value>> use(const std::string& name, value args = value::map{}) {
    auto promise = std::make_shared<std::promise<result<value>>>();
    auto answer = promise->get_future();
    door_->begin_call(
        tool_, tool_api::call, *pack(value::array{name, std::move(args)}), {},
        [promise](const result<bytes>& said) {
          promise->set_value(said ? unpack(said->view()) : result<value>(said.error()));
        });
    return answer;
  }

  /// A new file in the place of the old one, as linkers do it.
  void reload() {
    fs::remove(folder_ / "hostile" / "hostile.so");
    fs::copy_file(made_for_tests("hostile") + "/hostile.so", folder_ / "hostile" / "hostile.so");
    ASSERT_TRUE(plugins.reload("hostile"));
    ASSERT_TRUE(door_->call(tool_, tool_api::refresh, *pack(value::array{})));
  }

  const fs::path folder_ =
      fs::temp_directory_path() / ("troupe-stuck-tool-" + std::to_string(::getpid()));
  stuck_events events_{"tool/hostile"};
  std::unique_ptr<http_client> client_ = std::move(*http_client::open());
  node_carrier node_{{.threads = 1,
                      .spare_threads = 1,
                      .patience = std::chrono::milliseconds(30),
                      .events = &events_}};
  const std::shared_ptr<authority> all_ = std::make_shared<authority>();
  std::unique_ptr<gateway> door_;
  address tool_, keeper_;
  std::future<result<value>> blocked_;
  runtime_event found_;
};

TEST_F(stuck_tool_test, is_named_and_its_call_ends_at_the_time_limit_while_other_plugins_answer) {
  EXPECT_EQ(found_.data["in"], value("tool hostile.block of plugin hostile"));
  auto greeted = use("hello_c.greet", value::map{{"name", "Ann"}}).get();
  ASSERT_TRUE(greeted) << greeted.error().describe();
  EXPECT_EQ(*greeted, value("Hello, Ann!"));
  auto blocked = blocked_.get();
  ASSERT_FALSE(blocked);
  EXPECT_TRUE(blocked.error().is(errc::timeout));
  EXPECT_EQ(blocked.error().message, "tool hostile.block: no answer within 0.1 s");
}

TEST_F(stuck_tool_test, lets_few_calls_wait_for_its_plugin_and_refuses_more) {
  auto first = use("hostile.twice"), second = use("hostile.twice");
  auto third = use("hostile.twice").get();
  ASSERT_FALSE(third);
  EXPECT_TRUE(third.error().is(errc::overloaded));
  EXPECT_THAT(third.error().message, testing::StartsWith("tool hostile.twice: "));
  EXPECT_EQ(first.get().error().message, "tool hostile.twice: no answer within 0.1 s");
  EXPECT_EQ(second.get().error().message, "tool hostile.twice: no answer within 0.1 s");
}

TEST_F(stuck_tool_test, is_not_called_again_by_a_tool_actor_started_anew_until_its_call_returns) {
  door_->exit(tool_, {errc::kill, "on purpose"});
  ASSERT_TRUE(door_->wait_end(tool_));
  start_tool();
  auto refused = use("hostile.twice").get();
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is(errc::overloaded)) << refused.error().describe();
  EXPECT_EQ(refused.error().message,
            "plugin hostile is still in a call of an agent that was ended, and takes one call at a "
            "time");
  auto greeted = use("hello_c.greet", value::map{{"name", "Ann"}}).get();
  EXPECT_TRUE(greeted) << greeted.error().describe();
  ASSERT_TRUE(door_->call(keeper_, "release", *pack(value::array{})));
  ASSERT_TRUE(door_->wait_end(found_.agent));
  auto answer = use("hostile.twice").get();
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value(1));
}

TEST_F(stuck_tool_test, is_healed_by_a_reload_of_its_plugin) {
  reload();
  auto answer = use("hostile.twice").get();
  ASSERT_TRUE(answer) << answer.error().describe();
  EXPECT_EQ(*answer, value(1));
}

}  // namespace
}  // namespace troupe::test
