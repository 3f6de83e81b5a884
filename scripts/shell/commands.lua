-- SPDX-License-Identifier: Apache-2.0
-- What the prompt can do to a running node, each under its name. A command takes words and returns text, and
-- what it says as data if that is more than the text; or nil and an error.
local troupe = require("troupe")
local json = require("troupe.json")
local sys = require("troupe.sys")
local render = require("render")
local places = require("places")

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

function commands.ps()
  local agents, rows = {}, { { "AGENT", "STATE", "MAILBOX", "CALLS", "HANDLED", "MEMORY" } }
  places.each_agent(function(path, _, child)
    local one = { agent = path, state = child.state }
    local info = child.address and troupe.call(child.address, "@inspect")
    if info then
      one.state = info.suspended and "suspended" or info.busy and "busy" or info.phase
      one.mailbox, one.calls, one.handled = info.mailbox, info.calls, info.handled
      one.memory = info.behaviour and (info.behaviour.agent or info.behaviour).memory
    end
    agents[#agents + 1] = one
    rows[#rows + 1] = { path, one.state, tostring(one.mailbox or "-"), tostring(one.calls or "-"),
      tostring(one.handled or "-"), one.memory and count(one.memory, "B") or "-" }
  end)
  return render.columns(rows), agents
end

function commands.tree()
  local agents, lines = {}, {}
  places.each_agent(function(path, depth, child)
    agents[#agents + 1] = { agent = path, type = child.type, state = child.state }
    lines[#lines + 1] = ("  "):rep(depth) .. child.id .. (child.type == "supervisor" and "/" or "") ..
      (child.state == "running" and "" or "  (" .. child.state .. ")")
  end)
  return #lines > 0 and table.concat(lines, "\n") or "(nothing runs)", agents
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
  return render.value(results[1]), results[1] == nil and json.null or results[1]
end

function commands.send(target, ...)
  local agent, verb = agent_and_verb(target or "")
  if not agent then return missing(":send AGENT.VERB [ARG...]") end
  local args, wrong, n = arguments(...)
  if not args then return nil, wrong end
  troupe.send(agent, verb, table.unpack(args, 1, n))
  return ""
end

function commands.stop(path)
  if not path then return missing(":stop AGENT") end
  local supervisor, id = places.place_of(path)
  local done, wrong = troupe.call(supervisor, "terminate_child", id)
  if not done then return nil, wrong end
  return path .. " has ended"
end

-- A script swaps its code and keeps its state; what is no script, or does not run, is started from its file.
function commands.reload(path)
  if not path then return missing(":reload AGENT") end
  local done, err = sys.reload(path)
  if done then
    return path .. " runs its new code" .. (done.from ~= done.version and
      (": version %d after %d"):format(done.version, done.from) or "")
  end
  if err.code ~= "unsupported" and err.code ~= "down" and err.code ~= "no_such_agent" then return nil, err end
  local supervisor, id = places.place_of(path)
  local done, wrong = troupe.call(supervisor, "terminate_child", id)
  if not done then return nil, wrong end
  local address, failed = troupe.call(supervisor, "restart_child", id)
  if not address then return nil, failed end
  return path .. " runs at " .. tostring(address)
end

function commands.suspend(path)
  if not path then return missing(":suspend AGENT") end
  local done, err = sys.suspend(path)
  if not done then return nil, err end
  return path .. " stands still; :resume " .. path .. " lets it go on"
end

function commands.resume(path)
  if not path then return missing(":resume AGENT") end
  local done, err = sys.resume(path)
  if not done then return nil, err end
  return path .. " goes on"
end

function commands.state(path, word)
  if not path then return missing(":state AGENT [:=JSON]   shows what it keeps, or puts something else there") end
  if word then
    local args, wrong = arguments(word)
    if not args then return nil, wrong end
    local done, err = sys.replace_state(path, args[1])
    if not done then return nil, err end
  end
  local state, err = sys.state(path)
  if state == nil and err then return nil, err end
  return render.value(state), state == nil and json.null or state
end

-- -- what an agent is and does ------------------------------------------------------------------

local function seconds_left(one) return one.left and (", %.1f s left"):format(one.left) or "" end

local function served(one)
  return one.kind .. (one.verb and " " .. one.verb or "") .. " from " .. one.from ..
    (one.cancelled and ", taken back" or "") .. seconds_left(one)
end

local function awaited(one) return one.verb .. (one.to and " of " .. one.to or "") .. seconds_left(one) end

local function map(list, f)
  local lines = {}
  for i, one in ipairs(list) do lines[i] = f(one) end
  return lines
end

local function inspection(info)
  local lines = {}
  local function add(label, text) lines[#lines + 1] = ("  %-12s%s"):format(label, text) end
  local function add_all(label, list, of)
    for i, text in ipairs(list) do add(i == 1 and label or "", text) end
    if (of or 0) > #list then add("", ("... %d more"):format(of - #list)) end
  end
  local behaviour = info.behaviour or {}
  local inside = behaviour.agent or behaviour
  local state = info.suspended and "suspended" or info.busy and "computes" or info.phase
  lines[1] = info.path .. "  " .. state
  if inside.script then add("script", inside.script) end
  if behaviour.pid then
    add("worker", ("process %d, %.3f s of CPU"):format(behaviour.pid, behaviour.cpu or 0))
  end
  add("mailbox", ("%d messages, %s"):format(info.mailbox, count(info.mailbox_bytes, "B")))
  add("handled", ("%d messages in %.3f s"):format(info.handled, info.time))
  if inside.memory then add("memory", count(inside.memory, "B") .. " of " .. count(inside.memory_limit, "B")) end
  add_all("serves", map(info.calls_in, served), info.serving)
  add_all("waits for", map(info.calls_out, awaited), info.calls)
  if info.timers > 0 then add("timers", tostring(info.timers)) end
  add_all("linked to", info.linked, info.links)
  add_all("monitors", info.monitored, info.monitors)
  add_all("monitored", map(info.monitored_by, function(path) return "by " .. path end), info.watchers)
  if inside.state ~= nil then add("state", (render.value(inside.state):gsub("\n", "\n  "))) end
  for _, one in ipairs(inside.coroutines or {}) do
    add("coroutine", one.kind .. (one.verb and " " .. one.verb or "") .. ", " .. one.state)
    for _, line in ipairs(one.stack) do lines[#lines + 1] = "    " .. line end
  end
  if not inside.script then
    local rest = {}
    for key, v in pairs(behaviour) do
      if key ~= "agent" and key ~= "pid" and key ~= "cpu" then rest[key] = v end
    end
    add("inside", (render.value(rest):gsub("\n", "\n  ")))
  end
  return table.concat(lines, "\n")
end

function commands.inspect(path)
  if not path then return missing(":inspect AGENT") end
  local info, err = sys.inspect(path)
  if not info then return nil, err end
  return inspection(info), info
end

-- -- messages as they go ------------------------------------------------------------------------

local function message_line(m)
  local what = m.verb and m.kind .. " " .. m.verb or m.kind
  local said = m.reason or m.body ~= nil and render.value(m.body):gsub("%s*\n%s*", " ") or
    m.size > 1 and count(m.size, "B") or ""
  if #said > 200 then said = said:sub(1, utf8.offset(said, 0, 200) - 1) .. "..." end
  local from, to = m.peer, m.path
  if m.out then from, to = to, from end
  return ("%s -> %s  %s%s"):format(from, to, what, said ~= "" and "  " .. said or "")
end

-- What a command shows as it comes; see `shown_by`.
local show

function commands.trace(pattern, number, seconds)
  if not pattern then return missing(":trace AGENT [COUNT [SECONDS]]   * in its path stands for any text") end
  local limits = { count = tonumber(number or 20) or number, seconds = tonumber(seconds or 10) or seconds }
  local trace <close> = sys.trace(pattern, limits)
  for m in trace:parts() do show(message_line(m), m) end
  local said, err = trace:result()
  if not said then return nil, err end
  return ("%d messages%s"):format(said.shown, said.dropped > 0 and (", %d more came too fast"):format(said.dropped) or ""), said
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
  return table.concat(lines, "\n"), events
end

require("children")(commands, missing)

return {
  commands = commands,
  -- `f(text, data)` shows a line.
  shown_by = function(f) show = f end,
}
