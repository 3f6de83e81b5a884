-- SPDX-License-Identifier: Apache-2.0
-- An agent with few grants, for test.lua.
local troupe, tool = require("troupe"), require("troupe.tool")

local agent = troupe.agent {
  needs = { tools = { "file.read", "file.write" }, optional = { read = { "/*" }, write = { "/*" } } },
}

function agent.on.read(_, path)
  local read, err = tool.call("file.read", { path = path })
  if not read then return nil, err end
  return read.data
end

function agent.on.write(_, path) return tool.call("file.write", { path = path, data = "x" }) end

return agent
