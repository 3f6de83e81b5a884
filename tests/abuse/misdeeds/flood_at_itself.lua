-- Fills its own mailbox.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local large = ("x"):rep(100000)
  while true do troupe.send(troupe.self(), "go", large) end
end

return agent
