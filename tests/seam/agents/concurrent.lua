-- SPDX-License-Identifier: Apache-2.0
-- Serves up to three messages at a time: the third one to come lets all go on.
local troupe = require("troupe")
local async = require("troupe.async")
local agent = troupe.agent { concurrent = 3 }
local open, most = 0, 0

function agent.on.meet(self)
  open = open + 1
  most = math.max(most, open)
  while most < 3 do async.sleep(0.01) end
  open = open - 1
  return most
end
function agent.on.crowd(self)
  open = open + 1
  most = math.max(most, open)
  async.sleep(0.02)
  open = open - 1
  return most
end

return agent
