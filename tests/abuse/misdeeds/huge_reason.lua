-- Ends with a reason of many megabytes.
-- ends: crash
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  error(("x"):rep(30 << 20))
end

return agent
