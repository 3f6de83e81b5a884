-- SPDX-License-Identifier: Apache-2.0
-- An agent to look into and to change while it runs.
local troupe = require("troupe")
local async = require("troupe.async")
local timer = require("troupe.timer")
local agent = troupe.agent { concurrent = { "notes" }, version = 2, options = { greeting = "hello" } }

local loads = 0                         -- what the file keeps begins anew when it is read anew
local notes = {}

function agent.on_start(self)
  self.state = { count = 0, list = { "a", "b" }, text = ("x"):rep(500) }
  self.beside = "kept"
end

function agent.on_upgrade(self, from)
  local how = self.state.how
  if how == "raise" then self.state.count = -1 self.beside = "lost" error("no way", 0) end
  if how == "refuse" then self.state.list[1] = "spoilt" return nil, troupe.error("mine", "not like this") end
  if how == "wait" then async.sleep(0.05) end
  if how == "spin" then while true do end end
  self.state.from = from
  self.state.migrated = (self.state.migrated or 0) + 1
end

function agent.on.count(self)
  loads = loads + 1
  self.state.count = self.state.count + 1
  return { self.state.count, loads }
end
function agent.on.look(self) return { self.state, self.beside, self.options.greeting } end
function agent.on.set(self, key, value) self.state[key] = value end
function agent.on.spin() while true do end end
function agent.on.spin_for(self, rounds) local x = 0 for i = 1, rounds do x = x + i end return x end
function agent.on.wait(self, seconds)
  async.sleep(seconds)
  loads = loads + 10
  return loads
end
function agent.on.tick_soon(self, seconds) timer.after(seconds, "tick") end
function agent.own.tick(self) self.state.ticked = true end
function agent.on.notes() return notes end
function agent.on.try(self, whom, verb)
  local _, err = require("troupe.sys")[verb](whom, {})
  return err and err.code or "done"
end

return agent
