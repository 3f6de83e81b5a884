-- Uses names and verbs of many megabytes.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local large = ("x"):rep(8 << 20)
  while true do
    pcall(troupe.send, large, "ask")
    pcall(troupe.send, "target", large)
    pcall(troupe.call, large, "ask")
    pcall(troupe.call, "target", large)
    pcall(troupe.find, large)
    pcall(troupe.register, large)
  end
end

return agent
