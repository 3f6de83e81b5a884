-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 10 }, options = { left = 0 } }

function agent.on.go(self)
  if self.options.left == 0 then while true do end end
  for i = 1, 3 do
    local child = troupe.spawn { id = "x" .. i, start = "accomplices/breeder.lua", options = { left = self.options.left - 1 } }
    if child then troupe.send(child, "go") end
  end
end

return agent
