-- Starts agents without end.
-- ends: crash denied
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 500 } }

function agent.on.go()
  for i = 1, math.huge do
    local _, why = troupe.spawn { id = "x" .. i, start = "accomplices/deaf.lua" }
    if why then error(why, 0) end
  end
end

return agent
