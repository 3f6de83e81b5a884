-- Loops in a __close that coroutine.close runs.
-- ends: limit busy
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local co = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function() while true do end end })
    coroutine.yield()
  end)
  coroutine.resume(co)
  local _, why = coroutine.close(co)
  error(why, 0)
end

return agent
