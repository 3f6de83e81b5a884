-- SPDX-License-Identifier: Apache-2.0
-- Serves four messages at once and outlives those it is tied to.
local agent = require("troupe").agent { needs = { call = { "*" } }, options = { may_ignore = false }, concurrent = 4 }
require("acts").install(agent)
function agent.on_exit(self, from, reason) end
return agent
