-- Two pairs of agents send one message to and fro as fast as they can.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 10 } }

function agent.on.go()
  for i = 1, 2 do
    local a = assert(troupe.spawn { id = "a" .. i, start = "accomplices/chatty.lua" })
    local b = assert(troupe.spawn { id = "b" .. i, start = "accomplices/chatty.lua" })
    troupe.send(a, "chat", b)
  end
end

return agent
