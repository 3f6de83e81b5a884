-- Prints and logs without end.
-- held
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  local log = require("troupe.log")
  while true do
    print("a line")
    log.error("a line")
    troupe.progress(0.5, "a line")
  end
end

return agent
