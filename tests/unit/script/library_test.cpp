// SPDX-License-Identifier: Apache-2.0
//
// The public modules that talk to the node's own actors, played here by Lua agents: tools, models,
// groups, supervisors; and the small ones beside them.
#include "base/msgpack.hpp"
#include "unit/script/lua_agents.hpp"

namespace troupe::script {
namespace {

class library_test : public lua_agents {
 protected:
  /// What `code` returns inside a handler.
  std::string run(const std::string& code, const std::string& before = "") {
    const auto path = "agent" + std::to_string(++count_);
    auto made = world.add(path, lua(R"(
      local troupe, json = require("troupe"), require("troupe.json")
      local agent = troupe.agent {}
      )" + before + "\nfunction agent.on.go(self, ...) " +
                                    code + " end return agent"));
    EXPECT_TRUE(made) << made.error().describe();
    if (!made) return "";
    auto answer = world.call(path, "go", {}, {.timeout = std::chrono::hours(1)});
    return answer ? show(*answer) : answer.error().describe();
  }

  int count_ = 0;
};

// -- json, log, time

TEST_F(library_test, writes_and_reads_json) {
  EXPECT_EQ(run("return json.encode { b = { 1, 2.5, 'x' }, a = true }"),
            R"("{\"a\":true,\"b\":[1,2.5,\"x\"]}")");
  EXPECT_EQ(
      run("return json.encode({}) .. json.encode(json.object()) .. json.encode(json.array())"),
      R"("[]{}[]")");
  EXPECT_EQ(run("return json.encode({ a = 1 }, 2)"), R"("{\n  \"a\": 1\n}")");
  EXPECT_EQ(run("local v = json.decode('{\"a\":[1,null,{}],\"b\":null}') "
                "return { v.a[1], v.a[2] == json.null, v.b == json.null, json.encode(v) }"),
            R"([1,true,true,"{\"a\":[1,null,{}],\"b\":null}"])");
  EXPECT_EQ(run("local v, err = json.decode('{\"a\":') return { v == nil, err.code }"),
            R"([true,"syntax"])");
  EXPECT_EQ(run("local v, err = json.encode { f = print } return err.code"), R"("bad_body")");
  EXPECT_EQ(run("local v, err = json.decode('[' .. ('[],'):rep(300000) .. '1]') return err.code"),
            R"("too_big")")
      << "its data would take more than the agent's memory";
  EXPECT_EQ(run("local v, err = json.encode('\\xff') return err.code"), R"("bad_body")");
  EXPECT_EQ(run("local v, err = json.encode(0/0) return err.code"), R"("bad_body")");
}

TEST_F(library_test, makes_a_schema_from_a_short_form) {
  EXPECT_EQ(
      run(R"(return json.encode(json.schema {
        port = "string Its name", days = "integer?", tags = "string[]", unit = { "c", "f" },
        at = { lat = "number" }, id = { type = "string", pattern = "^x" }, extra = "any?" }))"),
      R"json("{\"type\":\"object\",\"required\":[\"at\",\"id\",\"port\",\"tags\",\"unit\"],)json"
      R"json(\"properties\":{\"at\":{\"type\":\"object\",\"required\":[\"lat\"],\"properties\":{\"lat\":)json"
      R"json({\"type\":\"number\"}},\"additionalProperties\":false},\"id\":{\"type\":\"string\",\"pattern\":\"^x\"},)json"
      R"json(\"days\":{\"type\":\"integer\"},\"port\":{\"type\":\"string\",\"description\":\"Its name\"},)json"
      R"json(\"tags\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"unit\":{\"enum\":[\"c\",\"f\"]},)json"
      R"json(\"extra\":{}},\"additionalProperties\":false}")json");
  EXPECT_EQ(
      run("return tostring(select(2, pcall(json.schema, { x = 'strin' })))"),
      R"("json.schema: x: unknown type \"strin\": string, number, integer, boolean, object, array, any")");
}

TEST_F(library_test, logs_with_fields) {
  run("require('troupe.log').warning('tide is late', { port = 'Husum', minutes = 7 }) "
      "print('plain', 1)");
  std::string all;
  for (const auto& line : world.log_lines)
    all += line + "\n";
  EXPECT_THAT(all, testing::HasSubstr("tide is late"));
  EXPECT_THAT(all, testing::HasSubstr("plain\t1"));
}

TEST_F(library_test, tells_the_time_and_writes_it) {
  EXPECT_EQ(run("local time = require('troupe.time') return { time.format(0), "
                "time.format(1795166042.25), "
                "time.now() >= 0, time.monotonic() >= 0 }"),
            R"(["1970-01-01T00:00:00Z","2026-11-20T09:14:02.250Z",true,true])");
  EXPECT_EQ(run("return pcall(require('troupe.time').format, 1e300)"), "false");
}

// -- tools

const char* const tool_actor = R"(
  function agent.on_start(self) self.known = {} end
  function agent.on.register(self, about) self.known[#self.known + 1] = about return true end
  function agent.on.list(self) return { { name = "http.get", description = "Fetch.", params = { type = "object" } } } end
  function agent.on.call(self, name, args) return { tool = name, args = args } end
  function agent.on.known(self) return self.known end
)";

TEST_F(library_test, calls_and_lists_tools) {
  add("tool", tool_actor);
  EXPECT_EQ(
      run("local tool = require('troupe.tool') return { tool.call('http.get', { url = 'u' }), "
          "tool.list() }"),
      R"([{"args":{"url":"u"},"tool":"http.get"},[{"name":"http.get","params":{"type":"object"},)"
      R"("description":"Fetch."}]])");
  EXPECT_EQ(run("return require('troupe.tool').call('x')"), R"({"args":{},"tool":"x"})");
}

const char* const with_tool = R"(
  local tool = require("troupe.tool")
  agent.on.tides = tool.define {
    "Tide table.",
    params = json.schema { port = "string", days = "integer?" },
    run = function(self, args)
      if args.port == "nowhere" then return nil, "no such port" end
      return args.port .. " " .. (args.days or 1) .. tostring(self.options ~= nil)
    end,
  }
)";

TEST_F(library_test, offers_a_tool_as_a_verb_and_to_the_node) {
  add("tool", tool_actor);
  auto made =
      world.add("desk/porter", lua("local troupe, json = require('troupe'), require('troupe.json')"
                                   "local agent = troupe.agent {}" +
                                   std::string(with_tool) + "return agent"));
  ASSERT_TRUE(made) << made.error().describe();
  EXPECT_EQ(call(*made, "tides", {value::map{{"port", "Husum"}}}), R"("Husum 1true")");
  EXPECT_EQ(call(*made, "tides", {value::map{{"port", "nowhere"}}}),
            "failed: no such port (desk/porter)");
  EXPECT_THAT(call(*made, "tides", {value::map{{"prt", "x"}}}),
              testing::StartsWith("bad_argument"));
  EXPECT_THAT(call(*made, "tides"), testing::StartsWith("bad_argument"));
  auto known = world.call("tool", "known");
  ASSERT_TRUE(known);
  const auto& about = known->as_array().at(0);
  EXPECT_EQ(about["name"], value("porter.tides"));
  EXPECT_EQ(about["verb"], value("tides"));
  EXPECT_EQ(about["description"], value("Tide table."));
  EXPECT_EQ(about["params"]["type"], value("object"));
}

TEST_F(library_test, refuses_tools_that_are_none) {
  for (const auto* code : {"tool.define()", "tool.define { run = print }", "tool.define { 'x' }",
                           "tool.define { 'x', run = print, parms = {} }",
                           "tool.define { 'x', run = print, params = { type = 5 } }", "tool.call()",
                           "tool.call('x', 5)"})
    EXPECT_EQ(run("local tool = require('troupe.tool') return pcall(function() return " +
                  std::string(code) + " end)"),
              "false")
        << code;
}

// -- models

/// Answers from a list of replies, in order; keeps the requests.
const char* const model = R"(
  function agent.on_start(self) self.replies, self.requests = {}, {} end
  function agent.on.play(self, replies) self.replies = replies end
  function agent.on.requests(self) return self.requests end
  function agent.on.left() return { tokens = 5 } end
  function agent.on.chat(self, request)
    self.requests[#self.requests + 1] = request
    local reply = table.remove(self.replies, 1)
    if not reply then return nil, troupe.error("unavailable", "nothing left to say") end
    for word in (reply.text or ""):gmatch("%S+%s*") do troupe.part({ text = word }) end
    return reply
  end
)";

TEST_F(library_test, asks_a_model_and_keeps_the_conversation) {
  add("llm", model);
  call("llm", "play",
       {value::array{
           value::map{{"text", "Hello."},
                      {"usage", value::map{{"input", 10}, {"output", 2}, {"cost", 0.5}}}},
           value::map{{"text", "Again."}, {"usage", value::map{{"input", 12}, {"output", 2}}}}}});
  EXPECT_EQ(run(R"(
    local llm = require("troupe.llm")
    local chat = llm.chat { system = "Be terse.", temperature = 0.5 }
    local first = chat:ask("Hi?")
    local other = chat:fork()
    local second = chat:ask("And?")
    return { first.text, second.text, #chat.messages, #other.messages, chat.usage.input, chat.usage.cost, llm.left().tokens })"),
            R"(["Hello.","Again.",5,3,22,0.5,5])");
  EXPECT_EQ(run(R"(
    local llm = require("troupe.llm")
    local _, err = pcall(llm.chat, { priority = 3 })
    return { err.code, err.message })"),
            R"(["unsupported","llm.chat: priority can't be held by this version"])");
  auto requests = *world.call("llm", "requests");
  const auto& second = requests.as_array().at(1);
  EXPECT_EQ(second["model"], value("default"));
  EXPECT_EQ(second["temperature"], value(0.5));
  EXPECT_TRUE(second["tools"].is_nil());
  const auto& messages = second["messages"].as_array();
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0]["role"], value("system"));
  EXPECT_EQ(messages[2], value(value::map{{"role", "assistant"}, {"content", "Hello."}}));
}

TEST_F(library_test, hands_out_text_as_it_comes) {
  add("llm", model);
  call("llm", "play", {value::array{value::map{{"text", "one two three"}}}});
  EXPECT_EQ(run(R"(
    local got = {}
    local reply = require("troupe.llm").ask("Count.", { on_text = function(t) got[#got + 1] = t end })
    return { got, reply.text })"),
            R"([["one ","two ","three"],"one two three"])");
}

TEST_F(library_test, runs_the_tools_that_a_model_calls) {
  add("tool", tool_actor);
  add("llm", model);
  const auto wants = [](const char* id, const char* name, value args) {
    return value::map{{"id", id}, {"name", name}, {"args", std::move(args)}};
  };
  call(
      "llm", "play",
      {value::array{
          value::map{{"calls", value::array{wants("1", "tides", value::map{{"port", "Husum"}}),
                                            wants("2", "tides", value::map{{"port", 5}}),
                                            wants("3", "http.get", value::map{{"url", "u"}}),
                                            wants("4", "missing", value::map{}),
                                            wants("5", "tides", value::map{{"port", "nowhere"}})}}},
          value::map{{"text", "Done."}}}});
  EXPECT_EQ(
      run(R"(
    local seen = {}
    local chat = require("troupe.llm").chat { tools = { agent.on.tides, "http.get" } }
    local reply = chat:ask("Tides?", { on_tool = function(name) seen[#seen + 1] = name end })
    local told = {}
    for _, m in ipairs(chat.messages) do if m.role == "tool" then told[#told + 1] = m.call_id .. " " .. m.content end end
    return { reply.text, seen, told })",
          with_tool),
      R"(["Done.",["tides","tides","http.get","missing","tides"],["1 Husum 1true",)"
      R"("2 error: bad_argument: port: expected string, got 5",)"
      R"("3 {\"args\":{\"url\":\"u\"},\"tool\":\"http.get\"}","4 error: no tool is called missing",)"
      R"("5 error: no such port"]])");
  auto requests = *world.call("llm", "requests");
  const auto& first = requests.as_array().at(0);
  ASSERT_EQ(first["tools"].as_array().size(), 2u);
  EXPECT_EQ(first["tools"].as_array()[0]["name"], value("tides"));
  EXPECT_EQ(first["tools"].as_array()[0]["parameters"]["type"], value("object"));
  const auto& second = requests.as_array().at(1);
  EXPECT_EQ(second["messages"].as_array().at(1)["calls"].as_array().size(), 5u);
}

TEST_F(library_test, stops_after_the_steps_it_was_given) {
  add("llm", model);
  const value again = value::map{
      {"text", "hm"},
      {"calls", value::array{value::map{{"id", "1"}, {"name", "x"}, {"args", value::map{}}}}}};
  call("llm", "play", {value::array{again, again, again}});
  EXPECT_EQ(run(R"(
    local chat = require("troupe.llm").chat { max_steps = 2 }
    local reply, err = chat:ask("Go.")
    return { err.code, err.data.reply.text, #chat.messages })"),
            R"(["steps","hm",0])");
}

TEST_F(library_test, reads_the_answer_as_data_where_a_schema_says_so) {
  add("llm", model);
  call("llm", "play",
       {value::array{value::map{{"text", "{\"port\":\"Husum\"}"}},
                     value::map{{"text", "{\"prt\":1}"}}, value::map{{"text", "no json"}}}});
  EXPECT_EQ(run(R"(
    local llm, told = require("troupe.llm"), {}
    for i = 1, 3 do
      local reply, err = llm.ask("Port?", { schema = json.schema { port = "string" } })
      told[i] = reply and reply.data.port or err.code
    end
    return told)"),
            R"(["Husum","bad_response","bad_response"])");
}

TEST_F(library_test, leaves_the_conversation_as_it_was_when_the_model_fails) {
  add("llm", model);
  EXPECT_EQ(run(R"(
    local chat = require("troupe.llm").chat { system = "s" }
    local reply, err = chat:ask("Hi?")
    return { err.code, err.retryable, #chat.messages })"),
            R"(["unavailable",true,1])");
  EXPECT_EQ(run("return pcall(require('troupe.llm').chat, { modle = 'x' })"), "false");
  EXPECT_EQ(run("return pcall(require('troupe.llm').chat, { tools = { {} } })"), "false");
}

TEST_F(library_test, bounds_an_answer_in_time) {
  add("llm", R"(
    local async = require("troupe.async")
    function agent.on.chat() async.sleep(100) return { text = "late" } end
  )");
  EXPECT_EQ(run("local r, err = require('troupe.llm').ask('Hi?', { timeout = 5 }) return err.code"),
            R"("timeout")");
  EXPECT_EQ(run("return require('troupe.llm').ask('Hi?', { timeout = 200 }).text"), R"("late")");
}

// -- groups, supervisors

TEST_F(library_test, calls_the_members_of_a_group) {
  add("directory", R"(
    local members = {}
    function agent.on.join(self, name) members[#members + 1] = troupe.current().from return true end
    function agent.on.members(self, name) return members end
  )");
  for (const auto* name : {"a", "b"})
    add(name, R"(
      local group = require("troupe.group")
      function agent.on_start() assert(group.join("readers")) end
      function agent.on.double(self, x) if x == 0 then return nil, "zero" end return 2 * x end
    )");
  EXPECT_EQ(run("return require('troupe.group').call_any('readers', 'double', 4)"), "8");
  EXPECT_EQ(run(R"(
    local sum, failed = 0, 0
    for _, one in ipairs(require("troupe.group").call_all("readers", "double", 4)) do sum = sum + one.value end
    for _, one in ipairs(require("troupe.group").call_all("readers", "double", 0)) do
      if tostring(one.err):find("zero") then failed = failed + 1 end
    end
    return { sum, failed })"),
            "[16,2]");
}

TEST_F(library_test, asks_a_supervisor_in_its_own_words) {
  add("desk", R"(
    function agent.on.which_children(self) return { "a", "b" } end
    function agent.on.start_child(self, spec) return spec.id end
  )");
  EXPECT_EQ(run("local s = troupe.supervisor('desk') return { s:which_children(), s:start_child { "
                "id = 'x' }, tostring(s) }"),
            R"([["a","b"],"x","supervisor desk"])");
}

TEST_F(library_test, reports_progress_to_the_observer) {
  add("observer", R"(
    function agent.on.progress(self, part, text) self.state.last = { part, text } end
    function agent.on.last(self) return self.state.last end
  )");
  run("troupe.progress(0.4, 'half way')");
  EXPECT_EQ(call("observer", "last"), R"([0.4,"half way"])");
}

TEST_F(library_test, reports_progress_to_the_log_where_people_see_it) {
  run("troupe.progress(0.4, 'half way')");
  EXPECT_THAT(world.log_lines, testing::Contains(testing::EndsWith(": progress")));
  EXPECT_EQ(run("return pcall(troupe.progress, 'half')"), "false");
}

}  // namespace
}  // namespace troupe::script
