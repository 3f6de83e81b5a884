-- Sorts by a comparator that never answers.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  table.sort({ 3, 2, 1 }, function() while true do end end)
end

return agent
