-- Sends every agent small messages as fast as it can.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do
    for i = 1, 1000 do troupe.send("v" .. i, "swallow") end
  end
end

return agent
