-- SPDX-License-Identifier: Apache-2.0
-- BENCH_WHAT says what to measure and how often: as driver.lua does it. Prints `WHAT FIGURE`.
local skynet = require("skynet")

local function elapsed_us(f)
  local t0 = skynet.hpc()
  f()
  return (skynet.hpc() - t0) / 1000
end

--- Runs f(1) to f(n) side by side and waits for all.
local function all(n, f)
  local me, left = coroutine.running(), n
  for i = 1, n do
    skynet.fork(function()
      f(i)
      left = left - 1
      if left == 0 then skynet.wakeup(me) end
    end)
  end
  if left > 0 then skynet.wait(me) end
end

local function resident()
  local f <close> = assert(io.open("/proc/self/statm"))
  return tonumber(f:read("a"):match("%d+ (%d+)")) * 4096
end

local measures = {}

function measures.round_trip(n, pairs_)
  local pingers, pongers = {}, {}
  for i = 1, pairs_ do pingers[i], pongers[i] = skynet.newservice("ping"), skynet.newservice("pong") end
  local us = elapsed_us(function()
    all(pairs_, function(i) skynet.call(pingers[i], "lua", "ping", pongers[i], n) end)
  end)
  return us / (n * pairs_)
end

function measures.spread(n, agents)
  local list = {}
  for i = 1, agents do list[i] = skynet.newservice("pong") end
  local us = elapsed_us(function()
    for i = 1, n do skynet.call(list[i % agents + 1], "lua", "echo", i) end
  end)
  return us / n
end

function measures.many_senders(n, senders)
  local sink, list = skynet.newservice("pong"), {}
  for i = 1, senders do list[i] = skynet.newservice("ping") end
  local us = elapsed_us(function()
    all(senders, function(i) skynet.call(list[i], "lua", "flood", sink, n // senders) end)
    skynet.call(sink, "lua", "seen")
  end)
  return n / us
end

function measures.start(n)
  skynet.newservice("pong")
  return elapsed_us(function()
    for _ = 1, n do skynet.newservice("pong") end
  end) / n
end

function measures.memory(n)
  skynet.newservice("pong")
  local before = resident()
  for _ = 1, n do skynet.newservice("pong") end
  return (resident() - before) / n / 1000
end

function measures.nothing()
  return skynet.call(skynet.newservice("pong"), "lua", "echo", 1)
end

skynet.start(function()
  local what, a, b = os.getenv("BENCH_WHAT"):match("(%S+) ?(%d*) ?(%d*)")
  io.stdout:write(what, " ", string.format("%.4f", measures[what](math.tointeger(a), math.tointeger(b))), "\n")
  io.stdout:flush()
  os.exit(true)
end)
