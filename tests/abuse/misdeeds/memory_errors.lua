-- Keeps the errors that it catches.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  while true do
    local _, why = pcall(error, troupe.error("mine", ("x"):rep(1000) .. #all))
    all[#all + 1] = why
  end
end

return agent
