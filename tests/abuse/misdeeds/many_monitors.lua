-- Monitors one agent 100 000 times, and takes it back in order.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do
    local all = {}
    for i = 1, 100000 do all[i] = troupe.monitor("target") end
    for i = 1, #all do troupe.demonitor(all[i]) end
  end
end

return agent
