-- Sorts a long list of numbers, which is one call of C.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do
    local list = {}
    for i = 1, 500000 do list[i] = (i * 7919) % 500009 end
    table.sort(list)
  end
end

return agent
