-- SPDX-License-Identifier: Apache-2.0
local test = require("troupe.test")
local llm, tool, json = require("troupe.llm"), require("troupe.tool"), require("troupe.json")

test.case("replies without a match are given once, in their order", function(t)
  t:model { "One.", "Two." }
  t:equal(t:ok(llm.ask("?")).text, "One.")
  t:equal(t:ok(llm.ask("?")).text, "Two.")
  local err = t:fails("bad_request", llm.ask, "and now?")
  t:ok(err.message:find("and now?", 1, true), err.message)
end)

test.case("a match holds as often as it fits", function(t)
  t:model { { match = "tide*Husum|low water", text = "At noon." }, { match = "rain", times = 1, text = "No." } }
  t:equal(t:ok(llm.ask("When is the tide in Husum?")).text, "At noon.")
  t:equal(t:ok(llm.ask("And low water?")).text, "At noon.")
  t:equal(t:ok(llm.ask("Any rain?")).text, "No.")
  t:fails("bad_request", llm.ask, "Any rain?")
end)

test.case("a tool is called, and its answer goes back to the model", function(t)
  t:model {
    { match = "tide", calls = { { name = "tides", args = { port = "husum" } } } },
    { role = "tool", text = "High water is at noon." },
  }
  local asked
  local chat = llm.chat {
    tools = { tool.define {
      name = "tides", "Tide table of a port.", params = json.schema { port = "string" },
      run = function(_, args) asked = args.port return "12:00" end,
    } },
  }
  t:equal(t:ok(chat:ask("When is the tide?")).text, "High water is at noon.")
  t:equal(asked, "husum")
end)

test.case("text streams word by word, each with what comes behind it", function(t)
  t:model { { text = "One two  three.", delay_ms = 20, pause_ms = 5 } }
  local parts = {}
  local reply = t:ok(llm.ask("?", { on_text = function(text) parts[#parts + 1] = text end }))
  t:equal(reply.text, "One two  three.")
  t:equal(table.concat(parts), reply.text)
end)

test.case("usage is a quarter of the characters unless it is given", function(t)
  t:model { "12345678", { text = "x", usage = { input = 7, output = 3 } } }
  t:equal(t:ok(llm.ask("abcd")).usage.output, 2)
  local usage = t:ok(llm.ask("abcd")).usage
  t:equal(usage.input, 7)
  t:equal(usage.output, 3)
end)

test.case("what an endpoint might refuse for now is tried again", function(t)
  t:model { { fail = { status = 429, retry_after = 20 } }, { fail = { status = 503 } }, "Here I am." }
  t:equal(t:ok(llm.ask("?", { timeout = 600 })).text, "Here I am.")
end)

test.case("what is wrong for good is not", function(t)
  t:model { { fail = { status = 401 } }, "never" }
  t:fails("unauthorized", llm.ask, "?")
end)

test.case("a reply that can't be understood is named", function(t)
  local err = t:fails("config", t.model, t, { { txt = "x" } })
  t:ok(err.message:find("txt", 1, true), err.message)
end)

test.done()
