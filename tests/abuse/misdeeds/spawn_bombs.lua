-- Starts agents that start agents, down to the third generation.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 10 } }

function agent.on.go()
  troupe.send(assert(troupe.spawn { id = "x", start = "accomplices/breeder.lua", options = { left = 3 } }), "go")
end

return agent
