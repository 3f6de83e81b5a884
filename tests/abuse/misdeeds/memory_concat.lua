-- Keeps what table.concat makes.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local parts, all = {}, {}
  for i = 1, 1000 do parts[i] = ("x"):rep(1000) end
  while true do all[#all + 1] = table.concat(parts) end
end

return agent
