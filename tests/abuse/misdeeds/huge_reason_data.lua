-- Ends with data of many megabytes in its reason.
-- ends: crash mine
-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }

function agent.on.go()
  error(troupe.error("mine", ("x"):rep(10 << 20), { ("y"):rep(10 << 20) }))
end

return agent
