-- Sets timers without end.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.own.tick() end

function agent.on.go()
  local timer = require("troupe.timer")
  local text = ("x"):rep(1000)
  while true do timer.after(1000, "tick", text) end
end

return agent
