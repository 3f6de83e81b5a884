-- Fills its memory, is refused more, and asks again.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  pcall(function() while true do all[#all + 1] = { #all } end end)
  for i = 1, #all // 8 do all[#all] = nil end  -- room for what the runtime does for it
  while true do pcall(string.rep, "x", 1 << 25) end
end

return agent
