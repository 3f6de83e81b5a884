-- Fills one table.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local t = {}
  for i = 1, math.huge do t[i] = i end
end

return agent
