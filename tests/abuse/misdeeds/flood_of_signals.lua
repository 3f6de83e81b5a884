-- Monitors, links and lets go, over and over.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 1 } }

function agent.on.go()
  local deaf = assert(troupe.spawn { id = "deaf", start = "accomplices/deaf.lua" })
  while true do
    local m = troupe.monitor("target")
    troupe.link(deaf)
    troupe.unlink(deaf)
    troupe.demonitor(m)
  end
end

return agent
