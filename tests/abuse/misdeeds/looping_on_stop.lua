-- Loops in on_stop when it is told to end.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on_stop() while true do end end
function agent.on_exit() while true do end end

function agent.on.go()
  while true do end
end

return agent
