-- SPDX-License-Identifier: Apache-2.0
-- Publishes and hears.
local troupe = require("troupe")
local topic = require("troupe.topic")
local agent = troupe.agent { needs = { optional = { topics = { "*" } } } }

local heard = {}

function agent.on.subscribe(self, pattern, verb) return topic.subscribe(pattern, verb or "hear") end
function agent.on.unsubscribe(self, pattern, verb) return topic.unsubscribe(pattern, verb) end
function agent.on.publish(self, name, ...) return topic.publish(name, ...) end
function agent.own.hear(self, ...)
  local c = troupe.current()
  heard[#heard + 1] = { c.topic, c.verb, select("#", ...), ... }
end
function agent.own.also(self, what) heard[#heard + 1] = "also " .. tostring(what) end
function agent.on.heard() return heard end
function agent.on.slip() return select(2, pcall(topic.subscribe, "x", "nothing")) end

return agent
