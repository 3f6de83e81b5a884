-- Keeps 20 000 coroutines waiting.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local async = require("troupe.async")
  for _ = 1, 20000 do async.run(async.sleep, 1000) end
  async.sleep(1000)
end

return agent
