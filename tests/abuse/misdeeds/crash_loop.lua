-- Crashes as soon as it has begun.
-- ends: crash
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  error("no", 0)
end

return agent
