-- Sets 100 000 timers that go off every few milliseconds.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.own.tick() end

function agent.on.go()
  local timer = require("troupe.timer")
  for i = 1, 100000 do timer.every(0.001 + i / 1e6, "tick") end
end

return agent
