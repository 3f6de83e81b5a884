-- Sends every agent more than it can do in the time, all at once.
-- held
-- slows: a millisecond of work for each of all agents is theirs to do, and their own calls wait behind it.
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  for _ = 1, 5 do
    for i = 1, 1000 do troupe.send("v" .. i, "work") end
  end
  require("troupe.async").sleep(3600)
end

return agent
