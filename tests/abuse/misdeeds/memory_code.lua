-- Compiles functions and keeps them.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  while true do all[#all + 1] = load("local a = {" .. ("'x',"):rep(1000) .. "} return a, " .. #all) end
end

return agent
