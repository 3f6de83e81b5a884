-- Joins groups without end.
-- ends: crash limit groups
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, topics = { "*" } } }

function agent.on.go()
  local group = require("troupe.group")
  for i = 1, math.huge do assert(group.join("group" .. i)) end
end

return agent
