-- Asks string.rep for more than there is.
-- ends: crash
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  return #("x"):rep((1 << 31) - 100)
end

return agent
