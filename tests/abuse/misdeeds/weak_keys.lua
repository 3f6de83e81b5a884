-- Makes chains through a table with weak keys, which the collector takes long for.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local weak = setmetatable({}, { __mode = "k" })
  local key = {}
  for i = 1, 20000 do
    local next = {}
    weak[key] = next
    key = next
  end
  while true do collectgarbage() end
end

return agent
