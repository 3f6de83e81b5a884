-- Monitors without end.
-- ends: limit monitors
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do troupe.monitor("target") end
end

return agent
