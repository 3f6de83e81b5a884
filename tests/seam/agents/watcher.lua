-- SPDX-License-Identifier: Apache-2.0
-- Links, monitors and keeps what it hears.
local troupe = require("troupe")
local agent = troupe.agent { needs = { call = { "*" } }, concurrent = { "heard" } }
local heard, ids = {}, {}

function agent.on_down(self, id, reason) heard[#heard + 1] = { ids[id] or "another", reason.code, reason.message } end
function agent.on.monitor(self, whom, name) ids[troupe.monitor(whom)] = name end
function agent.on.monitor_twice_and_drop_one(self, whom)
  troupe.demonitor(troupe.monitor(whom))
  ids[troupe.monitor(whom)] = "second"
end
function agent.on.link(self, whom) troupe.link(whom) end
function agent.on.unlink(self, whom) troupe.unlink(whom) end
function agent.on.heard() return heard end

return agent
