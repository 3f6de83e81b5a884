-- Keeps 20 000 calls open.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 1 } }

function agent.on.go()
  local async = require("troupe.async")
  local deaf = assert(troupe.spawn { id = "deaf", start = "accomplices/deaf.lua", limits = { mailbox = 100000 } })
  for _ = 1, 20000 do async.run(troupe.call, deaf, "never") end
  async.sleep(1000)
end

return agent
