-- SPDX-License-Identifier: Apache-2.0
-- Talks with a model that may look into a tide table.          troupe run chat.lua "tides in Husum?"
local troupe = require("troupe")
local llm, tool, json = require("troupe.llm"), require("troupe.tool"), require("troupe.json")
local tides = require("tides")

local agent = troupe.agent {
  needs = { llm = { "default" } },
  options = { model = "default", system = "You are terse." },  -- defaults; --set system=... overrides one
  concurrent = { "status" },                                   -- may run while another message waits
}

agent.on.tides = tool.define {
  "High water at a port, as times of day.",
  params = json.schema { port = "string", days = "integer?" },
  run = function(_, args)
    return tides.table_of(args.port, args.days or 1)
  end,
}

function agent.on_start(self)
  self.chat = llm.chat {
    model = self.options.model, system = self.options.system, tools = { agent.on.tides }, max_steps = 8,
  }
end

function agent.on.say(self, text)
  local reply, err = self.chat:ask(text or "What can you tell me?", {
    timeout = 120,
    on_text = troupe.part,                                     -- each piece goes on to whoever called
    on_tool = function(name, args) print("uses " .. name .. " " .. json.encode(args)) end,
  })
  if not reply then return nil, err end
  return reply.text
end

function agent.on.status(self) return self.chat.usage end

agent.on.main = agent.on.say
return agent
