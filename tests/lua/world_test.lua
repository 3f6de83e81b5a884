-- SPDX-License-Identifier: Apache-2.0
-- What troupe.test offers, tried with itself.
local test = require("troupe.test")
local troupe, llm, tool, json = require("troupe"), require("troupe.llm"), require("troupe.tool"), require("troupe.json")

local loaded = 0
loaded = loaded + 1

test.case("an agent is started, and called by its name", function(t)
  local clerk = t:start("agents/clerk.lua")
  t:equal(clerk, "clerk")
  t:equal(t:call(clerk, "echo", { 1, 2 }), { 1, 2 })
  t:equal(troupe.call(clerk, "echo", "x"), "x")
end)

test.case("each case has a world of its own", function(t)
  loaded = loaded + 1
  t:equal(loaded, 2)
  t:fails("no_such_agent", troupe.call, "clerk", "echo")
end)

test.case("time stands still until it is moved", function(t)
  local clerk = t:start("agents/clerk.lua", { options = { tick = 10 } })
  t:equal(t:call(clerk, "ticks"), 0)
  t:advance(9.9)
  t:equal(t:call(clerk, "ticks"), 0)
  t:advance(0.1)
  t:equal(t:call(clerk, "ticks"), 1)
  t:advance(3600)
  t:equal(t:call(clerk, "ticks"), 361)
end)

test.case("a call that has to wait moves time itself, up to its deadline", function(t)
  local clerk = t:start("agents/clerk.lua")
  t:equal(t:call(clerk, "wait", 29), "waited")
  t:fails("timeout", t.call, t, clerk, "wait", 31)
end)

test.case("a sent message has been handled when send returns", function(t)
  local clerk = t:start("agents/clerk.lua")
  t:send(clerk, "crash", "by mail")
  t:equal(#t:events("crashed"), 1)
end)

test.case("a scripted model answers", function(t)
  t:model { "First.", { match = "tide", text = "At noon." }, "Second." }
  local clerk = t:start("agents/clerk.lua")
  t:equal(t:call(clerk, "ask", "Hello?"), "First.")
  t:equal(t:call(clerk, "ask", "When is the tide?"), "At noon.")
  t:equal(t:call(clerk, "ask", "Hello?"), "Second.")
  t:fails("bad_request", t.call, t, clerk, "ask", "Hello?")
end)

test.case("models have names, and may be given anew", function(t)
  t:model("small", { "Yes." })
  t:model { "No." }
  t:equal(t:ok(llm.ask("?", { model = "small" })).text, "Yes.")
  t:equal(t:ok(llm.ask("?")).text, "No.")
end)

test.case("without t:model there is no model", function()
  local _, err = llm.ask("Hello?")
  assert(err.code == "not_found", tostring(err))
end)

test.case("a tool of the test is called with the arguments", function(t)
  t:tool("http.get", function(args) return { status = 200, body = "got " .. args.url } end)
  local clerk = t:start("agents/clerk.lua")
  t:equal(t:call(clerk, "look_up", "http.get", { url = "https://example.org" }).body, "got https://example.org")
end)

test.case("a tool of the test keeps the schema of what it stands for, or has one of its own", function(t)
  t:tool("http.get", function() return "never" end)
  t:fails("bad_argument", tool.call, "http.get", { ur1 = 1 })
  t:tool("sum", tool.define { "Adds.", params = json.schema { a = "integer", b = "integer" },
                              run = function(_, args) return args.a + args.b end })
  t:equal(tool.call("sum", { a = 1, b = 2 }), 3)
  t:fails("bad_argument", tool.call, "sum", { a = "x", b = 2 })
end)

test.case("a tool of the test may wait and fail", function(t)
  t:tool("slow", function(args)
    local async = require("troupe.async")
    async.sleep(args.s)
    return nil, troupe.error("busy", "not now")
  end)
  local err = t:fails("busy", tool.call, "slow", { s = 5 })
  t:equal(err.message, "not now")
end)

test.case("a tool that takes too long is named", function(t)
  local async = require("troupe.async")
  t:tool("slow", function() async.sleep(100) return true end)
  local err = t:fails("timeout", tool.call, "slow", {})
  t:equal(err.message, "tool slow: no answer before the deadline")
end)

test.case("the budget of a temporary agent ends with it, that of any other outlives its restarts", function(t)
  t:model { "one", "two", "three" }
  for restart, code in pairs { temporary = false, permanent = "budget" } do
    local id = "clerk_" .. restart
    local spec = { id = id, restart = restart, grants = { llm = { "*" } }, budget = { calls = 1 } }
    local clerk = t:start("agents/clerk.lua", spec)
    t:ok(t:call(clerk, "ask", "?"))
    t:fails("budget", t.call, t, clerk, "ask", "?")
    t:fails("down", t.call, t, clerk, "crash", "boom")
    t:advance(0)
    if restart == "temporary" then clerk = t:start("agents/clerk.lua", spec) end
    local _, err = troupe.call(clerk, "ask", "?")
    t:equal(err and err.code or false, code)
  end
end)

test.case("there is no network", function(t)
  local err = t:fails("unsupported", tool.call, "http.get", { url = "https://example.org" })
  t:ok(err.message:find("t:tool", 1, true), err.message)
end)

test.case("a crash and its restart are events", function(t)
  local clerk = t:start("agents/clerk.lua")
  t:fails("down", t.call, t, clerk, "crash", "boom")
  t:advance(0)
  t:equal(t:call(clerk, "echo", "back"), "back")
  local crashed = t:events("crashed")
  t:equal(#crashed, 1)
  t:equal(crashed[1].agent, "clerk")
  t:ok(tostring(crashed[1].reason):find("boom", 1, true), tostring(crashed[1].reason))
  t:equal(#t:events("restarted"), 1)
  t:equal(t:events("restarted")[1].agent, "clerk")
end)

test.case("a temporary agent that crashes is given up", function(t)
  local clerk = t:start("agents/clerk.lua", { id = "once", restart = "temporary" })
  t:fails("down", t.call, t, clerk, "crash", "boom")
  t:advance(0)
  t:equal(#t:events("given_up"), 1)
end)

test.case("an endless loop in an agent holds nobody up", function(t)
  local clerk = t:start("agents/clerk.lua")
  troupe.send(clerk, "compute")
  local other = t:start("agents/clerk.lua", { id = "other" })
  t:equal(troupe.call(other, "echo", 1), 1)
end)

test.case("grants are checked as in a node", function(t)
  t:model { "Yes." }
  local clerk = t:start("agents/clerk.lua", { grants = {} })
  t:fails("denied", t.call, t, clerk, "ask", "May I?")
  t:fails("denied", t.call, t, clerk, "look_up", "file.read", { path = "x" })
end)

test.case("progress is heard", function(t)
  local clerk = t:start("agents/clerk.lua")
  t:equal(t:call(clerk, "progress", 0.5, "half"), true)
  t:equal(#t:events("dead_letter"), 0)
end)

test.case("an agent may spawn", function(t)
  local clerk = t:start("agents/clerk.lua", { grants = { spawn = 1 } })
  t:equal(troupe.call(t:ok(t:call(clerk, "spawn_one")), "echo", 1), 1)
end)

test.case("a start that fails raises, as one error record", function(t)
  t:fails("not_found", t.start, t, "agents/nobody.lua")
  t:fails("config", t.start, t, "agents/clerk.lua", { options = { tik = 1 } })
  t:fails("unsupported", t.start, t, "agents/clerk.lua", { isolate = "process" })
end)

test.case("a plugin's agent can be started", function(t)
  local greeter = t:start({ plugin = "hello_c", kind = "greeter" }, { options = { greeting = "Moin" } })
  t:equal(greeter, "greeter")
  t:equal(t:call(greeter, "greet", "Troupe"), "Moin, Troupe!")
end)

test.case("equal compares by content", function(t)
  t:equal({ a = { 1, { b = "c" } } }, { a = { 1, { b = "c" } } })
  t:equal(0 / 0, 0 / 0)
  t:equal(1, 1.0)
end)

test.done()
