-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local tool = require("troupe.tool")
local agent = troupe.agent { needs = { optional = { tools = { "*" } } } }

function agent.on.use(self, name, args) return tool.call(name, args) end
function agent.on.names(self)
  local list, err = tool.list()
  if not list then return nil, err end
  local names = {}
  for _, one in ipairs(list) do names[one.name] = one.description end
  return names
end
function agent.on.reach(self, name, verb) return troupe.call(name, verb) end
function agent.on.spawn(self, spec) return troupe.spawn(spec) end

return agent
