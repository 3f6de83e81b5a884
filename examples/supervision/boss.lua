-- SPDX-License-Identifier: Apache-2.0
-- Lets the others crash one after the other, looks at who was started anew, and tells it in the end.
local troupe = require("troupe")
local async = require("troupe.async")

local agent = troupe.agent { needs = { call = { "counter", "desk/*", "ward/*" } } }

local parts = { "counter", "desk/writer", "desk/editor", "ward/patient" }

-- While a part restarts, a call to it fails at once with `down`: try again.
local function add(id)
  return async.retry({ tries = 100, backoff = { 0.01, 0.1 } }, troupe.call, id, "add")
end

-- Crashes one part; returns those that were started anew, and counts their starts.
local function crash(id, starts)
  for _, part in ipairs(parts) do assert(add(part)) end
  local _, why = troupe.call(id, "crash")
  print(id .. " is told to crash; its caller sees: " .. why.code)
  local restarted = {}
  for _, part in ipairs(parts) do
    local count = assert(add(part))                    -- each answers again: it has healed
    if count == 1 then                                 -- what it had counted is gone
      starts[part] = starts[part] + 1
      restarted[#restarted + 1] = part
    end
  end
  return table.concat(restarted, ", ")
end

function agent.on.run()
  local told, starts = {}, {}
  for _, part in ipairs(parts) do starts[part] = 1 end
  for _, id in ipairs { "counter", "desk/writer", "ward/patient", "ward/patient" } do
    told[#told + 1] = ("%-13s crashed; started anew: %s"):format(id, crash(id, starts))
  end
  local list = {}
  for _, part in ipairs(parts) do list[#list + 1] = part .. " " .. starts[part] end
  told[#told + 1] = "starts: " .. table.concat(list, ", ") .. "; all of them answer"
  return table.concat(told, "\n")
end

return agent
