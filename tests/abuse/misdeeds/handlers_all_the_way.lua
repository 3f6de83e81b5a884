-- Loops in handlers of xpcalls, again and again.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function loop() while true do end end
  while true do xpcall(error, function() xpcall(loop, loop) end) end
end

return agent
