-- Sends one agent large messages, more than its mailbox holds.
-- held
-- slows: four megabytes are copied in one piece, twice: a millisecond or two that nothing can interrupt.
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local large = ("x"):rep(4 << 20)
  while true do troupe.send("target", "swallow", large) end
end

return agent
