-- SPDX-License-Identifier: Apache-2.0
-- An agent for the tests of troupe.test: it waits, asks, looks things up and crashes.
local troupe = require("troupe")
local async, llm, tool, timer = require("troupe.async"), require("troupe.llm"), require("troupe.tool"), require("troupe.timer")

local agent = troupe.agent {
  needs = { optional = { llm = { "*" }, tools = { "*" }, call = { "*" }, spawn = 5 } },
  options = { tick = 0 },
}

function agent.on_start(self)
  self.state.ticks = 0
  if self.options.tick > 0 then timer.every(self.options.tick, "tick") end
end

function agent.own.tick(self) self.state.ticks = self.state.ticks + 1 end
function agent.on.ticks(self) return self.state.ticks end
function agent.on.echo(_, ...) return ... end
function agent.on.wait(_, seconds) async.sleep(seconds) return "waited" end
function agent.on.ask(_, text)
  local reply, err = llm.ask(text)
  if not reply then return nil, err end
  return reply.text
end
function agent.on.look_up(_, name, args) return tool.call(name, args) end
function agent.on.crash(_, text) error(text) end
function agent.on.compute() while true do end end
function agent.on.progress(_, ...)
  troupe.progress(...)
  return true
end
function agent.on.spawn_one() return troupe.spawn { start = "agents/clerk.lua" } end

return agent
