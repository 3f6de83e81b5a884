-- SPDX-License-Identifier: Apache-2.0
-- Many agents at once: how long a call takes among them, what they cost at rest, and how calls fare under half load.
local troupe = require("troupe")
local async, time = require("troupe.async"), require("troupe.time")
local agent = troupe.agent { needs = { spawn = 200000 } }

local function start(n)
  local list = {}
  for i = 1, n do list[i] = assert(troupe.spawn { start = "pong.lua" }) end
  return list
end

local measures = {}

--- Microseconds a call, `n` calls spread over as many agents.
function measures.spread(n, agents)
  local list = start(agents)
  local t0 = time.monotonic()
  for i = 1, n do
    if troupe.call(list[i % agents + 1], "echo", i) ~= i then error("a wrong answer") end
  end
  return string.format("%.4f", (time.monotonic() - t0) * 1e6 / n)
end

--- Starts agents, says so, and does nothing for a while.
function measures.rest(agents, seconds)
  local t0 = time.monotonic()
  start(agents)
  troupe.part(string.format("%.3f\n", time.monotonic() - t0))
  async.sleep(seconds)
  return "rested"
end

--- Says `mark` after a tenth of the messages and after all of them.
function measures.steady(n)
  local to = start(1)[1]
  for part = 1, 10 do
    for i = 1, n // 20 do troupe.call(to, "echo", i) end
    if part == 1 or part == 10 then
      troupe.part("mark\n")
      async.sleep(0.3)
    end
  end
  return "done"
end

--- p50, p99 and p99.9 in microseconds of calls that are due at half the rate at which they could be made, counted from
--- when each was due.
function measures.half_load(seconds)
  local list, took = start(8), {}
  local t0 = time.monotonic()
  for i = 1, 20000 do troupe.call(list[i % 8 + 1], "echo", i) end
  local pause = (time.monotonic() - t0) / 20000 * 2
  local due, stop = time.monotonic(), time.monotonic() + seconds
  while due < stop do
    if time.monotonic() >= due then
      troupe.call(list[#took % 8 + 1], "echo", 1)
      took[#took + 1] = time.monotonic() - due
      due = due + pause
    end
  end
  table.sort(took)
  local function at(share) return took[math.max(1, math.ceil(#took * share))] * 1e6 end
  return string.format("%.1f %.1f %.1f", at(0.5), at(0.99), at(0.999))
end

function agent.on.main(self, what, ...)
  local numbers = {}
  for i, text in ipairs({ ... }) do numbers[i] = math.tointeger(tonumber(text)) end
  return measures[what](table.unpack(numbers))
end

return agent
