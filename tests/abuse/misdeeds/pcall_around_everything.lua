-- Catches whatever is raised in it and begins anew.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function bad()
    local t = {}
    for i = 1, math.huge do t[i] = ("x"):rep(1000) .. i end
  end
  while true do
    pcall(bad)
    pcall(string.rep, "x", 1 << 40)
    pcall(string.gsub, "x", ".", function() while true do end end)
    pcall(error)
  end
end

return agent
