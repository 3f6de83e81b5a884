-- SPDX-License-Identifier: Apache-2.0
local troupe = require("troupe")
local async = require("troupe.async")
local timer = require("troupe.timer")
local agent = troupe.agent { concurrent = { "heard" } }
local heard, every = {}, nil

function agent.own.tick(self, what)
  heard[#heard + 1] = what
  if what == "three times" and #heard == 3 then every:cancel() end
end
function agent.on.after(self, seconds, what) timer.after(seconds, "tick", what) end
function agent.on.after_and_cancel(self, seconds)
  local t = timer.after(seconds, "tick", "cancelled")
  timer.after(2 * seconds, "tick", "later")
  return { t:cancel(), t:cancel() }
end
function agent.on.three_times(self, seconds) every = timer.every(seconds, "tick", { args = { "three times" } }) end
function agent.on.heard() return heard end
--- What the binding says: its text, or "accepted".
function agent.on.try(self, name, ...)
  local f = ({ after = timer.after, every = timer.every, sleep = async.sleep, timeout = async.timeout })[name]
  local args = table.pack(...)
  if name == "timeout" then args[2], args.n = function() return true end, 2 end
  local ok, err = pcall(f, table.unpack(args, 1, args.n))
  return ok and "accepted" or tostring(err)
end

return agent
