-- Moves as many elements of a table as there are numbers.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  table.move({}, 1, 1 << 60, 2)
end

return agent
