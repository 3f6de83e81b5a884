-- SPDX-License-Identifier: Apache-2.0
-- Well-behaved: answers at once. `work` takes about a millisecond.
local troupe = require("troupe")
local agent = troupe.agent {}

function agent.on.ask(self, n) return n end
function agent.on.swallow() end
function agent.on.work()
  local sum = 0
  for i = 1, 60000 do sum = sum + i end
  return sum
end

return agent
