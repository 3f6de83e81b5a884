-- SPDX-License-Identifier: Apache-2.0
-- The agent behind the prompt of `troupe shell`: evaluates what is typed, in one environment that stays, and
-- carries out the commands. What waits is awaited, since each line runs in a message of this agent.
local troupe = require("troupe")
local json = require("troupe.json")
local render, places = require("render"), require("places")
local commands, shown_by = require("commands").commands, require("commands").shown_by

local agent = troupe.agent {
  options = { json = false },                          -- results as lines of JSON
  concurrent = { "check", "complete", "agents", "spec" },
}

-- As a line of JSON; what has no form in JSON as the text that a person would see.
local function in_json(v)
  local is_plain, text = pcall(json.encode, v)
  return is_plain and text or json.encode(render.value(v))
end

function agent.on_start(self)
  shown_by(function(text, data)
    troupe.part((self.options.json and in_json(data) or text) .. "\n")
  end)
end

local modules = { "async", "timer", "topic", "group", "llm", "tool", "json", "log", "time", "sys" }

-- Modules are there by their short names without a require; other globals are the user's own.
local names = { troupe = troupe, render = render.value }
for _, name in ipairs(modules) do
  names[name] = function() return require("troupe." .. name) end
end
local env = setmetatable({}, {
  __index = function(t, name)
    local known = names[name]
    if type(known) ~= "function" or name == "render" then
      if known ~= nil then return known end
      return _G[name]
    end
    local found, module = pcall(known)
    if not found then return nil end
    rawset(t, name, module)
    return module
  end,
})

local function compile(text)
  local f = load("return " .. text, "=prompt", "t", env)
  if f then return f end
  return load(text, "=prompt", "t", env)
end

-- -> text to show. A raise is the user's mistake, not this agent's: it comes back as an error.
function agent.on.eval(self, text)
  local f, wrong = compile(text)
  if not f then return nil, troupe.error("syntax", wrong) end
  local results = table.pack(pcall(f))
  if not results[1] then
    local raised = results[2]
    if type(raised) == "table" and raised.code then return nil, raised end
    return nil, troupe.error("crash", tostring(raised))
  end
  rawset(env, "_", results[2])
  if results.n == 1 then return "" end
  if self.options.json then
    local lines = {}
    for i = 2, results.n do lines[i - 1] = in_json(results[i]) end
    return table.concat(lines, "\n")
  end
  return render.all({ table.unpack(results, 2, results.n) }, results.n - 1)
end

-- True if more lines can make it whole.
function agent.on.check(self, text)
  local f, wrong = compile(text)
  return not f and wrong:find("<eof>", 1, true) ~= nil
end

-- Names that begin with `word`, such as `troupe.ca`.
function agent.on.complete(self, word)
  local found = {}
  local path, last = word:match("^(.-)([^%.]*)$")
  local inside = env
  for part in path:gmatch("[^%.]+") do
    inside = type(inside) == "table" and inside[part] or nil
    if type(inside) ~= "table" then return found end
  end
  local seen = {}
  local function collect(t)
    for k in pairs(t) do
      if type(k) == "string" and k:sub(1, #last) == last and not seen[k] then
        seen[k] = true
        found[#found + 1] = path .. k
      end
    end
  end
  collect(inside)
  if inside == env then collect(names) collect(_G) end
  table.sort(found)
  return found
end

-- For completion: all agents of the app, as { path, is_supervisor }.
function agent.on.agents()
  local found = {}
  places.each_agent(function(path, _, child)
    found[#found + 1] = { path = path, is_supervisor = child.type == "supervisor" }
  end)
  return found
end

-- For completion: how an agent is started.
function agent.on.spec(_, path)
  local supervisor, id = places.place_of(path)
  return troupe.call(supervisor, "get_childspec", id)
end

-- :name words...  -> text to show; who asks knows that there is such a command
function agent.on.command(self, words)
  local text, data = commands[words[1]](table.unpack(words, 2))
  if text == nil then return nil, data end
  if not self.options.json or text == "" then return text end
  return in_json(data == nil and text or data)
end

return agent
