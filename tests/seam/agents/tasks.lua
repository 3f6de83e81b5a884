-- SPDX-License-Identifier: Apache-2.0
-- troupe.async inside one agent, and calls to others at the same time.
local troupe = require("troupe")
local async = require("troupe.async")
local agent = troupe.agent { needs = { call = { "*" } } }

local function after(s, ...) async.sleep(s) return ... end

function agent.on.all(self, to)
  return async.all {
    function() return after(0.02, "slow") end,
    function() return troupe.call(to, "echo", "called") end,
    function() return 3 end,
  }
end
function agent.on.all_with_failure(self)
  local closed = false
  local v, err = async.all {
    function()
      local _ <close> = setmetatable({}, { __close = function() closed = true end })
      return after(1000)
    end,
    function() return nil, troupe.error("mine", "no") end,
  }
  async.sleep(0.001)
  return { v, err.code, closed }
end
function agent.on.first(self)
  return async.first {
    function() return after(1000, "slow") end,
    function() return nil, "failed" end,
    function() return after(0.01, "fast") end,
  }
end
function agent.on.map(self, to, limit)
  local open, most, got = 0, 0, {}
  for item, value in async.map({ 5, 6, 7, 8, 9 }, function(n)
    open = open + 1
    most = math.max(most, open)
    local doubled = troupe.call(to, "echo", n * 2)
    open = open - 1
    return doubled
  end, { limit = limit, ordered = true }) do
    got[#got + 1] = item .. ":" .. value
  end
  return { table.concat(got, " "), most <= limit }
end
function agent.on.timeout(self)
  local v, err = async.timeout(0.02, after, 1000, "late")
  return { v == nil, err.code, (async.timeout(1000, after, 0.01, "early")) }
end
function agent.on.retry(self, fails)
  local tries = 0
  local v, err = async.retry({ tries = 3, backoff = { 0.001, 0.002 }, on = { "mine" } }, function()
    tries = tries + 1
    if tries <= fails then return nil, troupe.error("mine", "not yet") end
    return "there"
  end)
  return { v or "nothing", err and err.code or "no error", tries }
end
function agent.on.no_retry(self)
  local tries = 0
  async.retry({ tries = 5, backoff = { 0.001 } }, function()
    tries = tries + 1
    return nil, troupe.error("mine", "for good")
  end)
  return tries
end
function agent.on.run(self)
  local t = async.run(after, 0.01, "a", "b")
  local endless = async.run(after, 1000)
  endless:cancel()
  local _, err = endless:wait()
  return { err.code, t:wait() }
end
function agent.on.lock(self)
  local lock, log = async.lock(), {}
  local function enter(name)
    return function()
      local _ <close> = lock:acquire()
      log[#log + 1] = name
      async.sleep(0.005)
      log[#log + 1] = name
      return true
    end
  end
  async.all { enter("a"), enter("b"), enter("c") }
  return table.concat(log, " ")
end
function agent.on.raise_inside(self)
  local ok, err = pcall(async.all, { function() async.sleep(0.001) error("oh", 0) end })
  return { ok, err }
end

return agent
