-- Makes coroutines and keeps them.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local all = {}
  while true do
    local co = coroutine.create(coroutine.yield)
    coroutine.resume(co)
    all[#all + 1] = co
  end
end

return agent
