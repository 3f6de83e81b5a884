-- SPDX-License-Identifier: Apache-2.0
-- A child for cases about supervisors: its options say what it says with its start.
local troupe = require("troupe")
local async = require("troupe.async")

local agent = troupe.agent { options = { says = "", size = 0 } }

function agent.on_start(self)
  if self.options.says == "a function" then return { f = print } end
  if self.options.says == "ignore" then return "ignore" end
  if self.options.says ~= "" then return { said = self.options.says } end
end

function agent.on.who() return troupe.self() end
function agent.on.options(self) return self.options end
function agent.on.leave() troupe.exit("normal") end
function agent.on.raise(self, message) error(message, 0) end
function agent.on.hold(self, seconds)
  async.sleep(seconds)
  return "held"
end

return agent
