-- SPDX-License-Identifier: Apache-2.0
-- What the prompt can do to supervisors and their children: OTP's administration.
local troupe = require("troupe")
local time = require("troupe.time")
local render = require("render")
local place_of = require("places").place_of

local function supervisor(path) return troupe.supervisor(path or "app") end

--- Adds the commands.
return function(commands, missing)
  local function ask(path, usage, verb)
    if not path then return missing(usage) end
    local above, id = place_of(path)
    return troupe.call(above, verb, id)
  end

  function commands.children(path)
    local list, wrong = supervisor(path):which_children()
    if not list then return nil, wrong end
    local children, rows = {}, { { "CHILD", "STATE", "TYPE" } }
    for i = #list, 1, -1 do
      children[#children + 1] = list[i]
      rows[#rows + 1] = { list[i].id, list[i].state, list[i].type }
    end
    return render.columns(rows), children
  end

  function commands.count(path)
    local n, wrong = supervisor(path):count_children()
    if not n then return nil, wrong end
    return ("%d specs, %d active, %d workers, %d supervisors"):format(n.specs, n.active, n.workers, n.supervisors), n
  end

  function commands.spec(path)
    local spec, wrong = ask(path, ":spec AGENT", "get_childspec")
    if not spec then return nil, wrong end
    return render.value(spec), spec
  end

  function commands.exits(path)
    local child, wrong = ask(path, ":exits AGENT", "which_child")
    if not child then return nil, wrong end
    local lines = {}
    for i, e in ipairs(child.exits) do
      lines[i] = ("%s  after %.1f s  %s%s"):format(time.format(e.at), e.lived, e.reason.code,
        e.reason.message and ": " .. e.reason.message or "")
    end
    return #lines > 0 and table.concat(lines, "\n") or path .. " has not ended yet", child.exits
  end

  function commands.start(path, file, id)
    if not file then return missing(":start SUPERVISOR FILE [ID]") end
    id = id or file:match("([^/]+)%.lua$") or file
    local address, wrong = supervisor(path):start_child { id = id, start = file }
    if not address then return nil, wrong end
    return path .. "/" .. id .. " runs at " .. tostring(address)
  end

  function commands.restart(path)
    if not path then return missing(":restart AGENT") end
    local above, id = place_of(path)
    local address, wrong = troupe.supervisor(above):restart_child(id)
    if not address then return nil, wrong end
    return path .. " runs at " .. tostring(address)
  end

  function commands.delete(path)
    local done, wrong = ask(path, ":delete AGENT", "delete_child")
    if not done then return nil, wrong end
    return path .. " is forgotten"
  end

  local reload_agent = commands.reload
  function commands.reload(path, ...)
    if path ~= "app" then return reload_agent(path, ...) end
    local changes, wrong = supervisor("app"):reload()
    if not changes then return nil, wrong end
    local lines = {}
    for _, how in ipairs { { "changed", "" }, { "added", ", not started" }, { "kept", ", no more in the file" } } do
      for _, child in ipairs(changes[how[1]]) do lines[#lines + 1] = how[1] .. " " .. child .. how[2] end
    end
    return #lines > 0 and table.concat(lines, "\n") or "nothing has changed", changes
  end
end
