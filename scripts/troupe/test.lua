-- SPDX-License-Identifier: Apache-2.0
--
-- require("troupe.test"): what a file for `troupe test` is made of. The file is an agent like any
-- other, at `test`; it is loaded anew for each of its cases, into a world of its own. What only the
-- world can do, such as moving time, it asks of the agent `simulation`.

local _, core = ...
local troupe = require("troupe")
local async = require("troupe.async")

local test = {}
local agent = troupe.agent { concurrent = { "tool" } }
core.stand_in(agent)

local cases, is_done = {}, false
local file               -- name of the running file, as tracebacks show it
local first_failure      -- { message, line } of the running case
local tools = {}         -- by name: what t:tool gave

-- Seconds. No deadline at all would mean the usual one.
local FOREVER = 1e9

--- Asks the world; what it does takes as long as it takes.
local function world(verb, ...)
  local answer, err = async.timeout(FOREVER, troupe.call, "simulation", verb, ...)
  if err then error(err, 0) end
  return answer
end

-- -- failures -----------------------------------------------------------------------------------

--- Line of the test file that is nearest to where this is called, or nil.
local function line_here()
  local pattern = "^%s*" .. file:gsub("%p", "%%%0") .. ":(%d+):"
  for frame in debug.traceback():gmatch("[^\n]+") do
    local line = frame:match(pattern)
    if line then return math.tointeger(tonumber(line)) end
  end
end

local function note(message, line)
  if not first_failure then first_failure = { message = message, line = line } end
end

--- Fails the case, also if what is raised is caught on the way.
local function fail(message)
  note(message, line_here())
  error(troupe.error("failed", message), 0)
end

--- Of xpcall: what was raised by something else than `fail`.
local function raised(what)
  local message = tostring(what)
  local prefix, line = message:match("^(" .. file:gsub("%p", "%%%0") .. ":(%d+): )")
  if prefix then message = message:sub(#prefix + 1) end
  note(message, line and math.tointeger(tonumber(line)) or line_here())
  return what
end

local function argument(ok, n, name, message)
  if not ok then error(("bad argument #%d to '%s' (%s)"):format(n, name, message), 3) end
end

-- -- values -------------------------------------------------------------------------------------

local LONGEST = 300

local function sorted_keys(t)
  local keys = {}
  for k in pairs(t) do keys[#keys + 1] = k end
  table.sort(keys, function(a, b)
    if type(a) == type(b) and (type(a) == "number" or type(a) == "string") then return a < b end
    return type(a) .. tostring(a) < type(b) .. tostring(b)
  end)
  return keys
end

local function key_text(k)
  if type(k) == "string" and k:match("^[%a_][%w_]*$") then return k end
  return "[" .. (type(k) == "string" and ("%q"):format(k) or tostring(k)) .. "]"
end

local function show(v, depth)
  if type(v) == "string" then return (("%q"):format(v):gsub("\\\n", "\\n")) end
  if type(v) ~= "table" then return tostring(v) end
  local meta = getmetatable(v)
  if type(meta) == "table" and meta.__tostring then return tostring(v) end
  if depth > 4 then return "{...}" end
  local parts, size = {}, 0
  for _, k in ipairs(sorted_keys(v)) do
    if size > LONGEST then
      parts[#parts + 1] = "..."
      break
    end
    local text = show(v[k], depth + 1)
    parts[#parts + 1] = math.type(k) == "integer" and k == #parts + 1 and text or key_text(k) .. " = " .. text
    size = size + #text
  end
  return #parts > 0 and "{ " .. table.concat(parts, ", ") .. " }" or "{}"
end

local function shown(v)
  local text = show(v, 0)
  if #text <= 2 * LONGEST then return text end
  return text:sub(1, utf8.offset(text, 0, 2 * LONGEST) - 1) .. "..."
end

--- The place of the first difference as `.a[2]`, and both values there; nil if there is none.
local function difference(got, expected, place, seen)
  if got == expected or (got ~= got and expected ~= expected) then return nil end
  if type(got) ~= "table" or type(expected) ~= "table" then return place, got, expected end
  if seen[got] == expected then return nil end
  seen[got] = expected
  for _, k in ipairs(sorted_keys(expected)) do
    local at, a, b = difference(got[k], expected[k], place .. (key_text(k):sub(1, 1) == "[" and "" or ".") .. key_text(k), seen)
    if at then return at, a, b end
  end
  for _, k in ipairs(sorted_keys(got)) do
    if expected[k] == nil then
      return place .. (key_text(k):sub(1, 1) == "[" and "" or ".") .. key_text(k), got[k], nil
    end
  end
end

-- -- what a case may do -------------------------------------------------------------------------

local case_type = { __name = "test case", __metatable = false }
local t = {}
case_type.__index = t

local function about(note_text) return note_text and tostring(note_text) .. ": " or "" end

function t:equal(got, expected, what)
  local at, a, b = difference(got, expected, "", {})
  if not at then return got end
  fail(("%s%sexpected %s, got %s"):format(about(what), at ~= "" and "at " .. at .. ": " or "", shown(b), shown(a)))
end

function t:ok(value, what)
  if value then return value end
  fail((what ~= nil and tostring(what) or "expected something, got " .. tostring(value)))
end

function t:fails(code, f, ...)
  argument(type(code) == "string", 1, "fails", "code expected, got " .. type(code))
  argument(type(f) == "function", 2, "fails", "function expected, got " .. type(f))
  local before = first_failure
  local results = table.pack(pcall(f, ...))
  if first_failure ~= before then error(results[2], 0) end  -- a check inside it
  local err = results[2]
  if results[1] then
    if results[2] ~= nil or results[3] == nil then
      fail(("expected it to fail with %s, got %s"):format(code, shown(results[2])))
    end
    err = results[3]
  end
  local found = type(err) == "table" and err.code or results[1] and "failed" or "a raise"
  if found ~= code then fail(("expected it to fail with %s, got %s"):format(code, tostring(err))) end
  return err
end

function t:model(name, replies)
  if replies == nil then name, replies = "default", name end
  argument(type(name) == "string", 1, "model", "name expected, got " .. type(name))
  argument(type(replies) == "table", 1, "model", "a list of replies expected, got " .. type(replies))
  local list = {}
  for i, reply in ipairs(replies) do
    list[i] = type(reply) == "table" and reply or { text = tostring(reply) }
  end
  world("model", name, list)
end

function t:tool(name, f)
  argument(type(name) == "string" and name ~= "", 1, "tool", "name expected, got " .. type(name))
  local form = type(f) == "table" and f or { run = f }
  argument(type(form.run) == "function", 2, "tool", "function or tool expected, got " .. type(f))
  tools[name] = form
  world("tool", { name = name, description = form.description, params = form.params })
end

function t:start(start, spec)
  if type(start) == "table" and start.start ~= nil then start, spec = start.start, start end
  argument(type(start) == "string" or type(start) == "table", 1, "start", "file or start expected, got " .. type(start))
  argument(spec == nil or type(spec) == "table", 2, "start", "spec expected, got " .. type(spec))
  local child = {}
  for key, value in pairs(spec or {}) do child[key] = value end
  child.start = start
  if child.id == nil then
    local name = type(start) == "string" and start:match("([^/]+)$") or start.kind
    argument(type(name) == "string", 2, "start", "an id expected")
    child.id = name:match("^[^.]+")
  end
  local _, err = async.timeout(FOREVER, troupe.call, "app", "start_child", child)
  if err then error(err, 0) end
  return child.id
end

function t:call(to, verb, ...) return troupe.call(to, verb, ...) end

function t:send(to, verb, ...)
  troupe.send(to, verb, ...)
  world("advance", 0)
end

function t:advance(seconds)
  argument(type(seconds) == "number" and seconds >= 0 and seconds < FOREVER, 1, "advance", "seconds expected")
  world("advance", seconds)
end

function t:events(what)
  local events = {}
  for _, event in ipairs(world("events")) do
    if what == nil or event.what == what then
      if event.reason then core.dress(event.reason) end
      events[#events + 1] = event
    end
  end
  return events
end

function t:folder() return world("folder") end

-- -- the file -----------------------------------------------------------------------------------

function test.case(name, f)
  argument(type(name) == "string" and name ~= "", 1, "test.case", "name expected, got " .. type(name))
  argument(type(f) == "function", 2, "test.case", "function expected, got " .. type(f))
  if is_done then error("test.case after test.done", 2) end
  for _, known in ipairs(cases) do
    if known.name == name then error(("there are two cases %q"):format(name), 2) end
  end
  cases[#cases + 1] = { name = name, run = f }
end

function test.done() is_done = true end

function agent.on.cases()
  local names = {}
  for i, case in ipairs(cases) do names[i] = case.name end
  return { done = is_done, cases = names }
end

function agent.on.run(_, index, name)
  file = name
  local ok, why = xpcall(cases[index].run, raised, setmetatable({}, case_type))
  if not ok then note(tostring(why)) end  -- out of memory: then `raised` was not called
  return first_failure or {}
end

--- A tool that the case gave is called. What it raises fails the case, not this agent.
agent.on.tool = function(self, name, args)
  local form = tools[name]
  local results
  if form.description then
    results = table.pack(xpcall(form.run, raised, self, args))
  else
    results = table.pack(xpcall(form.run, raised, args))
  end
  if not results[1] then
    note(tostring(results[2]))
    return nil, results[2]
  end
  return results[2], results[3]
end

return test
