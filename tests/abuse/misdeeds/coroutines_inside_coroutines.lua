-- Nests coroutines that loop.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function nest(depth)
    if depth == 0 then while true do end end
    return coroutine.wrap(nest)(depth - 1)
  end
  while true do pcall(nest, 100) end
end

return agent
