-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local agent = troupe.agent {}

function agent.on_start(self, start)
  if not start.first then troupe.send("watcher", "ready") end
end
function agent.on.crash(self) error("enough") end

return agent
