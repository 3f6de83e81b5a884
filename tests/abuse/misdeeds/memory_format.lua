-- Keeps what string.format makes.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all, s = {}, ("x"):rep(1 << 20)
  while true do all[#all + 1] = string.format("%s%s", s, #all) end
end

return agent
