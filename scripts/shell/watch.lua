-- SPDX-License-Identifier: Apache-2.0
-- The agent behind `--watch`: files have changed, so those that run them get the new code, as with :reload, and
-- a line on stderr says so.
local troupe = require("troupe")
local async = require("troupe.async")
local sys = require("troupe.sys")

local agent = troupe.agent { options = { app = "", folder = "" } }

local shown_agents = 5

local function names(list)
  local more = #list - shown_agents
  if more <= 0 then return table.concat(list, ", ") end
  return table.concat(list, ", ", 1, shown_agents) .. (" and %d more"):format(more)
end

-- By file, as the node reads it: those of the agents that run it or a module of it.
local function users(paths, folder)
  local found = {}
  for _, path in ipairs(paths) do
    local info = troupe.call(path, "@inspect")
    local what = info and info.behaviour
    what = what and (what.agent or what)
    for _, file in ipairs(what and what.script and { what.script, table.unpack(what.modules or {}) } or {}) do
      if file:sub(1, 1) ~= "/" then file = folder .. "/" .. file end
      found[file] = found[file] or {}
      table.insert(found[file], path)
    end
  end
  return found
end

-- What came of it, as text. One that waits for long does not hold up the others.
local function reload(agents)
  local done, wrong, texts = {}, {}, {}
  for path, went, err in async.map(agents, function(path)
    local said, err = sys.reload(path)
    return { err = not said and err or nil }
  end, { limit = 16, ordered = true }) do
    err = err or went.err
    if not err then
      done[#done + 1] = path
    else
      local text = err.code .. ": " .. (err.message or ""):match("^[^\n]*")
      if not wrong[text] then
        wrong[text] = {}
        texts[#texts + 1] = text
      end
      table.insert(wrong[text], path)
    end
  end
  local parts = {}
  if #done > 0 then parts[1] = "reloaded " .. names(done) end
  for _, text in ipairs(texts) do
    local who = wrong[text]
    parts[#parts + 1] = names(who) .. (#who == 1 and " keeps its code: " or " keep their code: ") .. text
  end
  return table.concat(parts, "; ")
end

local function reload_app()
  local changes, err = troupe.supervisor("app"):reload()
  if not changes then return ("the tree stays as it is: %s: %s"):format(err.code, (err.message or ""):match("^[^\n]*")) end
  local parts = {}
  for _, how in ipairs { { "changed", "" }, { "added", ", not started" }, { "kept", ", no more in the file" } } do
    local children = changes[how[1]]
    if #children > 0 then parts[#parts + 1] = how[1] .. " " .. names(children) .. how[2] end
  end
  return #parts > 0 and table.concat(parts, "; ") or "nothing has changed in the tree"
end

-- Those at `paths` run scripts. -> all files in use now.
function agent.on.changed(self, files, paths)
  local folder = self.options.folder
  local found, is_reloaded = users(paths, folder), {}
  for _, file in ipairs(files) do
    local shown = file:sub(1, #folder + 1) == folder .. "/" and file:sub(#folder + 2) or file
    local all, agents = found[file], {}
    for _, path in ipairs(all or {}) do
      if not is_reloaded[path] then agents[#agents + 1] = path end
      is_reloaded[path] = true
    end
    if #agents > 0 then
      print(("watch: %s: %s"):format(shown, reload(agents)))
    elseif not all and file == self.options.app then
      print(("watch: %s: %s"):format(shown, reload_app()))
    elseif not all then
      print(("watch: %s: nobody runs it now"):format(shown))
    end
  end
  local used = {}
  for file in pairs(users(paths, folder)) do used[#used + 1] = file end
  return used
end

return agent
