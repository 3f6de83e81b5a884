-- Searches for patterns that take for ever.
-- ends: limit pattern
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  return (("a"):rep(40):find(("a?"):rep(40) .. ("a"):rep(40)))
end

return agent
