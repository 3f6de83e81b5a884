// SPDX-License-Identifier: Apache-2.0
//
// How a script becomes an agent: what it may return, its options, its hooks, its modules, and what
// it says of itself.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "script/declaration.hpp"
#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

class start_test : public lua_agents {
 protected:
  /// Why an agent does not start, or "started".
  std::string start(const std::string& source, value options = value::map{}) {
    auto made = world.add("a", lua(source, std::move(options)));
    return made ? "started" : made.error().describe();
  }
  std::string slip(const std::string& body) {
    return start("local troupe = require('troupe')\nlocal agent = troupe.agent {}\n" + body +
                 "\nreturn agent");
  }
};

TEST_F(start_test, names_what_a_file_returned_instead_of_an_agent) {
  EXPECT_EQ(start("return {}"), "config: agent.lua returned a table instead of an agent (a)");
  EXPECT_EQ(start(""), "config: agent.lua returned nothing instead of an agent (a)");
  EXPECT_EQ(start("return 5"), "config: agent.lua returned a number instead of an agent (a)");
  EXPECT_EQ(start("return setmetatable({}, {})"),
            "config: agent.lua returned a table instead of an agent (a)");
}

TEST_F(start_test, names_file_and_line_of_what_is_wrong_with_the_file) {
  EXPECT_THAT(start("local x = = 1"),
              testing::StartsWith("syntax: agent.lua:1: unexpected symbol"));
  EXPECT_THAT(start("\n\nerror('oh')"), testing::StartsWith("crash: agent.lua:3: oh"));
  EXPECT_THAT(
      start("require('troupe').call('x', 'y')"),
      testing::HasSubstr("troupe.call can't be used while the file loads: use agent.on_start"));
  EXPECT_THAT(start("require('other')"), testing::HasSubstr("other.lua"));
}

TEST_F(start_test, catches_one_dot_too_many_and_hooks_that_nobody_knows) {
  EXPECT_THAT(slip("function agent.on.start() end"), testing::HasSubstr("write agent.on_start"));
  EXPECT_THAT(slip("function agent.on.down() end"), testing::HasSubstr("write agent.on_down"));
  EXPECT_THAT(slip("function agent.on_strat() end"),
              testing::HasSubstr("unknown hook \"on_strat\": did you mean \"on_start\"?"));
  EXPECT_THAT(slip("function agent.on_peer() end"),
              testing::HasSubstr("unsupported: agent.on_peer can't be held by this version"));
  EXPECT_THAT(slip("agent.on_start = 5"),
              testing::HasSubstr("agent.on_start: expected a function"));
  EXPECT_THAT(slip("agent.on.say = {}"),
              testing::HasSubstr("agent.on.say: expected a function or a tool, got table"));
  EXPECT_THAT(slip("agent.on[1] = print"), testing::HasSubstr("a verb is a string"));
  EXPECT_THAT(slip("agent.on['@x'] = print"), testing::HasSubstr("does not begin with @"));
  EXPECT_THAT(slip("agent.on = { say = print }"), testing::HasSubstr("agent.on was replaced"));
  EXPECT_THAT(start("return require('troupe').agent { option = {} }"),
              testing::HasSubstr("unknown key \"option\": did you mean \"options\"?"));
  EXPECT_THAT(start("return require('troupe').agent { concurrent = 0 }"),
              testing::HasSubstr("concurrent: expected"));
  EXPECT_THAT(start("return require('troupe').agent { concurrent = { 1 } }"),
              testing::HasSubstr("concurrent: expected"));
  EXPECT_THAT(start("return require('troupe').agent { needs = 1 }"),
              testing::HasSubstr("needs: expected a table"));
  EXPECT_EQ(slip("agent.helper = 5 function agent.help() end"), "started");
}

TEST_F(start_test, merges_the_options_of_the_spec_over_the_defaults) {
  const std::string source = R"(
    local troupe = require("troupe")
    local agent = troupe.agent {
      options = { model = "small", size = 4, deep = { a = 1 }, key = troupe.required("string"),
                  ratio = troupe.required("number"), loud = false },
    }
    function agent.on.options(self) return self.options end
    return agent
  )";
  auto made = world.add("a", lua(source, value::map{{"key", "k"}, {"size", 9}, {"ratio", 1}}));
  ASSERT_TRUE(made) << made.error().describe();
  auto options = world.call(*made, "options");
  ASSERT_TRUE(options);
  EXPECT_EQ(*options, value(value::map{{"model", "small"},
                                       {"size", 9},
                                       {"deep", value::map{{"a", 1}}},
                                       {"key", "k"},
                                       {"ratio", 1},
                                       {"loud", false}}));
  EXPECT_EQ(start(source, value::map{{"ratio", 1}}),
            "config: agent.lua: option \"key\" (string) is required (a)");
  EXPECT_EQ(start(source, value::map{{"key", 5}, {"ratio", 1}}),
            "config: agent.lua: option \"key\": expected string, got number (a)");
  EXPECT_EQ(start(source, value::map{{"key", "k"}, {"ratio", 1}, {"size", "9"}}),
            "config: agent.lua: option \"size\": expected number, got string (a)");
  EXPECT_EQ(start(source, value::map{{"key", "k"}, {"ratio", 1}, {"modle", "x"}}),
            "config: agent.lua: unknown option \"modle\": did you mean \"model\"? (a)");
}

TEST_F(start_test, tells_on_start_how_the_last_one_ended) {
  EXPECT_EQ(slip(R"(
    function agent.on_start(self, start)
      assert(type(start) == "table")
    end)"),
            "started");
}

TEST_F(start_test, refuses_to_start_as_on_start_says) {
  EXPECT_EQ(slip("function agent.on_start() return nil, 'no data' end"), "failed: no data (a)");
  EXPECT_THAT(slip("function agent.on_start(self) self.x.y = 1 end"),
              testing::StartsWith("crash: agent.lua:3: attempt to index"));
  EXPECT_EQ(slip("function agent.on_start() error(troupe.error('mine', 'text')) end"),
            "crash: raised at agent.lua:3 (a); because mine: text");
  EXPECT_EQ(slip("function agent.on_start() local t = {} while true do t[#t + 1] = {} end end")
                .substr(0, 6),
            "limit:");
}

TEST_F(start_test, waits_in_on_start) {
  add("b", "function agent.on.x() return 5 end");
  EXPECT_EQ(slip("function agent.on_start(self) assert(troupe.call('b', 'x') == 5) end"),
            "started");
}

TEST_F(start_test, runs_on_stop_in_order) {
  auto a = add("a", R"(
    local async = require("troupe.async")
    function agent.on_stop(self, reason) troupe.call("log", "note", "stopped " .. reason.code) end
    function agent.on.go() local _ <close> = setmetatable({}, { __close = function()
      troupe.send("log", "note", "closed") end }) async.sleep(100) end
  )");
  add("log", R"(
    local lines = {}
    function agent.on.note(self, line) lines[#lines + 1] = line end
    function agent.on.all() return lines end
  )");
  world.send(a, "go");
  world.exit(a, errc::shutdown);
  EXPECT_EQ(call("log", "all"), R"(["closed","stopped shutdown"])");
  EXPECT_EQ(world.reason_of(a)->code, "shutdown");
}

class module_test : public start_test {
 protected:
  module_test() {
    char name[] = "/tmp/troupe-module-XXXXXX";
    folder_ = ::mkdtemp(name);
  }
  ~module_test() override { std::filesystem::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }
  std::string run(const std::string& file) {
    auto read = read_program(file, folder_);
    if (!read) return read.error().describe();
    lua_settings settings;
    settings.shared = &shared;
    settings.script = *read;
    auto made = world.add("a", std::make_unique<lua_behaviour>(std::move(settings)));
    return made ? call(*made, "go") : made.error().describe();
  }

  std::filesystem::path folder_;
};

TEST_F(module_test, requires_files_beside_the_script) {
  write("agents/main.lua", R"(
    local agent = require("troupe").agent()
    local util, deep = require("util"), require("lib.deep")
    function agent.on.go() return { util.x, deep.x, require("util") == util } end
    return agent)");
  write("agents/util.lua", "return { x = 1 }");
  write("agents/lib/deep.lua", "return { x = 2 }");
  EXPECT_EQ(run("agents/main.lua"), "[1,2,true]");
}

TEST_F(module_test, names_the_file_and_line_of_a_module) {
  write("main.lua", "local util = require('util') return require('troupe').agent()");
  write("util.lua", "local x\nx.y = 1");
  EXPECT_THAT(run("main.lua"), testing::HasSubstr("util.lua:2: attempt to index"));
  write("util.lua", "x = = 2");
  EXPECT_THAT(run("main.lua"), testing::HasSubstr("util.lua:1: unexpected symbol"));
}

TEST_F(module_test, reads_no_file_elsewhere) {
  write("secret.lua", "return 1");
  write("agents/main.lua", R"(
    local agent = require("troupe").agent()
    function agent.on.go(self, name)
      local told = {}
      for _, name in ipairs { "../secret", "..secret", "/etc/passwd", "a..b", ".x", "x.lua/..", "" } do
        told[#told + 1] = tostring(pcall(require, name))
      end
      return table.concat(told, " ")
    end
    return agent)");
  EXPECT_EQ(run("agents/main.lua"), R"("false false false false false false false")");
}

TEST_F(module_test, names_scripts_that_can_not_be_read) {
  EXPECT_EQ(run("missing.lua"), "not_found: missing.lua: No such file or directory");
  write("folder/x", "");
  EXPECT_EQ(run("folder"), "io: folder: not a regular file");
  write("big.lua", std::string(max_script_size + 1, ' '));
  EXPECT_EQ(run("big.lua"), "too_big: big.lua: a script is at most 4 MiB");
}

class declaration_test : public lua_agents {
 protected:
  result<declaration> declared(const std::string& source) { return declare(shared, text(source)); }
};

TEST_F(declaration_test, tells_needs_options_and_verbs) {
  auto d = declared(R"(
    local troupe, tool, json = require("troupe"), require("troupe.tool"), require("troupe.json")
    local agent = troupe.agent {
      needs = { llm = { "default" }, tools = { "http.get" }, net = { "x:443" }, optional = { "net" } },
      options = { size = 4, key = troupe.required("string") },
      concurrent = { "status" },
      version = 3,
    }
    agent.on.tides = tool.define { "Tide table.", params = json.schema { port = "string" }, run = function() end }
    function agent.on.status() end
    function agent.own.tick() end
    function agent.on_start() end
    return agent
  )");
  ASSERT_TRUE(d) << d.error().describe();
  EXPECT_TRUE(d->needs.allows("llm", "default"));
  EXPECT_TRUE(d->needs.allows("tools", "http.get"));
  EXPECT_FALSE(d->needs.allows("net", "x:443"));
  EXPECT_TRUE(d->optional.allows("net", "x:443"));
  EXPECT_EQ(d->options["size"]["default"], value(4));
  EXPECT_EQ(d->options["key"]["required"], value("string"));
  EXPECT_EQ(d->overlap.overlapping, std::vector<std::string>{"status"});
  EXPECT_EQ(d->version, 3);
  ASSERT_EQ(d->verbs.size(), 2u);
  EXPECT_TRUE(d->has_verb("status"));
  EXPECT_EQ(d->verbs[1].name, "tides");
  EXPECT_EQ(d->verbs[1].description, "Tide table.");
  EXPECT_EQ(d->verbs[1].params["properties"]["port"]["type"], value("string"));
  EXPECT_EQ(d->own[0].name, "tick");
  EXPECT_EQ(d->hooks, std::vector<std::string>{"on_start"});
}

TEST_F(declaration_test, takes_a_bare_agent) {
  auto d = declared("return require('troupe').agent()");
  ASSERT_TRUE(d) << d.error().describe();
  EXPECT_EQ(d->version, 1);
  EXPECT_TRUE(d->verbs.empty());
}

TEST_F(declaration_test, gives_up_on_what_does_not_load) {
  EXPECT_EQ(declared("return {}").error().describe(),
            "config: agent.lua returned a table instead of an agent");
  EXPECT_EQ(declared("while true do end").error().describe(),
            "limit: agent.lua: loading it takes too long");
  EXPECT_EQ(declared("x = = 1").error().code, "syntax");
  EXPECT_EQ(declared("error('oh')").error().message, "agent.lua:1: oh");
  EXPECT_EQ(declared("local t = {} while true do t[#t+1] = ('x'):rep(1000) end").error().code,
            "limit");
  EXPECT_THAT(declared("require('troupe').find('x')").error().message,
              testing::HasSubstr("while the file loads"));
  EXPECT_THAT(declared("require('troupe.async').sleep(1)").error().message,
              testing::HasSubstr("while the file loads"));
  EXPECT_EQ(declared("return require('troupe').agent { needs = { lm = {} } }").error().code,
            "config");
  EXPECT_EQ(declared("return require('troupe').agent { options = { f = print } }").error().code,
            "bad_body");
  EXPECT_EQ(declared("coroutine.yield() return require('troupe').agent()").error().code, "crash");
}

}  // namespace
}  // namespace troupe::script
