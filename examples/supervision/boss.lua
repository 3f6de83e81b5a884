-- SPDX-License-Identifier: Apache-2.0
-- Lets the others crash one after the other, looks at who was started anew, and tells it in the end.
local troupe = require("troupe")
local async = require("troupe.async")

local agent = troupe.agent {
  needs = { call = { "counter", "desk/*", "ward/*" } },
  concurrent = { "started" },                          -- heard while `run` waits
}

local parts = { "counter", "desk/writer", "desk/editor", "ward/patient" }

function agent.on_start(self) self.starts = {} end

function agent.on.started(self, id) self.starts[id] = (self.starts[id] or 0) + 1 end

-- While a part restarts, a call to it fails at once with `down`: try again.
local function add(id)
  return async.retry({ tries = 100, backoff = { 0.01, 0.1 } }, troupe.call, id, "add")
end

-- Crashes one part; returns those that were started anew.
local function crash(self, id)
  for _, part in ipairs(parts) do assert(add(part)) end
  local before = {}
  for _, part in ipairs(parts) do before[part] = self.starts[part] end
  local _, why = troupe.call(id, "crash")
  print(id .. " is told to crash; its caller sees: " .. why.code)
  local restarted = {}
  for _, part in ipairs(parts) do
    assert(add(part))                                  -- each answers again: it has healed
    if self.starts[part] > before[part] then restarted[#restarted + 1] = part end
  end
  return table.concat(restarted, ", ")
end

function agent.on.run(self)
  local told = {}
  for _, id in ipairs { "counter", "desk/writer", "ward/patient", "ward/patient" } do
    told[#told + 1] = ("%-13s crashed; started anew: %s"):format(id, crash(self, id))
  end
  local starts = {}
  for _, part in ipairs(parts) do starts[#starts + 1] = part .. " " .. self.starts[part] end
  told[#told + 1] = "starts: " .. table.concat(starts, ", ") .. "; all of them answer"
  return table.concat(told, "\n")
end

return agent
