-- Sends every agent more than it can do.
-- held
-- slows: a millisecond of work for each of all agents is theirs to do, and their own calls wait behind it.
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do
    for i = 1, 1000 do troupe.send("v" .. i, "work") end
  end
end

return agent
