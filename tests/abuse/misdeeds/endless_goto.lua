-- Jumps for ever inside a protected call that is begun anew each time.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  ::again::
  pcall(function() while true do end end)
  goto again
end

return agent
