-- Reads JSON that becomes far larger than its text.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local json = require("troupe.json")
  local all = {}
  local text = "[" .. ("[],"):rep(1000000) .. "[]]"
  while true do all[#all + 1] = assert(json.decode(text)) end
end

return agent
