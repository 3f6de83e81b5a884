-- SPDX-License-Identifier: Apache-2.0
-- Counts, until it is told to crash. What it counted is then gone: a restart is a new beginning.
local troupe = require("troupe")

local agent = troupe.agent {}

function agent.on_start(self) self.count = 0 end

function agent.on.add(self)
  self.count = self.count + 1
  return self.count
end

function agent.on.crash() error("as it was told") end

return agent
