-- Opens calls in parts without end.
-- ends: limit memory
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" }, spawn = 1 } }

function agent.on.go()
  local all = {}
  local deaf = assert(troupe.spawn { id = "deaf", start = "accomplices/deaf.lua", limits = { mailbox = 1000000, mailbox_bytes = "1GiB" } })
  while true do all[#all + 1] = troupe.stream(deaf, "never") end
end

return agent
