-- Sends bodies that are too large, too deep or without end.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local large = ("x"):rep(17 << 20)
  local deep = {}
  for _ = 1, 200 do deep = { deep } end
  local round = {}
  round[1] = round
  local bomb = { 1 }
  for _ = 1, 60 do bomb = { bomb, bomb } end
  while true do
    for _, body in ipairs { large, deep, round, bomb } do
      assert(not pcall(troupe.send, "target", "swallow", body))
    end
  end
end

return agent
