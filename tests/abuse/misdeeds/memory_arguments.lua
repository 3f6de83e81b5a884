-- Hands on more and more arguments.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local function more(...) return more(1, {}, ...) end
  return more()
end

return agent
