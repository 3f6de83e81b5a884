-- Changes what it shares with the runtime's own modules, and then uses them.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local async = require("troupe.async")
  setmetatable(_G, { __index = function(_, name) return name end, __newindex = function() end })
  string.find, string.rep, table.concat, table.unpack = nil, error, error, error
  rawset(_G, "error", print)
  rawset(_G, "tostring", function() while true do end end)
  while true do
    async.sleep(0)
    async.timeout(1, troupe.call, "target", "ask", 1)
  end
end

return agent
