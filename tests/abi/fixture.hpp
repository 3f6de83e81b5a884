// SPDX-License-Identifier: Apache-2.0
//
// A node without a node: a catalog of plugins, a log that is kept, and the simulation to run their
// agents in.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "agent/context.hpp"
#include "base/msgpack.hpp"
#include "plugin/catalog.hpp"
#include "support/simulation.hpp"

namespace troupe::test {

class kept_log final : public log_sink {
 public:
  void write(const log_record& r) override {
    std::lock_guard lock(mutex_);
    lines_.push_back(r.component + ": " + r.message);
  }
  std::vector<std::string> lines() {
    std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

/// An outlet that ends in a list.
class kept_posts final : public outlet::sink {
 public:
  bool post(std::string_view verb, bytes body) override {
    std::lock_guard lock(mutex_);
    posts_.emplace_back(verb, std::move(body));
    return true;
  }
  std::vector<std::pair<std::string, bytes>> posts() {
    std::lock_guard lock(mutex_);
    return posts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, bytes>> posts_;
};

class plugin_test : public ::testing::Test {
 protected:
  /// Plugins that come with the node, as they stand in the build tree.
  static std::string shipped(const std::string& name) {
    return (std::filesystem::path(TROUPE_BUILD_FOLDER) / "plugins" / name).string();
  }
  /// Plugins that only tests have.
  static std::string made_for_tests(const std::string& name) {
    return (std::filesystem::path(TROUPE_BUILD_FOLDER) / "tests/abi/plugins" / name).string();
  }

  void add(const std::string& folder) {
    auto added = plugins.add(folder);
    ASSERT_TRUE(added) << added.error().describe();
  }

  /// Starts an agent of a kind at the path `x`.
  result<address> start(const std::string& plugin, const std::string& kind,
                        const value& options = value::map{}) {
    TROUPE_TRY(actions, plugins.make_agent(plugin, kind, options));
    return world.add("x", std::move(actions));
  }

  /// What a tool answers at once.
  result<value> call_tool(const std::string& name, const value& args) {
    tool_request r = request(name, args);
    auto answer = plugins.call_tool(r, outlet(posts));
    if (!answer) return error(errc::failed, "no answer yet");
    if (!*answer) return answer->error();
    return unpack((*answer)->view());
  }
  tool_request request(const std::string& name, const value& args) {
    tool_request r;
    r.id = ++last_id;
    r.name = name;
    r.args = *pack(args);
    r.caller = "desk/writer";
    auto all = std::make_shared<authority>();
    all->grants = grants::all();
    r.rights = all;
    return r;
  }

  std::uint64_t last_id = 0;
  std::shared_ptr<kept_posts> posts = std::make_shared<kept_posts>();
  kept_log lines;
  system_clock time;
  logger log{lines, time, log_level::debug};
  catalog plugins{log, "0.1.0"};
  simulation world;  // after the catalog: its agents go first
};

}  // namespace troupe::test
