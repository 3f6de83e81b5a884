-- SPDX-License-Identifier: Apache-2.0
-- Runs the cases one after another, each with agents of its own in the placement that is tested, and
-- lives there itself: what a case calls, streams or spawns goes through the placement as well.

local troupe = require("troupe")
local async = require("troupe.async")
local show = require("agents.show")

local agent = troupe.agent {
  needs = { call = { "*" }, tools = { "*" }, topics = { "*" }, spawn = 10000 },
  options = { isolate = "none", placement = "node", only = "" },
  concurrent = 8,                       -- on_down beside `run`
}

local groups = {
  "values", "messages", "parts", "deadlines", "endings", "starting", "limits", "supervision", "timers", "tasks", "rights", "sys", "topics", "library",
}

--- Longer than any case takes, so that one that hangs is named.
local PATIENCE = 60

local ended = {}                        -- by monitor: the reason

function agent.on_down(self, monitor, reason) ended[monitor] = reason end

-- -- what a case gets ---------------------------------------------------------------------------

local case_type = {}
case_type.__index = case_type
local number = 0

local function fail(level, format, ...) error(format:format(...), level + 1) end

--- The spec of an agent in the placement, for `start` and for children of supervisors.
function case_type:spec(file, fields)
  local spec = { start = "agents/" .. file .. ".lua", isolate = self.isolate }
  for key, v in pairs(fields or {}) do spec[key] = v end
  if not spec.id then
    number = number + 1
    spec.id = file .. number
  end
  return spec
end

--- Starts what a spec describes; it ends with the case. Its address and its id.
function case_type:launch(spec)
  local address, err = troupe.spawn(spec)
  if not address then return nil, err end
  self.started[#self.started + 1] = spec.id
  return address, spec.id
end

function case_type:try_start(file, fields) return self:launch(self:spec(file, fields)) end

function case_type:start(file, fields)
  local address, id = self:try_start(file, fields)
  if not address then fail(2, "%s does not start: %s", file, id) end
  return address, id
end

--- A supervisor of agents; children are reached as `driver/<id>/<child>`.
function case_type:team(children, fields)
  number = number + 1
  local tree = { intensity = 10, period = 10, children = children }
  for key, v in pairs(fields or {}) do tree[key] = v end
  local spec = { id = "team" .. number, start = tree }
  local address, err = self:launch(spec)
  if not address then fail(2, "the team does not start: %s", err) end
  return "driver/" .. spec.id, address
end

--- In order, as a supervisor stops a child; or at once, if its spec says brutal_kill.
function case_type:stop(id) return troupe.supervisor("driver/~"):terminate_child(id) end

--- Calls that must succeed.
function case_type:call(to, verb, ...)
  local v, err = troupe.call(to, verb, ...)
  if v == nil and err ~= nil then fail(2, "%s: %s", verb, err) end
  return v
end

--- Calls that must fail: the error.
function case_type:refused(to, verb, ...)
  local v, err = troupe.call(to, verb, ...)
  if err == nil then fail(2, "%s: got %s instead of an error", verb, show(v)) end
  return err
end

function case_type:monitor(whom) return troupe.monitor(whom) end

--- Waits for the end of what `monitor` watches: the reason.
function case_type:reason(monitor)
  while not ended[monitor] do async.sleep(0.005) end
  return ended[monitor]
end

--- Waits until f() says something true: that. The case's own limit ends what never comes.
function case_type:eventually(f)
  while true do
    local v = f()
    if v then return v end
    async.sleep(0.005)
  end
end

--- Waits until the agent's notes contain `what`.
function case_type:noted(to, what)
  self.waits_for = what
  return self:eventually(function()
    for _, note in ipairs(self:call(to, "notes")) do
      if note == what then return true end
    end
  end)
end

function case_type:equal(got, expected, what)
  if show(got) ~= show(expected) then
    fail(2, "%sgot %s, expected %s", what and what .. ": " or "", show(got), show(expected))
  end
end

function case_type:ok(v, what) if not v then fail(2, "%s", what or "it is not so") end end

function case_type:matches(text, part)
  if not tostring(text):find(part, 1, true) then fail(2, "%q is not in %q", part, tostring(text)) end
end

--- For cases that mean nothing in some placement.
function case_type:skip(why) error(setmetatable({ skipped = why }, { __name = "skip" }), 0) end

function case_type:clean()
  for i = #self.started, 1, -1 do self:stop(self.started[i]) end
end

-- -- running ------------------------------------------------------------------------------------

local function describe(err)
  if type(err) == "table" and err.skipped then return err end
  return tostring(err)
end

local function run_case(self, name, f)
  local t = setmetatable({
    isolate = self.options.isolate, placement = self.options.placement, started = {},
  }, case_type)
  local how, err = async.timeout(PATIENCE, function()
    local ok, why = xpcall(f, describe, t)
    return { ok = ok, why = why }
  end)
  if not how then
    how = { ok = false, why = "did not end within " .. PATIENCE .. " s" ..
      (t.waits_for and ", waiting for the note \"" .. t.waits_for .. "\"" or "") }
  end
  local cleaned = async.timeout(PATIENCE, function() t:clean() return true end)
  if how.ok and not cleaned then how = { ok = false, why = "what it started does not stop" } end
  if type(how.why) == "table" then return { name = name, ok = true, skipped = how.why.skipped } end
  return { name = name, ok = how.ok, message = how.why }
end

local function run_all(self, on_result)
  local results, names = {}, {}
  for _, group in ipairs(groups) do
    local function case(name, f)
      if names[name] then error("two cases have the name " .. name) end
      names[name] = true
      if not name:find(self.options.only, 1, true) then return end
      local result = run_case(self, name, f)
      results[#results + 1] = result
      on_result(result)
    end
    require("cases." .. group)(case)
  end
  return results
end

local function line(result)
  if result.skipped then return "skipped  " .. result.name .. ": " .. result.skipped .. "\n" end
  if result.ok then return "ok       " .. result.name .. "\n" end
  return "FAILED   " .. result.name .. "\n         " .. tostring(result.message) .. "\n"
end

local function summary(self, results)
  local passed, failed, skipped = 0, 0, 0
  for _, r in ipairs(results) do
    if r.skipped then skipped = skipped + 1 elseif r.ok then passed = passed + 1 else failed = failed + 1 end
  end
  return ("%s: %d passed, %d failed%s"):format(self.options.placement, passed, failed,
    skipped > 0 and ", " .. skipped .. " skipped" or ""), failed
end

--- All results: a list of { name, ok, message, skipped }, and the count as one line.
function agent.on.run(self)
  local results = run_all(self, function() end)
  local said, failed = summary(self, results)
  return { results = results, summary = said, failed = failed }
end

function agent.on.main(self)
  local results = run_all(self, function(result) troupe.part(line(result)) end)
  local said, failed = summary(self, results)
  troupe.part(said .. "\n")
  if failed > 0 then return nil, troupe.error("failed", said) end
end

return agent
