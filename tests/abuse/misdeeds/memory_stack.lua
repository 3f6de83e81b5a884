-- Makes coroutines with deep stacks.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function deep(n)
    if n == 0 then coroutine.yield() end
    return 1 + deep(n - 1)
  end
  local all = {}
  while true do
    all[#all + 1] = coroutine.wrap(deep)
    all[#all](10000)
  end
end

return agent
