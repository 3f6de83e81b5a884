-- SPDX-License-Identifier: Apache-2.0
-- What the agents of a simulated world do to each other: everything that scripts can, at random.
local troupe = require("troupe")
local async = require("troupe.async")
local timer = require("troupe.timer")
local group = require("troupe.group")

local acts = {}

local function one_of(list) return list[math.random(#list)] end

-- Some of these are not there at any one time, some never.
local peers = {
  "a", "b", "left", "left/c", "left/d", "left/deep/e", "right/f", "right/g", "pool", "mixed", "a/kid", "b/kid",
  "left/c/kid", "n1", "n2", "nobody",
}
local quick = { "echo", "work", "nap", "parts", "later", "chat" }

function acts.peer() return one_of(peers) end

--- Verbs for `agent.on`, `agent.own` and the hooks.
function acts.install(agent)
  local on = agent.on
  local monitors = {}

  function on.echo(self, v) return v end

  function on.work(self, n)
    local sum = 0
    for i = 1, (n or 5) * 200 do sum = sum + i % 7 end
    return sum
  end

  function on.nap(self, seconds) return async.sleep(seconds or math.random()) end

  function on.chat(self, depth)
    depth = depth or 3
    if depth <= 0 then return "end" end
    local v, err = async.timeout(math.random() * 2, troupe.call, acts.peer(), one_of(quick), depth - 1)
    if v == nil and math.random(20) == 1 then error("nobody talks to me: " .. tostring(err), 0) end
    return v, err
  end

  function on.ask(self, verb, ...) return troupe.call(acts.peer(), verb, ...) end

  function on.parts(self, n)
    for i = 1, n or 5 do
      if not troupe.part(i) then return "nobody reads" end
      if math.random(6) == 1 then async.sleep(0.1) end
    end
    return "told"
  end

  function on.read(self, n)
    local s <close> = troupe.stream(acts.peer(), "parts", n or 8)
    local got = 0
    for part in s:parts() do
      if part ~= got + 1 then error("part " .. part .. " after " .. got, 0) end
      got = part
      if math.random(10) == 1 then return got end
      if math.random(5) == 1 then async.sleep(0.05) end
    end
    return s:result()
  end

  function on.later(self)
    local answer = troupe.defer()
    async.run(function()
      async.sleep(math.random())
      if math.random(4) == 1 then answer:fail("no") else answer:reply("at last") end
    end)
  end

  function on.detached(self)
    troupe.detach()
    async.sleep(math.random() * 3)
    return troupe.call(acts.peer(), "echo", 1)
  end

  function on.fan(self, n)
    local items, sum = {}, 0
    for i = 1, n or 6 do items[i] = i end
    for item, v in async.map(items, function(i) return troupe.call(acts.peer(), one_of(quick), i) end, { limit = 3 }) do
      if v then sum = sum + item end
      if math.random(12) == 1 then break end
    end
    return sum
  end

  function on.race(self)
    return async.first({
      function() return troupe.call(acts.peer(), "chat", 2) end,
      function() async.sleep(math.random()) return "slept" end,
      function() return troupe.call(acts.peer(), "later") end,
    })
  end

  function on.try(self)
    return async.retry({ tries = 3, backoff = { 0.1, 1 } }, troupe.call, acts.peer(), "echo", 1)
  end

  -- The order of a table's keys shows in the order of the messages.
  function on.tell_all(self)
    local told = {}
    for i = 1, #peers do told[peers[i] .. i % 3] = peers[i] end
    for _, peer in pairs(told) do troupe.send(peer, "echo", 1) end
  end

  function on.flood(self, to, n)
    for i = 1, n or 30 do troupe.send(to or acts.peer(), "echo", i) end
  end

  function on.watch(self)
    monitors[#monitors + 1] = troupe.monitor(acts.peer())
    if #monitors > 3 then troupe.demonitor(table.remove(monitors, math.random(#monitors))) end
  end

  function on.watch_address(self)
    local at = troupe.find(acts.peer())
    if at then monitors[#monitors + 1] = troupe.monitor(at) end
  end

  function on.watch_me(self, who) monitors[#monitors + 1] = troupe.monitor(who) end

  -- Whoever watches it hears of its end behind what it said before.
  function on.part_ways(self)
    local peer = troupe.find(acts.peer())
    if not peer or not troupe.call(peer, "watch_me", troupe.self()) then return end
    for i = 1, math.random(4) do troupe.send(peer, "echo", i) end
    troupe.exit("normal")
  end

  function on.tie(self)
    local at = troupe.find(acts.peer())
    if not at then return end
    troupe.link(at)
    if math.random(2) == 1 then async.sleep(0.5) troupe.unlink(at) end
  end

  function on.spawn(self)
    local at, err = troupe.spawn({
      id = math.random(3) == 1 and "kid" or nil, start = "kid.lua", restart = one_of({ "temporary", "transient" }),
    })
    if not at then return nil, err end
    if math.random(2) == 1 then return troupe.call(at, one_of(quick)) end
  end

  function on.tick(self)
    local t = timer.after(math.random(), "tock")
    if math.random(4) == 1 then t:cancel() end
    local e = timer.every(0.3, "tock", { jitter = 0.5 })
    local _ <close> = setmetatable({}, { __close = function() e:cancel() end })
    async.sleep(1)
  end
  function agent.own.tock(self) if math.random(3) == 1 then async.sleep(0.1) end end

  function on.name(self, name) return troupe.register(name or one_of({ "n1", "n2" })) end
  function on.join(self) return group.join("g") end
  function on.leave(self) return group.leave("g") end
  function on.all(self) return group.call_all("g", "echo", 1) end

  function on.big(self) return ("x"):rep(math.random(70000)) end

  function on.fail(self) return nil, troupe.error("mine", "no") end

  function on.crash(self, how)
    how = how or one_of({ "error", "normal", "shutdown", "stack", "memory", "task", "exit" })
    if how == "error" then error("planned", 0) end
    if how == "stack" then local function f() return 1 + f() end f() end
    if how == "memory" then local t = {} while true do t[#t + 1] = ("x"):rep(10000) .. #t end end
    if how == "task" then async.run(function() async.sleep(0.1) error("in a task", 0) end) return end
    if how == "exit" then troupe.exit(troupe.error("mine", "enough")) end
    troupe.exit(how)
  end

  function agent.on_start(self, start)
    local luck = math.random(start.first and 400 or 40)
    if luck == 1 then return nil, "no luck" end
    if luck == 2 then error("no luck at all", 0) end
    if luck == 3 then async.sleep(100) end
    if luck == 4 and self.options.may_ignore then return "ignore" end
    if luck <= 8 then async.sleep(math.random()) end
    if luck == 9 then troupe.call(acts.peer(), "echo", 1) end
    if luck == 10 then group.join("g") end
    if luck == 11 then troupe.send(acts.peer(), "chat") end
    if luck == 12 then on.spawn(self) end
  end

  function agent.on_stop(self)
    local luck = math.random(10)
    if luck == 1 then async.sleep(100) end
    if luck == 2 then error("will not", 0) end
    if luck <= 4 then async.sleep(math.random()) end
    if luck == 5 then troupe.call(acts.peer(), "echo", 1) end
  end

  function agent.on_down(self) if math.random(3) == 1 then async.sleep(0.2) end end
end

return acts
