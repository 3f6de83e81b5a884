-- SPDX-License-Identifier: Apache-2.0
-- Has on_exit, so it outlives those it is linked to.
local troupe = require("troupe")
local agent = troupe.agent { concurrent = { "heard" } }
local heard = {}

function agent.on_exit(self, who, reason) heard[#heard + 1] = { who, reason.code } end
function agent.on.link(self, whom) troupe.link(whom) end
function agent.on.heard() return heard end

return agent
