-- Makes closures and keeps them.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  while true do
    local a, b = {}, {}
    all[#all + 1] = function() return a, b end
  end
end

return agent
