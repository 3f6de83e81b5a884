-- SPDX-License-Identifier: Apache-2.0
-- Where the agents of the app are: their paths, and their supervisors.
local troupe = require("troupe")

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

-- For each agent of the app.
local function each_agent(f)
  local app = troupe.find("app")
  if app then walk(app, "", 0, f) end
end

-- The supervisor of the agent at a path, and the agent's id in it.
local function place_of(path)
  local above, id = path:match("^(.*)/([^/]+)$")
  if not above then return "app", path end
  return troupe.find(above .. "/~") or above, id
end

return { each_agent = each_agent, place_of = place_of }
