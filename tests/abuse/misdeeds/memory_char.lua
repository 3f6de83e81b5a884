-- Keeps what string.char makes.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local codes, all = {}, {}
  for i = 1, 200 do codes[i] = 65 end
  while true do all[#all + 1] = string.char(table.unpack(codes)) .. #all end
end

return agent
