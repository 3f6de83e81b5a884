-- Lets gsub make a text that is too long.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local s = ("x"):rep(1 << 16)
  return #s:gsub("x", ("y"):rep(1 << 16))
end

return agent
