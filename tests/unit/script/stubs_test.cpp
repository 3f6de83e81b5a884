// SPDX-License-Identifier: Apache-2.0
//
// The stubs in sdk/lua and the modules that scripts get say the same.
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

/// By what they hang on (`async`, `task`): functions, with `.` or `:` before them.
using functions = std::map<std::string, std::set<std::string>>;

functions read_stub(const std::filesystem::path& file) {
  functions found;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    constexpr std::string_view begin = "function ";
    if (!line.starts_with(begin)) continue;
    const auto name = line.substr(begin.size(), line.find('(') - begin.size());
    const auto dot = name.find_first_of(".:");
    found[name.substr(0, dot)].insert(name.substr(dot));
  }
  return found;
}

class stubs_test : public lua_agents {
 protected:
  void SetUp() override {
    for (const auto& entry : std::filesystem::directory_iterator(TROUPE_STUBS))
      stubs_[entry.path().stem()] = read_stub(entry.path());
    add("subject", R"(
      local async, timer = require("troupe.async"), require("troupe.timer")
      local llm = require("troupe.llm")
      local function module(name) return require(name == "troupe" and name or "troupe." .. name) end
      function agent.own.tick() end
      function agent.on.names(self, name)
        local names = {}
        for key, f in pairs(module(name)) do if type(f) == "function" then names[#names + 1] = key end end
        return names
      end
      function agent.on.has(self, name, member) return type(module(name)[member]) == "function" end
      local makers = {
        stream = function() return troupe.stream("subject", "names", "troupe") end,
        later = function() return troupe.defer() end,
        supervisor = function() return troupe.supervisor("x") end,
        task = function() return async.run(function() end) end,
        lock = async.lock,
        handle = function() return timer.after(1, "tick") end,
        chat = llm.chat,
      }
      function agent.on.handle_has(self, kind, method)
        local handle = makers[kind]()
        return type(handle[method]) == "function"
      end
    )");
  }

  std::map<std::string, functions> stubs_;
};

TEST_F(stubs_test, there_is_one_for_every_function) {
  ASSERT_EQ(stubs_.size(), 12u);
  for (auto& [name, stub] : stubs_) {
    auto names = world.call("subject", "names", {name});
    ASSERT_TRUE(names) << name << ": " << names.error().describe();
    EXPECT_FALSE(names->as_array().empty()) << name;
    for (const auto& f : names->as_array())
      EXPECT_TRUE(stub[name].contains("." + std::string(f.as_string())))
          << name << "." << f.as_string() << " has no stub";
  }
}

TEST_F(stubs_test, there_is_a_function_for_every_stub) {
  for (const auto& [name, stub] : stubs_)
    for (const auto& [holder, members] : stub)
      for (const auto& member : members) {
        if (holder == name && member[0] == '.') {
          EXPECT_EQ(call("subject", "has", {name, member.substr(1)}), "true") << name << member;
        } else if (holder != "later" && holder != "t") {  // what a case gets: tests/lua tries it
          EXPECT_EQ(call("subject", "handle_has", {holder, member.substr(1)}), "true")
              << holder << member;
        }
      }
}

TEST_F(stubs_test, every_function_that_waits_says_so) {
  // Where one is forgotten, `troupe check` can't warn about a result that is dropped.
  for (const auto* file : {"troupe", "llm", "tool", "group", "topic", "sys"}) {
    std::ifstream in(std::filesystem::path(TROUPE_STUBS) / (std::string(file) + ".lua"));
    std::string comment;
    for (std::string line; std::getline(in, line);) {
      if (line.starts_with("---")) {
        comment += line + "\n";
        continue;
      }
      if (line.starts_with("function ") && comment.find("troupe.failure? err") != comment.npos) {
        EXPECT_THAT(comment, testing::HasSubstr("---@async")) << line;
      }
      comment.clear();
    }
  }
}

/// What the contract with scripts promises; there may be more.
const std::map<std::string, std::vector<std::string>> contract = {
    {"troupe",
     {".agent",     ".required", ".error",  ".call", ".send",    ".part",     ".stream",
      ".defer",     ".detach",   ".spawn",  ".self", ".find",    ".register", ".monitor",
      ".demonitor", ".link",     ".unlink", ".exit", ".current", ".progress", ".supervisor"}},
    {"async", {".run", ".sleep", ".all", ".first", ".map", ".retry", ".timeout", ".lock"}},
    {"timer", {".after", ".every", ".at", ".cron"}},
    {"topic", {".publish", ".subscribe"}},
    {"group", {".join", ".call_any", ".call_all"}},
    {"tool", {".define", ".call", ".list"}},
    {"sys", {".inspect", ".suspend", ".resume", ".state", ".replace_state", ".reload", ".trace"}},
};

TEST_F(stubs_test, nothing_that_the_contract_promises_is_missing) {
  for (const auto& [name, functions] : contract)
    for (const auto& f : functions)
      EXPECT_TRUE(stubs_[name][name].contains(f)) << name << f << " has no stub";
}

TEST_F(stubs_test, every_function_and_hook_is_tried_in_each_placement) {
  std::string suite;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(TROUPE_SEAM)) {
    if (entry.path().extension() != ".lua") continue;
    std::ifstream in(entry.path());
    suite.append(std::istreambuf_iterator<char>(in), {});
  }
  const auto is_used = [&](const std::string& name) {
    for (auto at = suite.find(name); at != std::string::npos; at = suite.find(name, at + 1)) {
      const char next = suite[at + name.size()];
      if (std::isalnum(static_cast<unsigned char>(next)) == 0 && next != '_') return true;
    }
    return false;
  };
  for (const auto& [module, stub] : stubs_) {
    if (module == "llm" || module == "test") continue;  // need a broker, or are tests themselves
    for (const auto& [holder, functions] : stub)
      for (const auto& f : functions)
        EXPECT_TRUE(is_used(f[0] == ':' ? f : holder + f))
            << "no case in tests/seam uses " << holder << f;
  }
  for (const auto* hook : {"on_start", "on_stop", "on_down", "on_exit", "on_upgrade"})
    EXPECT_TRUE(is_used(std::string("agent.") + hook)) << hook;
}

}  // namespace
}  // namespace troupe::script
