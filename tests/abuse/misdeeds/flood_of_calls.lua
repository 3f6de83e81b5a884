-- Makes calls and takes them back.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  while true do troupe.stream("target", "ask", 1):close() end
end

return agent
