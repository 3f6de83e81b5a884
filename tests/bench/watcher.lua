-- SPDX-License-Identifier: Apache-2.0
-- Answers `next` when the victim has said that it is ready again.
local troupe = require("troupe")
local agent = troupe.agent {}
local waiting, is_ready

function agent.on.next(self)
  if is_ready then
    is_ready = false
    return true
  end
  waiting = troupe.defer()
end

function agent.on.ready(self)
  if waiting then
    waiting:reply(true)
    waiting = nil
  else
    is_ready = true
  end
end

return agent
