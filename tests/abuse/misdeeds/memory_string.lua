-- Doubles a text.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local s = "x"
  while true do s = s .. s end
end

return agent
