// SPDX-License-Identifier: Apache-2.0
//
// Lua agents in the simulation, from text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "script/lua_behaviour.hpp"
#include "support/simulation.hpp"

namespace troupe::script {

class lua_agents : public testing::Test {
 protected:
  static program_ptr text(const std::string& source, const std::string& file = "agent.lua") {
    auto p = std::make_shared<program>();
    p->file = file;
    p->folder = "/nowhere";
    p->source = source;
    return p;
  }

  std::unique_ptr<behaviour> lua(const std::string& source, value options = value::map{}) {
    lua_settings settings;
    settings.shared = &shared;
    settings.script = text(source);
    settings.options = std::move(options);
    settings.memory = memory;
    return std::make_unique<lua_behaviour>(std::move(settings));
  }

  /// An agent with what stands between `troupe.agent {}` and `return agent`.
  std::unique_ptr<behaviour> agent(const std::string& body) {
    return lua("local troupe = require('troupe')\nlocal agent = troupe.agent {}\n" + body +
               "\nreturn agent");
  }

  /// Starts one; where it fails, the test does.
  address add(const std::string& path, const std::string& body) {
    auto made = world.add(path, agent(body));
    EXPECT_TRUE(made) << made.error().describe();
    return made ? *made : address{};
  }

  /// What a call says, as text: the value as JSON would show it, or the error's line.
  std::string call(const target& to, std::string_view verb, value::array args = {}) {
    auto answer = world.call(to, verb, std::move(args));
    return answer ? show(*answer) : answer.error().describe();
  }

  static std::string show(const value& v);
  std::string reason_of(const address& a) {
    const auto* reason = world.reason_of(a);
    return reason != nullptr ? reason->describe() : "alive";
  }

  code_cache cache;
  environment shared{.cache = &cache, .time = nullptr, .count = 1000};
  std::size_t memory = 8u << 20;
  test::simulation world;
};

}  // namespace troupe::script
