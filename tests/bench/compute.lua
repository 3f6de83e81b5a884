-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local work = require("compute_work")
local agent = troupe.agent {}
function agent.on.main(self, n) return work(math.tointeger(tonumber(n))) end
return agent
