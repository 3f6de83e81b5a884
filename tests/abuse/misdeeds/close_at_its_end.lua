-- Is killed while it stands in a block whose __close loops.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local x <close> = setmetatable({}, { __close = function() while true do end end })
  while true do end
end

return agent
