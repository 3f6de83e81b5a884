-- SPDX-License-Identifier: Apache-2.0
-- Serves one message at a time.
local troupe = require("troupe")
local async = require("troupe.async")
local agent = troupe.agent {}
local log = {}

function agent.on.work(self, name)
  log[#log + 1] = name .. " begins"
  async.sleep(0.02)
  log[#log + 1] = name .. " ends"
end
function agent.on.log() return log end

return agent
