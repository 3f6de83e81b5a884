-- Collects garbage over and over, with as much of it alive as it may have.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  for i = 1, 400000 do all[i] = { i } end
  while true do collectgarbage() end
end

return agent
