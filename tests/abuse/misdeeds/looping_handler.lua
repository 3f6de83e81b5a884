-- Loops in the handler of an xpcall.
-- ends: limit busy
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function loop() while true do end end
  local _, why = xpcall(error, loop)
  error(why, 0)
end

return agent
