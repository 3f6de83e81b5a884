-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local group = require("troupe.group")
local agent = troupe.agent {
  needs = { call = { "*" }, topics = { "*" } },
  options = { group = "", name = "" },
}

function agent.on_start(self)
  local ok, err = group.join(self.options.group)
  if not ok then return nil, err end
end
function agent.on.ask(self, what) return self.options.name .. " has " .. what end
function agent.on.leave(self) return group.leave(self.options.group) end

return agent
