-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } } }
local current = troupe.current

function agent.on.chat(self, to) troupe.send(to or current().from, "chat") end

return agent
