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

--- p50, p99 and p99.9 in microseconds of a call of `probe`, while for each thread one calls for 2 ms and sleeps as long:
--- half of the machine's time is taken.
function measures.half_load(seconds, threads)
  local jobs = {}
  local function begin(verb)
    local who, pong = assert(troupe.spawn { start = "load.lua" }), start(1)[1]
    local job = async.run(function() return async.timeout(seconds + 30, troupe.call, who, verb, pong, seconds) end)
    if verb == "probe" then jobs[#jobs + 1] = job end
  end
  for _ = 1, threads do begin("busy") end
  for _ = 1, 8 do begin("probe") end
  local took = {}
  for _, job in ipairs(jobs) do
    for _, us in ipairs(assert(job:wait())) do took[#took + 1] = us end
  end
  table.sort(took)
  local function at(share) return took[math.max(1, math.ceil(#took * share))] end
  return string.format("%.1f %.1f %.1f", at(0.5), at(0.99), at(0.999))
end

function agent.on.busy(self, pong, seconds)
  local stop = time.monotonic() + seconds
  while time.monotonic() < stop do
    local began = time.monotonic()
    repeat troupe.call(pong, "echo", 1) until time.monotonic() - began > 0.002
    async.sleep(time.monotonic() - began)
  end
end

--- Microseconds of each of its calls, one a millisecond.
function agent.on.probe(self, pong, seconds)
  local stop, took = time.monotonic() + seconds, {}
  while time.monotonic() < stop do
    async.sleep(0.001)
    local began = time.monotonic()
    troupe.call(pong, "echo", 1)
    took[#took + 1] = (time.monotonic() - began) * 1e6
  end
  return took
end

function agent.on.main(self, what, ...)
  local numbers = {}
  for i, text in ipairs({ ... }) do numbers[i] = math.tointeger(tonumber(text)) end
  return measures[what](table.unpack(numbers))
end

return agent
