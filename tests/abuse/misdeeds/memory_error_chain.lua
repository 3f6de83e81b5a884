-- Raises an error that holds the one before, and so on.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local last
  while true do
    local _, why = pcall(error, { last, text = ("x"):rep(100) .. tostring(last) })
    last = why
  end
end

return agent
