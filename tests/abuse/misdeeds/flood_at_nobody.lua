-- Sends to agents that are not there.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do troupe.send("nobody", "ask", 1) end
end

return agent
