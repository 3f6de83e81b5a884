-- Sorts by a comparator that lies.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local list = {}
  for i = 1, 1000 do list[i] = i end
  local n = 0
  while true do pcall(table.sort, list, function() n = n + 1 return n % 3 ~= 0 end) end
end

return agent
