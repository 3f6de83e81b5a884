-- Registers names without end.
-- ends: crash limit names
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  for i = 1, math.huge do assert(troupe.register("name" .. i)) end
end

return agent
