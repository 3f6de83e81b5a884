-- SPDX-License-Identifier: Apache-2.0
-- Uses the small modules where it runs.
local troupe = require("troupe")
local json, log, time, timer = require("troupe.json"), require("troupe.log"), require("troupe.time"), require("troupe.timer")
local agent = troupe.agent { options = { name = troupe.required("string"), size = 1 } }

local heard = {}

function agent.on.options(self) return self.options end
function agent.on.json(self)
  local v = json.decode('{"a":[1,2.5,null],"b":{}}')
  return { json.encode(v), json.encode({ list = json.array {}, map = json.object {} }), (select(2, json.decode("{"))).code }
end
function agent.on.log(self)
  for _, level in ipairs { log.debug, log.info, log.warning, log.error } do level("a line of a test", { n = 1 }) end
  troupe.progress(0.5, "half way")
  return "said"
end
function agent.on.time(self)
  local before = time.monotonic()
  return { time.now() > 1e9, time.monotonic() >= before, time.format(0) }
end
function agent.on.at(self, seconds) timer.at(time.now() + seconds, "ring", "rang") end
function agent.on.cron(self, line)
  local ok, t = pcall(timer.cron, line, "ring", { zone = "+01:00", args = { "rang" } })
  return ok and t:cancel() or tostring(t)
end
function agent.own.ring(self, what) heard[#heard + 1] = what end
function agent.on.heard() return heard end

return agent
