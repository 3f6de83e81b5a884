-- SPDX-License-Identifier: Apache-2.0
-- What the prompt can do to a running node, each under its name. A command takes words and returns text, or
-- nil and an error.
local troupe = require("troupe")
local json = require("troupe.json")
local render = require("render")

local commands = {}

local function missing(usage) return nil, troupe.error("bad_argument", "usage: " .. usage) end

-- An argument is text; `:=JSON` is JSON.
local function arguments(...)
  local values, n = {}, select("#", ...)
  for i = 1, n do
    local word = select(i, ...)
    if word:sub(1, 2) == ":=" then
      local v, wrong = json.decode(word:sub(3))
      if v == nil and wrong then return nil, wrong end
      values[i] = v
    else
      values[i] = word
    end
  end
  return values, nil, n
end

local function agent_and_verb(text)
  local agent, verb = text:match("^(.+)%.([^%.]+)$")
  return agent, verb
end

local function count(n, unit)
  if n < 1024 then return n .. unit end
  if n < 1024 * 1024 then return string.format("%.1f k%s", n / 1024, unit) end
  return string.format("%.1f M%s", n / 1024 / 1024, unit)
end

-- Calls f(path, depth, child) for each agent below a supervisor, children before what follows them.
local function walk(supervisor, prefix, depth, f)
  local children = troupe.call(supervisor, "which_children")
  if not children then return end
  for i = #children, 1, -1 do                           -- they come newest first
    local child = children[i]
    local path = prefix == "" and child.id or prefix .. "/" .. child.id
    f(path, depth, child)
    if child.type == "supervisor" and child.address then
      walk(child.address, path, depth + 1, f)
    elseif child.address then
      local own = troupe.find(path .. "/~")
      if own then walk(own, path, depth + 1, f) end
    end
  end
end

local function each_agent(f)
  local app = troupe.find("app")
  if app then walk(app, "", 0, f) end
end

function commands.ps()
  local rows = { { "AGENT", "STATE", "MAILBOX", "CALLS", "HANDLED", "MEMORY" } }
  each_agent(function(path, _, child)
    local info = child.address and troupe.call(child.address, "@inspect")
    if info then
      local memory = info.behaviour and info.behaviour.memory
      rows[#rows + 1] = { path, info.busy and "busy" or info.phase, tostring(info.mailbox), tostring(info.calls),
        tostring(info.handled), memory and count(memory, "B") or "-" }
    else
      rows[#rows + 1] = { path, child.state, "-", "-", "-", "-" }
    end
  end)
  return render.columns(rows)
end

function commands.tree()
  local lines = {}
  each_agent(function(path, depth, child)
    lines[#lines + 1] = ("  "):rep(depth) .. child.id .. (child.type == "supervisor" and "/" or "") ..
      (child.state == "running" and "" or "  (" .. child.state .. ")")
  end)
  return #lines > 0 and table.concat(lines, "\n") or "(nothing runs)"
end

function commands.spawn(file, id)
  if not file then return missing(":spawn FILE [ID]") end
  id = id or file:match("([^/]+)%.lua$") or file
  local address, wrong = troupe.call("app", "start_child", { id = id, start = file, restart = "temporary" })
  if not address then return nil, wrong end
  return id .. " runs at " .. tostring(address)
end

function commands.call(target, ...)
  local agent, verb = agent_and_verb(target or "")
  if not agent then return missing(":call AGENT.VERB [ARG...]   an argument is text, :=JSON is JSON") end
  local args, wrong, n = arguments(...)
  if not args then return nil, wrong end
  local results = table.pack(troupe.call(agent, verb, table.unpack(args, 1, n)))
  if results[1] == nil and results[2] ~= nil then return nil, results[2] end
  return render.value(results[1])
end

function commands.send(target, ...)
  local agent, verb = agent_and_verb(target or "")
  if not agent then return missing(":send AGENT.VERB [ARG...]") end
  local args, wrong, n = arguments(...)
  if not args then return nil, wrong end
  troupe.send(agent, verb, table.unpack(args, 1, n))
  return ""
end

-- The supervisor of the agent at a path, and the agent's id in it.
local function place_of(path)
  local above, id = path:match("^(.*)/([^/]+)$")
  if not above then return "app", path end
  return troupe.find(above .. "/~") or above, id
end

function commands.stop(path)
  if not path then return missing(":stop AGENT") end
  local supervisor, id = place_of(path)
  local done, wrong = troupe.call(supervisor, "terminate_child", id)
  if not done then return nil, wrong end
  return path .. " has ended"
end

function commands.reload(path)
  if not path then return missing(":reload AGENT   stops it and starts it from its file as it is now") end
  local supervisor, id = place_of(path)
  local done, wrong = troupe.call(supervisor, "terminate_child", id)
  if not done then return nil, wrong end
  local address, failed = troupe.call(supervisor, "restart_child", id)
  if not address then return nil, failed end
  return path .. " runs at " .. tostring(address)
end

local function event_line(e)
  local line = e.what .. "  " .. e.path
  if e.reason and e.reason.code then
    line = line .. "  " .. e.reason.code .. (e.reason.message and ": " .. e.reason.message or "")
  end
  return line
end

function commands.tail(n)
  local events, wrong = troupe.call("observer", "events", math.tointeger(tonumber(n or 20)) or 20)
  if not events then return nil, wrong end
  local lines = {}
  for i, e in ipairs(events) do lines[i] = event_line(e) end
  return table.concat(lines, "\n")
end

require("children")(commands, place_of, missing)

return commands
