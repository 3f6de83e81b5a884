-- Writes and reads JSON of the worst kinds.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local json = require("troupe.json")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local flat = "[" .. ("0,"):rep(8 << 20) .. "0]"
  local deep = ("["):rep(1 << 20)
  local bomb = { 1 }
  for _ = 1, 60 do bomb = { bomb, bomb } end
  while true do
    pcall(json.decode, flat)
    pcall(json.decode, deep)
    pcall(json.encode, bomb)
  end
end

return agent
