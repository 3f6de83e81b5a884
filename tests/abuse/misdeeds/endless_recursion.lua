-- Calls itself until it can't any more, and takes no notice of the error.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function again() return 1 + again() end
  while true do pcall(again) end
end

return agent
