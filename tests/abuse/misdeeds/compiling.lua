-- Compiles text without end.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local text = ("x = x .. 'y' "):rep(80000)
  while true do assert(load(text)) end
end

return agent
