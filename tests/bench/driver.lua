-- SPDX-License-Identifier: Apache-2.0
-- Our side of the benchmark, as users write agents. `main` takes what to measure and how often; it returns
-- microseconds for one, or millions a second.
local troupe = require("troupe")
local async, time = require("troupe.async"), require("troupe.time")

local agent = troupe.agent { needs = { spawn = 200000 }, concurrent = { "ready" }, options = { crowd = 0 } }

local function elapsed_us(f)
  local t0 = time.monotonic()
  f()
  return (time.monotonic() - t0) * 1e6
end

function agent.on.ping(self, to, n)
  for i = 1, n do
    if troupe.call(to, "echo", i) ~= i then error("a wrong answer") end
  end
  return true
end

function agent.on.flood(self, to, n)
  for i = 1, n do
    troupe.send(to, "add", i)
    if i % 500 == 0 then troupe.call(to, "seen") end    -- mailboxes are bounded: a sender keeps pace
  end
  return true
end

local measures = {}

function measures.round_trip(n, pairs_)
  local us = elapsed_us(function()
    local jobs = {}
    for i = 1, pairs_ do
      local pinger = assert(troupe.spawn { start = "driver.lua" })
      local ponger = assert(troupe.spawn { start = "pong.lua" })
      jobs[i] = async.run(function() return async.timeout(600, troupe.call, pinger, "ping", ponger, n) end)
    end
    for _, job in ipairs(jobs) do assert(job:wait()) end
  end)
  return us / (n * pairs_)
end

function measures.many_senders(n, senders)
  local sink = assert(troupe.spawn { start = "pong.lua", limits = { mailbox = 1000000 } })
  local us = elapsed_us(function()
    local jobs = {}
    for i = 1, senders do
      local sender = assert(troupe.spawn { start = "driver.lua" })
      jobs[i] = async.run(function() return async.timeout(600, troupe.call, sender, "flood", sink, n // senders) end)
    end
    for _, job in ipairs(jobs) do assert(job:wait()) end
  end)
  local seen = troupe.call(sink, "seen")
  if seen ~= n // senders * senders then error("lost messages: " .. seen) end
  return n / us
end

function measures.start(n)
  assert(troupe.spawn { start = "pong.lua" })           -- the first one compiles
  return elapsed_us(function()
    for _ = 1, n do assert(troupe.spawn { start = "pong.lua" }) end
  end) / n
end

function measures.crash_to_ready(n)
  local total = 0
  for _ = 1, n do
    local t0 = time.monotonic()
    troupe.send("victim", "crash")
    assert(troupe.call("watcher", "next"))
    total = total + (time.monotonic() - t0)
  end
  return total * 1e6 / n
end

function agent.on.main(self, what, ...)
  local numbers = {}
  for i, text in ipairs({ ... }) do numbers[i] = math.tointeger(tonumber(text)) end
  for _ = 1, self.options.crowd do assert(troupe.spawn { start = "pong.lua" }) end
  return string.format("%.4f", measures[what](table.unpack(numbers)))
end

return agent
