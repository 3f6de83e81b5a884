-- Keeps to functions of C that take as long as they can.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local text = ("x"):rep(10 << 20)
  while true do
    text:upper()
    text:reverse()
    text:byte(1, 10)
    utf8.len(text)
    tonumber(text, 36)
    pcall(tonumber, ("9"):rep(10 << 20))
    pcall(string.format, "%q", text)
    pcall(table.concat, setmetatable({}, { __index = function() return "" end, __len = function() return 1 << 24 end }))
  end
end

return agent
