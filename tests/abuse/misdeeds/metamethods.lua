-- Loops in metamethods that nothing can be left from.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function loop() while true do end end
  local t = setmetatable({}, { __tostring = loop, __index = loop, __len = loop, __eq = loop, __lt = loop, __call = loop })
  while true do
    pcall(tostring, t)
    pcall(table.concat, t)
    pcall(table.unpack, t)
  end
end

return agent
