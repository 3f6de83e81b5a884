-- SPDX-License-Identifier: Apache-2.0
-- What most cases talk to: a serial agent with a verb for each thing that an agent may do.
local troupe = require("troupe")
local async = require("troupe.async")
local show = require("show")

local agent = troupe.agent {
  needs = { call = { "*" }, optional = { tools = { "*" }, topics = { "*" }, spawn = 100 } },
  options = { note_start_to = "", note_stop_to = "" },
  concurrent = { "notes", "poke", "free" },
}
local notes, kept = {}, {}

function agent.on_start(self, start)
  self.first = start.first
  self.last_exit = start.last_exit and start.last_exit.code
end

function agent.on_stop(self, reason)
  local to = self.options.note_stop_to
  if to ~= "" then
    troupe.call(to, "note", "stops: " .. reason.code)
    troupe.call(to, "note", "has called")
  end
end

-- -- values and answers
function agent.on.echo(self, ...) return (...) end
function agent.on.count(self, ...) return select("#", ...) end
function agent.on.show(self, v) return show(v) end
function agent.on.nothing() end
function agent.on.fail(self, code, message, data) return nil, troupe.error(code, message, data) end
function agent.on.fail_text(self, text) return nil, text end
function agent.on.raise(self, message) error(message, 0) end
function agent.on.raise_record(self, code, message) error(troupe.error(code, message)) end
function agent.on.index_nil() local t return t.x end
function agent.on.bad_reply() return { f = print } end
function agent.on.who() return troupe.self() end
function agent.on.current()
  local c = troupe.current()
  return { kind = c.kind, verb = c.verb, from = c.from, deadline = c.deadline, trace = c.trace }
end
function agent.on.keep_current(self, of) notes[1] = troupe.call(of, "current").deadline end
function agent.on.beginning(self) return { first = self.first, last_exit = self.last_exit } end
function agent.on.options(self) return self.options end

-- -- notes
function agent.on.note(self, what) notes[#notes + 1] = what end
function agent.on.notes() return notes end
function agent.on.poke() return "poked" end
function agent.own.secret(self, what) notes[#notes + 1] = "secret: " .. what return what end
function agent.on.use_secret(self, what) troupe.send(troupe.self(), "secret", what) end

-- -- time
local function noting(text) return setmetatable({}, { __close = function() notes[#notes + 1] = text end }) end

function agent.on.sleep(self, seconds, value)
  local _ <close> = noting("slept")
  async.sleep(seconds)
  notes[#notes + 1] = "went on"
  return value
end
function agent.on.sleep_on(self, seconds)
  troupe.detach()
  async.sleep(seconds)
  notes[#notes + 1] = "detached"
end
function agent.on.hold_on(self)
  while true do pcall(async.sleep, 1000) end
end

-- -- calls of its own
function agent.on.relay(self, to, verb, ...) return troupe.call(to, verb, ...) end
function agent.on.hand_on(self, to, verb, ...)
  local _ <close> = noting("relayed")
  return troupe.call(to, verb, ...)
end
function agent.on.burst(self, to, name, n)
  for i = 1, n do troupe.send(to, "note", { name, i }) end
end
function agent.on.call_me() return troupe.call(troupe.self(), "echo", 1) end
function agent.on.spawn(self, spec) return troupe.spawn(spec) end
function agent.on.leave(self, reason) troupe.exit(reason) end
function agent.on.register(self, name) return troupe.register(name) end
function agent.on.find(self, name) return troupe.find(name) end

-- -- parts
function agent.on.parts(self, n, then_what)
  local sent
  for i = 1, n do sent = troupe.part(i) end
  if then_what == "fail" then return nil, "no more" end
  if then_what == "crash" then error("in the middle", 0) end
  return sent and "all sent" or "nobody read"
end
function agent.on.flood(self)
  local _ <close> = noting("flood ended")
  for i = 1, math.maxinteger do
    troupe.part(i)
    notes[1] = i
  end
end
function agent.on.big_part(self)
  local ok, err = pcall(troupe.part, ("x"):rep(65 * 1024))
  return { ok = ok, code = not ok and err.code or nil }
end

-- -- later
function agent.on.wait_for(self, key) kept[key] = troupe.defer() end
function agent.on.free(self, key, value, err)
  if err then kept[key]:fail(err) else kept[key]:reply(value) end
end

-- -- too much
function agent.on.spin() while true do end end
function agent.on.spin_protected()
  local function loop() while true do end end
  xpcall(loop, loop)
end
function agent.on.spin_pcall() while true do pcall(function() while true do end end) end end
function agent.on.match_for_ever()
  return (("a"):rep(200)):find((".-"):rep(12) .. "b")
end
function agent.on.hoard()
  local t = {}
  while true do t[#t + 1] = ("x"):rep(1000) .. #t end
end
function agent.on.hoard_protected()
  return pcall(function() local t = {} while true do t[#t + 1] = ("x"):rep(1000) .. #t end end)
end
function agent.on.recurse()
  local function down(n) return 1 + down(n + 1) end
  return down(1)
end

-- -- coroutines of its own
function agent.on.yield() coroutine.yield("nobody") return "went on" end
function agent.on.generate()
  local sum = 0
  for v in coroutine.wrap(function() for i = 1, 10 do coroutine.yield(i) end end) do sum = sum + v end
  return sum
end
function agent.on.call_inside(self, to)
  return coroutine.wrap(function() return troupe.call(to, "echo", "from inside") end)()
end

return agent
