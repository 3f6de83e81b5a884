-- SPDX-License-Identifier: Apache-2.0
-- An agent with a tool.
local troupe = require("troupe")
local tool = require("troupe.tool")
local json = require("troupe.json")
local agent = troupe.agent {}

agent.on.add = tool.define {
  "Adds two numbers.",
  params = json.schema { a = "integer", b = "integer?" },
  run = function(self, args)
    if args.a < 0 then return nil, troupe.error("mine", "below zero") end
    return { sum = args.a + (args.b or 0) }
  end,
}

function agent.on.raise() error("oh") end

return agent
